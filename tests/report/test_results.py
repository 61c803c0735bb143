from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mto.errors import DataError, RunError
from mto.report import Cell, Comparison, ModelInfo, TaskInfo, read_results, write_results
from mto.report.results import dump
from tests.report.synthetic import FAMILIES, synthetic


def test_a_file_gives_back_the_same_comparison_and_the_same_bytes(
    comparison: Comparison, tmp_path: Path
) -> None:
    path = write_results(comparison, tmp_path / "results.json")
    again = read_results(path)
    assert again == comparison
    assert read_results(tmp_path) == comparison  # a run folder
    assert dump(again) == path.read_text(encoding="utf-8")
    assert len(path.read_text().splitlines()) > len(comparison.cells)  # one entry a line


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5), st.text(max_size=20))
def test_any_scores_and_heads_survive_a_file(scores: list[float], head: str) -> None:
    made = Comparison(
        title=head,
        command="mto run",
        model=ModelInfo(ref="m"),
        shots=1,
        seeds=(0,),
        tasks=(TaskInfo(name="t", relation="R", train_rows=1, dev_rows=1, test_heads=(head,) * len(scores)),),
        families=FAMILIES[:1],
        cells=(Cell(task="t", family="mapping", seed=0, scores={"rouge_l": tuple(scores)}),),
    )
    assert Comparison.model_validate(json.loads(dump(made))) == made
    assert made.cells[0].scores["rouge_l"][0] == pytest.approx(scores[0], abs=0.0051)


def test_missing_cells_are_named(comparison: Comparison) -> None:
    assert comparison.missing == ()
    gone = [c for c in comparison.cells if not (c.family == "prompting" and c.seed == 1)]
    partial = comparison.model_copy(update={"cells": tuple(gone)})
    assert partial.missing == tuple(f"synthetic/{r}, prompting, seed 1" for r in ("ObjectUse", "xWant"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["cells"].append(d["cells"][0]), "cell stands twice"),
        (lambda d: d["cells"][0].update(task="other"), "unknown task"),
        (lambda d: d["cells"][0].update(family="other"), "unknown family"),
        (lambda d: d["cells"][0]["scores"]["rouge_l"].append(1), "31 scores of rouge_l for 30 heads"),
        (lambda d: d["cells"][0]["scores"].pop("rouge_l"), "has no rouge_l"),
        (lambda d: d["choices"][0].update(seed=9), "choice of an unknown task or seed"),
        (lambda d: d["tasks"].append(d["tasks"][0]), "same name"),
        (lambda d: d["families"][1].update(conventional=True), "more than one family"),
        (lambda d: d.update(tittle="x"), "tittle: Extra inputs"),
        (lambda d: d["cells"][3].update(empty=1.5), "cells.3.empty"),
        (lambda d: d.update(format=2), "no results file of format 1"),
    ],
)
def test_a_file_that_does_not_fit_together_is_refused(
    comparison: Comparison, tmp_path: Path, change: Any, message: str
) -> None:
    data = json.loads(dump(comparison))
    change(data)
    (tmp_path / "results.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_results(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert len(str(caught.value)) < 1500  # not the whole file


def test_a_missing_file_and_a_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such file"):
        read_results(tmp_path / "none.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(DataError, match="'list'"):
        read_results(tmp_path / "list.json")


def test_scores_out_of_range_are_refused() -> None:
    for bad in (-1.0, 100.5, float("nan")):
        with pytest.raises(ValidationError):
            Cell(task="t", family="f", seed=0, scores={"rouge_l": (bad,)})


def test_rates_are_never_rounded() -> None:
    made = synthetic(relations=("xWant",), heads=3, seeds=1)
    assert {p.rate for p in made.sweeps[0].points} == {0.0, 1e-5, 3e-5, 1e-4, 3e-4}
