from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mto.report import Choice, Comparison, Summary, SweepInfo, SweepPoint, summarise
from mto.report.dev import dev_curves
from mto.report.tables import gain_lines, pair_table, score_table
from tests.report.synthetic import EFFECT, synthetic

SAME = dict.fromkeys(EFFECT, 0.0)


def test_means_are_those_of_the_cells(comparison: Comparison, summary: Summary) -> None:
    assert summary.whole is not None
    for family in ("mapping", "masked-prompting"):
        per_task = [
            np.mean(
                [
                    c.scores["rouge_l"]
                    for c in comparison.cells
                    if (c.task, c.family, c.stage) == (task.name, family, "tuned")
                ]
            )
            for task in comparison.tasks
        ]
        line = summary.whole.line(family)
        assert line is not None
        assert line.score.mean == pytest.approx(np.mean(per_task))
        assert line.score.low < line.score.mean < line.score.high
    for scope in summary.tasks:
        assert (scope.heads, scope.seeds) == (30, 3)
    assert summary.whole.heads == 60


def test_the_aligned_row_follows_dev_and_not_test(comparison: Comparison) -> None:
    # Dev chooses the worst family everywhere: the aligned row must be that one, whatever the test scores.
    bad = tuple(c.model_copy(update={"family": "mapping"}) for c in comparison.choices)
    summary = summarise(comparison.model_copy(update={"choices": bad}))
    whole = summary.whole
    assert whole is not None
    aligned, plain = whole.line("aligned"), whole.line("conventional")
    assert aligned is not None and plain is not None
    assert aligned.score == plain.score
    assert whole.sole_choice == "mapping"
    assert whole.gain is not None and whole.gain.difference.mean == 0
    assert any("chose the conventional family, Mapping, everywhere" in s for s in summary.reading)


def test_a_mixed_choice_is_tested_on_its_own(comparison: Comparison, summary: Summary) -> None:
    assert summary.whole is not None and summary.whole.sole_choice == "masked-prompting"
    assert not any("aligned" in (t.a, t.b) for t in summary.whole.tests)
    assert len(summary.whole.tests) == 6 + 4
    mixed = (comparison.choices[0].model_copy(update={"family": "prompting"}), *comparison.choices[1:])
    whole = summarise(comparison.model_copy(update={"choices": mixed})).whole
    assert whole is not None and whole.sole_choice is None
    assert len(whole.tests) == 6 + 4 + 2
    test = whole.test("aligned", "conventional")
    assert test is not None and {test.a, test.b} == {"aligned", "mapping"}
    # One of three seeds of one of two tasks comes from another family.
    aligned = whole.line("aligned")
    first = next(
        c
        for c in comparison.cells
        if (c.task, c.family, c.seed, c.stage) == ("synthetic/ObjectUse", "prompting", 0, "tuned")
    )
    rest = [
        c
        for c in comparison.cells
        if (c.family, c.stage) == ("masked-prompting", "tuned") and (c.task, c.seed) != (first.task, 0)
    ]
    by_task = [
        np.mean([np.mean(c.scores["rouge_l"]) for c in [first, *rest] if c.task == task.name])
        for task in comparison.tasks
    ]
    assert aligned is not None and aligned.score.mean == pytest.approx(np.mean(by_task))


def test_holm_is_over_all_single_tasks_together(summary: Summary) -> None:
    assert summary.whole is not None
    for tests in ([*summary.whole.tests], [t for scope in summary.tasks for t in scope.tests]):
        smallest = min(tests, key=lambda t: t.p)
        assert smallest.holm == pytest.approx(min(1.0, smallest.p * len(tests)))
        assert all(t.holm >= t.p for t in tests)
        assert all(t.difference.mean >= 0 for t in tests)  # the better one first


def test_an_incomplete_seed_is_left_out_for_every_family(comparison: Comparison) -> None:
    gone = {("synthetic/xWant", "prompting", 2, "tuned")}
    cells = tuple(c for c in comparison.cells if (c.task, c.family, c.seed, c.stage) not in gone)
    partial = comparison.model_copy(update={"cells": cells})
    summary = summarise(partial)
    assert [scope.seeds for scope in summary.tasks] == [3, 2]
    assert summary.missing == ("synthetic/xWant, prompting, seed 2",)
    without = [
        c.scores["rouge_l"]
        for c in comparison.cells
        if (c.task, c.family, c.stage) == ("synthetic/xWant", "mapping", "tuned") and c.seed < 2
    ]
    line = summary.tasks[1].line("mapping")
    assert line is not None and line.score.mean == pytest.approx(np.mean(without))


def test_a_run_that_has_hardly_begun(comparison: Comparison) -> None:
    begun = comparison.model_copy(
        update={"cells": comparison.cells[:3], "baselines": (), "choices": (), "sweeps": (), "shown": ()}
    )
    summary = summarise(begun)
    assert summary.whole is None and summary.tasks == ()
    assert summary.reading[0].startswith("Nothing can be said yet")
    assert len(summary.missing) == 2 * 4 * 3 + 2 * 4 - 3


def test_copying_comes_first_when_it_is_better() -> None:
    reading = summarise(synthetic(nearest=45.0, heads=20)).reading
    assert reading[0].startswith("No family beats copying: the tail of the nearest few-shot head")
    assert "wins" in reading[1] or "close" in reading[1]
    narrow = summarise(synthetic(effect=SAME, nearest=14.0, heads=12, seeds=3)).reading
    assert narrow[0].startswith("No family is shown to beat copying")


def test_verdicts() -> None:
    won = summarise(synthetic(heads=30)).reading
    assert won[0].startswith("The aligned way wins: ") and "p = 0.0" in won[0]
    close = summarise(synthetic(effect=SAME, nearest=0.0, heads=20)).reading
    assert close[0].startswith("Too close to call")
    worse = synthetic(effect={"mapping": 20.0, "prompting": 0, "masked-mapping": 0, "masked-prompting": 0})
    choices = tuple(c.model_copy(update={"family": "prompting"}) for c in worse.choices)
    lost = summarise(worse.model_copy(update={"choices": choices})).reading
    assert lost[0].startswith("The conventional way wins")
    assert any("which only the test data tell" in sentence for sentence in lost)


def test_a_small_p_is_not_enough_when_other_seeds_may_differ() -> None:
    # Two seeds that point in opposite directions: heads alone look sure, seeds do not.
    made = synthetic(relations=("ObjectUse",), seeds=2, heads=30, effect=SAME, nearest=0.0)
    cells = []
    for cell in made.cells:
        if cell.stage == "tuned":
            up = {"masked-prompting": (0.0, 30.0)}.get(cell.family, (5.0, 5.0))[cell.seed]
            values = tuple(up + 0.01 * n for n in range(30))
            cell = cell.model_copy(update={"scores": {"rouge_l": values}})
        cells.append(cell)
    whole = summarise(made.model_copy(update={"cells": tuple(cells)})).whole
    assert whole is not None
    test = whole.test("masked-prompting", "mapping")
    assert test is not None and test.holm <= 0.05
    assert test.only_these_seeds and not test.shown


def test_no_ratio_for_a_conventional_score_near_zero() -> None:
    summary = summarise(synthetic(base=-25.0, heads=25))
    assert summary.whole is not None and summary.whole.gain is not None
    assert summary.whole.gain.ratio is None
    assert any("There is no gain in percent" in s and "touches 1 point" in s for s in summary.reading)
    assert gain_lines(summary.whole)[0][1].startswith("no ratio")


@pytest.mark.parametrize(
    ("heads", "seeds", "words"),
    [
        (30, 3, None),
        (20, 3, "fewer than 50 heads"),
        (30, 2, "fewer than 3 seeds"),
        (5, 1, "n = 10 test heads"),
    ],
)
def test_small_comparisons_are_marked_as_illustrations(heads: int, seeds: int, words: str | None) -> None:
    mark = summarise(synthetic(heads=heads, seeds=seeds)).illustration
    assert (mark is None) if words is None else (mark is not None and words in mark)


def test_zero_shots() -> None:
    made = synthetic(shots=0, heads=30)
    summary = summarise(made)
    assert summary.whole is not None and summary.missing == ()
    assert [line.kind for line in summary.whole.lines] == ["family"] * 4
    assert summary.whole.gain is None and "no family is chosen" in str(summary.whole.no_gain)
    assert summary.illustration is None  # seeds mean nothing without a split
    assert "chosen" not in score_table(made, summary.whole).columns
    assert "MaskedPrompting" in summary.reading[0]


def test_one_family_alone() -> None:
    made = synthetic(heads=10)
    only = {c.name for c in made.families[:1]}
    alone = made.model_copy(
        update={
            "families": made.families[:1],
            "cells": tuple(c for c in made.cells if c.family in only),
            "sweeps": tuple(s for s in made.sweeps if s.family in only),
            "choices": tuple(c.model_copy(update={"family": "mapping"}) for c in made.choices),
        }
    )
    summary = summarise(alone)
    assert summary.whole is not None and len(summary.whole.tests) == 1  # against copying
    assert any("conventional family, Mapping, everywhere" in sentence for sentence in summary.reading)


def test_oddities_and_missing_baselines(comparison: Comparison) -> None:
    odd = tuple(
        c.model_copy(update={"empty": 0.2, "distinct": 0.1, "words_lost": 2})
        if c.family == "prompting"
        else c
        for c in comparison.cells
    )
    summary = summarise(comparison.model_copy(update={"cells": odd, "baselines": ()}))
    assert any(
        s.startswith("Prompting left 20.0 % of its answers empty and gave few") for s in summary.reading
    )
    assert any("12 words of over-long examples" in s for s in summary.reading)
    assert summary.whole is not None and summary.whole.line("nearest head") is None


def test_dev_curves_take_the_best_rung_of_each_rate(comparison: Comparison) -> None:
    sweeps = [s for s in comparison.sweeps if s.family == "mapping"]
    curve = next(c for c in dev_curves(comparison) if c.family == "mapping")
    for point in curve.points:
        best = [max(p.metric for p in s.points if p.rate == point.rate and p.steps) for s in sweeps]
        assert point.metric == pytest.approx(np.mean(best))
        assert point.sweeps == len(sweeps) == 6
    assert curve.untuned is not None
    assert sum(p.chosen for p in curve.points) + curve.untuned.chosen == 6


def test_a_rate_that_only_the_easy_task_tried_does_not_look_good(comparison: Comparison) -> None:
    # Both tasks gain 2 points at 1e-4; only the easy one was swept on to 3e-4, where it gains 1.
    sweeps = []
    for task, level in (("synthetic/ObjectUse", 10.0), ("synthetic/xWant", 40.0)):
        points = [(0.0, 0, level), (1e-4, 5, level + 2)] + ([(3e-4, 5, level + 1)] if level == 40 else [])
        made = [SweepPoint(rate=r, steps=n, nats_per_byte=2.0, metric=m) for r, n, m in points]
        sweeps.append(SweepInfo(task=task, family="mapping", seed=0, points=tuple(made), chosen=made[1]))
    (curve,) = dev_curves(comparison.model_copy(update={"sweeps": tuple(sweeps)}))
    assert [(p.rate, p.metric, p.sweeps, p.chosen) for p in curve.points] == [
        (1e-4, 27.0, 2, 2),
        (3e-4, 26.0, 1, 0),
    ]
    assert curve.untuned is not None and curve.untuned.metric == 25.0


def test_tables_have_a_cell_for_every_column(comparison: Comparison, summary: Summary) -> None:
    assert summary.whole is not None
    for table in (score_table(comparison, summary.whole), pair_table(summary.whole)):
        assert {len(row.cells) for row in table.rows} == {len(table.columns)}
    names = [row.cells[0] for row in score_table(comparison, summary.whole).rows]
    assert names[4:] == [
        "aligned (by dev data)",
        "conventional (Mapping)",
        "aligned, zero-shot",
        "copy: nearest head",
        "copy: most frequent tail",
    ]


def test_choice_counts_and_points(comparison: Comparison, summary: Summary) -> None:
    assert summary.whole is not None
    chosen = {line.key: (line.chosen, line.cells) for line in summary.whole.families}
    assert chosen["masked-prompting"] == (6, 6) and chosen["mapping"] == (0, 6)
    wanted = list(product(("synthetic/ObjectUse", "synthetic/xWant"), (0, 1, 2)))
    line = summary.whole.line("aligned")
    assert line is not None and sum(n for _, _, n in line.points) == len(wanted)


def test_the_reading_names_what_chose() -> None:
    made = synthetic(heads=30)
    plain = [Choice(task=c.task, seed=c.seed, family="mapping", by="match") for c in made.choices]
    one = read_all(made.model_copy(update={"choices": tuple(plain)}))
    assert any(line.startswith("Matching chose the conventional family") for line in one)
    assert not any("Dev data chose" in line for line in one)
    mixed = (plain[0].model_copy(update={"by": "dev", "family": "prompting"}), *plain[1:])
    other = read_all(made.model_copy(update={"choices": mixed}))
    assert any(line.startswith("Matching or dev data chose") for line in other)


def read_all(comparison: Comparison) -> tuple[str, ...]:
    """The sentences of a comparison."""
    return summarise(comparison).reading


def test_the_last_stage_of_pre_training_is_told_where_it_differs() -> None:
    from mto.report.tables import asked

    made = synthetic(heads=4)
    shares = {"denoising": 0.72, "lm": 0.28}
    for latest, said in (
        ({"lm": 1.0}, "objectives 72 % denoising, 28 % lm; in the last stage 100 % lm"),
        (shares, "28 % lm"),
    ):
        model = made.model.model_copy(update={"objectives": shares, "latest": latest})
        told = dict(asked(made.model_copy(update={"model": model})))["Model"]
        assert said in told and ("last stage" in told) == (latest != shares)
