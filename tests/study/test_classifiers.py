"""The study of the task classifiers from configuration to page, on a tiny checkpoint and made-up relations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from mto.cli.app import app
from mto.errors import DataError
from mto.match.classifier import Labelled, train_fast_classifier
from mto.match.classifier import study as study_module
from mto.study.classifiers.config import ClassifierStudyConfig
from mto.study.classifiers.page import PAGE
from mto.study.classifiers.results import ClassifierResults, read_classifiers
from mto.study.classifiers.stages import run_classifier_study
from mto.tasks import Row, TaskType
from tests.pipeline.small import save_tiny

KINDS: tuple[TaskType, ...] = ("mask-filling", "map-phrasal")
TAILS = ("red", "to go home early and rest")


def relation(number: int) -> Labelled:
    """Four heads with two rows each; the two types differ by length, which is easy to see."""
    rows = tuple(
        Row(f"r{number} head {n}", {"head": f"h{n}"}, TAILS[number % 2], (TAILS[number % 2],), "")
        for n in (0, 1, 2, 3, 0, 1, 2, 3)
    )
    return Labelled(rows, KINDS[number % 2], f"household/R{number}")


@pytest.fixture
def studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ClassifierStudyConfig, Path]:
    household = tuple(relation(n) for n in range(6))
    atomic = tuple(replace(one, relation=f"atomic2020/{one.meaning}") for one in household)

    def rows(name: str = "household", data: str | None = None) -> tuple[Labelled, ...]:
        return household if name == "household" else atomic

    def quick(*given: Any, **named: Any) -> Any:
        return train_fast_classifier(*given, **named, penalties=(0.1,))

    monkeypatch.setattr(study_module, "training_rows", rows)
    monkeypatch.setattr(study_module, "held_out_rows", rows)
    monkeypatch.setattr(study_module, "train_fast_classifier", quick)
    model = str(save_tiny(tmp_path / "tiny"))
    config = ClassifierStudyConfig(data="nowhere", models=(model,), seq2seq_models=(model,), seq2seq_steps=1)
    return config, tmp_path / "study"


def test_from_folds_to_page(studied: tuple[ClassifierStudyConfig, Path], tmp_path: Path) -> None:
    config, folder = studied
    assert run_classifier_study(config, folder, only=config.models) is None
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("folds/**/*.json")}
    results = run_classifier_study(config, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("folds/**/*.json")} == before
    assert results is not None and read_classifiers(folder / "results.json") == results
    assert len(results.said) == (3 * 3 * 2 + 1) * 6 and results.hours > 0
    assert results.judged[0].heads == (0, 1, 2, 3, 0, 1, 2, 3)
    tables = results.tables()
    assert len(tables) == 19 and {at[1] for at in tables} >= {"seq2seq", "fast"}
    easy = tables[config.models[0], "fast, shape alone", "household", "household"]
    assert easy.examples.value == 1.0 and easy.tasks.value == 1.0  # the lengths give them away

    page = PAGE.write(tmp_path / "page.md", folder / "results.json", "A title")
    text = page.read_text()
    assert PAGE.remake(page) == text
    for said in ("100.0 % [100, 100]", "6 of 6", "seq2seq", "R5", "weights of", "50% of the relations"):
        assert said in text
    told = CliRunner().invoke(
        app,
        ["report", str(folder / "results.json"), "--page", str(tmp_path / "again.md"), "--title", "A title"],
    )
    assert told.exit_code == 0 and (tmp_path / "again.md").read_text() == text


def test_bad_input(studied: tuple[ClassifierStudyConfig, Path], tmp_path: Path) -> None:
    config, folder = studied
    with pytest.raises(DataError, match="no checkpoint of this study"):
        run_classifier_study(config, folder, only=["other"])
    with pytest.raises(ValidationError, match="is not one of the models"):
        ClassifierStudyConfig(data="nowhere", models=("a",), seq2seq_models=("b",))
    (tmp_path / "bad.json").write_text('{"judged": [], "said": []}')
    with pytest.raises(DataError, match="no results file of classifiers"):
        read_classifiers(tmp_path / "bad.json")


def test_a_file_whose_rows_do_not_fit_is_refused(studied: tuple[ClassifierStudyConfig, Path]) -> None:
    config, folder = studied
    results = run_classifier_study(config, folder)
    assert results is not None
    whole = results.model_dump()
    whole["said"][0]["mask_filling"] = (0.5,)
    with pytest.raises(ValidationError, match="1 rows were judged"):
        ClassifierResults.model_validate(whole)
