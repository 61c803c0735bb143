"""The report of a whole run: its file, its tests and gains, what it says, and that every kind of report shows every system."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from mto.errors import DataError
from mto.evaluate.statistics import gain, holm
from mto.report.whole import (
    is_whole_results,
    read_whole_results,
    render_whole_terminal,
    summarise_whole,
    write_whole_report,
)
from mto.report.whole.results import SYSTEMS, WholeResults, write_whole_results
from mto.report.whole.summary import PLANNED
from mto.report.whole.tables import loss_table, system_table
from mto.runs import write_json
from tests.report.whole.synthetic import LEVELS, TASKS, whole


@pytest.fixture(scope="module")
def results() -> WholeResults:
    return whole()


def test_the_file_keeps_everything_one_cell_a_line(results: WholeResults, tmp_path: Path) -> None:
    path = write_whole_results(results, tmp_path / "results.json")
    assert read_whole_results(path) == read_whole_results(tmp_path) == results
    text = path.read_text()
    assert sum(line.startswith('  {"system"') for line in text.splitlines()) >= len(results.cells)
    again = write_whole_results(read_whole_results(path), tmp_path / "again.json")
    assert again.read_bytes() == path.read_bytes()
    assert is_whole_results(path) and is_whole_results(tmp_path) and not is_whole_results(tmp_path / "none")


def test_what_is_no_such_file_is_refused(results: WholeResults, tmp_path: Path) -> None:
    file = write_whole_results(results, tmp_path / "results.json")
    value = json.loads(file.read_text())
    write_json(tmp_path / "other.json", {**value, "kind": "comparison"})
    with pytest.raises(DataError, match="no results file of a whole run"):
        read_whole_results(tmp_path / "other.json")
    write_json(tmp_path / "short.json", {**value, "cells": value["cells"][2:]})
    with pytest.raises(DataError, match="cells are missing: conventional, made/Use, seed 0"):
        read_whole_results(tmp_path / "short.json")
    write_json(tmp_path / "more.json", {**value, "extra": 1})
    with pytest.raises(DataError, match="extra"):
        read_whole_results(tmp_path / "more.json")


def test_tests_are_those_planned_and_corrected_together(results: WholeResults) -> None:
    summary = summarise_whole(results)
    assert [(test.a, test.b) for test in summary.whole.tests] == [*PLANNED]
    corrected = holm([test.p for test in summary.whole.tests])
    assert [test.holm for test in summary.whole.tests] == pytest.approx(corrected)
    single = [test for scope in summary.tasks for test in scope.tests]
    assert [test.holm for test in single] == pytest.approx(holm([test.p for test in single]))
    assert all(test.shown and test.difference.mean > 0 for test in summary.whole.tests)


def test_gains_are_ratios_of_means_over_tasks(results: WholeResults) -> None:
    summary = summarise_whole(results)

    def scores(system: str) -> list[list[tuple[float, ...]]]:
        return [
            [
                c.scores["rouge_l"]
                for c in results.cells
                if (c.system, c.task, c.stage) == (system, task, "tuned")
            ]
            for task in TASKS
        ]

    for over in ("conventional", "aligned"):
        wanted = gain(scores("adapted"), scores(over))
        assert summary.gains["all tasks"]["adapted", over] == wanted
    table = system_table(results, summary, summary.whole)
    (row,) = [row for row in table.rows if row.cells[0] == SYSTEMS["adapted"]]
    assert (
        re.match(r"\+\d\d\.\d % \[", row.cells[2]) and row.cells[7] == "90.0" and row.cells[8] == "1e-4 × 20"
    )
    assert [row.cells[0] for row in table.rows] == [*(SYSTEMS[key] for key in LEVELS), "copy: nearest head"]


def test_the_reading_says_what_was_shown_and_no_more(results: WholeResults) -> None:
    head, *rest = summarise_whole(results).reading
    assert head.startswith("The whole way against the conventional one: gain +") and "too close" not in head
    text = " ".join(rest)
    assert (
        "Adaptation adds" in text
        and "it is shown to beat random spans, wrong objective and unselected text" in text
    )
    assert "from 3.00 to 2.25 nats a token; on general text from 2.00 to 2.12 (lm)" in text
    assert "copying" not in text

    equal = summarise_whole(whole(dict.fromkeys(LEVELS, 14.0), noise=9.0))
    assert "too close to call" in equal.reading[0]
    assert "too close to call against random spans" in " ".join(equal.reading)
    assert "not shown to beat copying" in equal.reading[1]

    worse = summarise_whole(whole({**LEVELS, "adapted": 22.0}))
    text = " ".join(worse.reading)
    assert "Adaptation takes" in text and "is shown to do better" in text


def test_without_controls_and_with_prompting_aligned_nothing_is_said_twice() -> None:
    levels = {key: LEVELS[key] for key in ("conventional", "prompting", "adapted")}
    results = whole({**levels, "aligned": 24})
    cells = [cell for cell in results.cells if cell.system != "aligned"]
    cells += [cell.model_copy(update={"system": "aligned"}) for cell in cells if cell.system == "prompting"]
    same = results.model_copy(update={"cells": tuple(cells)})
    summary = summarise_whole(same)
    pairs = [(test.a, test.b) for test in summary.whole.tests]
    assert ("adapted", "aligned") in pairs and len(pairs) == 5
    assert not any("controls" in sentence for sentence in summary.reading)
    assert summary.whole.test("adapted", "prompting").p == summary.whole.test("adapted", "aligned").p


def test_an_adaptation_that_never_helped_is_told(results: WholeResults) -> None:
    none = tuple(one.model_copy(update={"kept_step": 0, "after": one.before}) for one in results.adaptations)
    told = summarise_whole(results.model_copy(update={"adaptations": none}))
    assert "the checkpoint stayed as it was" in " ".join(told.reading)


def test_losses_stand_before_and_after_with_the_one_that_was_watched(results: WholeResults) -> None:
    table = loss_table(results)
    assert table is not None and table.columns[-2:] == ("pairs/denoising", "general/lm")
    assert table.rows[0].cells[-2:] == ("3.000 → 2.250 *", "2.000 → 2.125")
    assert loss_table(results.model_copy(update={"adaptations": ()})) is None


def test_every_report_shows_every_system_and_equal_results_give_equal_bytes(
    results: WholeResults, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_whole_report(
            read_whole_results(write_whole_results(results, tmp_path / "r.json")), tmp_path / name
        )
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert {str(file) for file in files} == {
        "results.json", "metrics.json", "report.md", "report.html", "plots/means.svg", "plots/losses.svg",
    }  # fmt: skip
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    for name in ("report.md", "report.html"):
        text = (tmp_path / "a" / name).read_text()
        for key, title in SYSTEMS.items():
            assert title in text and f"what {key} said" in text
        assert "<b>hammer</b>" not in text and "<&>" not in text
    console = Console(width=100, record=True)
    console.print(render_whole_terminal(results, width=100))
    shown = console.export_text()
    assert all(title in shown for title in SYSTEMS.values()) and "nats a token" in shown
