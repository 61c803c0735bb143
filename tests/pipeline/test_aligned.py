"""Matching names the aligned family of a run, before anything is tuned; where it cannot, dev data do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mto.errors import ConfigError, DataError
from mto.match import read_match
from mto.pipeline import compare, load, plan, read_compare_config
from mto.report import read_results
from tests.pipeline.small import SETTINGS, lasting, rows
from tests.pipeline.test_compare import Told

MATCHED = {**SETTINGS, "families": None, "choose": "match", "matching": {"signals": ["depthrank"]}}
"""The default way, with the one signal that a tiny checkpoint can give at no cost."""


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, task_file: Path) -> Path:
    path = tmp_path_factory.mktemp("matched") / "run"
    compare(str(task_file), model=str(tiny_dir), out=path, workers=1, **MATCHED)
    return path


def test_the_chosen_family_stands_beside_the_conventional_one_and_prompting(matched: Path) -> None:
    comparison = read_results(matched)
    named = {seed: read_match(matched / "match" / "tools-Use" / f"seed-{seed}.json") for seed in (0, 1)}
    families = [family.name for family in comparison.families]
    assert set(families) == {"mapping", "prompting", *(match.family for match in named.values())}
    assert [(c.seed, c.family, c.by) for c in comparison.choices] == [
        (seed, match.family, "match") for seed, match in named.items()
    ]
    assert comparison.missing == ()
    assert [(m.seed, m.family, len(m.forecasts)) for m in comparison.matches] == [
        (seed, match.family, 4) for seed, match in named.items()
    ]
    assert load(matched).model().family.name == named[0].family


def test_matching_reads_labelled_rows_alone(
    matched: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    for file in task_file.parent.iterdir():
        text = file.read_text()
        # Other test answers; all else stays.
        (folder / file.name).write_text(
            text.replace("clean ", "paint ").replace("wash ", "sell ") if file.name == "test.csv" else text
        )
    compare(str(folder / "tools.yaml"), model=str(tiny_dir), out=tmp_path / "run", workers=1, **MATCHED)
    for seed in (0, 1):
        name = f"match/tools-Use/seed-{seed}.json"
        one, other = (json.loads((path / name).read_text()) for path in (matched, tmp_path / "run"))
        assert {k: v for k, v in one.items() if k != "seconds"} == {
            k: v for k, v in other.items() if k != "seconds"
        }


def test_a_report_says_what_was_expected(matched: Path) -> None:
    report = (matched / "report.md").read_text()
    assert "## What matching expected" in report and "Template family: " in report
    assert "the family that matching chose" in report and "that dev data chose;" not in report
    assert "What matching expected" in (matched / "report.html").read_text()


def test_a_finished_run_is_not_matched_again(matched: Path, tiny_dir: Path, task_file: Path) -> None:
    told = Told()
    before = lasting(matched)
    run = compare(str(task_file), model=str(tiny_dir), out=matched, workers=1, progress=told, **MATCHED)
    assert not run.worked and "matching" not in told.events and lasting(matched) == before


def test_an_interrupted_run_keeps_its_matches(
    matched: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    class Stops(Told):
        def on_status(self, status):  # type: ignore[no-untyped-def]
            if status.done:
                raise KeyboardInterrupt

    with pytest.raises(BaseException, match="cells are done"):
        compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, progress=Stops(), **MATCHED)
    told = Told()
    compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, progress=told, **MATCHED)
    assert "matching" not in told.events
    ours, theirs = (json.loads(lasting(path)) for path in (tmp_path, matched))
    assert ours == theirs


def test_named_families_all_take_part(tiny_dir: Path, task_file: Path, tmp_path: Path) -> None:
    settings = {**MATCHED, "families": ("mapping", "masked-mapping"), "seeds": 1}
    run = compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **settings)
    assert [family.name for family in run.comparison.families] == ["mapping", "masked-mapping"]
    assert {f.family for f in run.comparison.matches[0].forecasts} == {"mapping", "masked-mapping"}
    assert run.comparison.choices[0].by == "match"


def test_a_plan_matches_nothing(tiny_dir: Path, task_file: Path, tmp_path: Path) -> None:
    told = Told()
    planned = plan(str(task_file), model=str(tiny_dir), out=tmp_path / "run", progress=told, **MATCHED)
    assert "matching" not in told.events
    assert planned.families == ("mapping", "prompting", "masked-prompting") and planned.cells == 6
    assert planned.stands_for == "masked-prompting"


def test_without_test_data_dev_chooses(tiny_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "tools.csv").write_text(rows(0, 9))
    settings = {**MATCHED, "shots": None, "folds": 3, "seeds": 1, "phrase": "the {{ head }} is used to"}
    run = compare(tmp_path / "tools.csv", model=str(tiny_dir), out=tmp_path / "run", workers=1, **settings)
    assert len(run.comparison.families) == 4 and run.comparison.matches == ()
    assert [choice.by for choice in run.comparison.choices] == ["dev"]


def test_what_cannot_be_matched_is_left_to_dev(
    tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mto.match import rows as matching

    real = matching.match_rows

    def sometimes(*args, **kwargs):  # type: ignore[no-untyped-def]
        if kwargs["data_seed"] == 1:
            raise DataError("a target without tokens")
        return real(*args, **kwargs)

    monkeypatch.setattr("mto.match.rows.match_rows", sometimes)
    told = Told()
    run = compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, progress=told, **MATCHED)
    assert "no-match" in told.events
    assert [choice.by for choice in run.comparison.choices] == ["match", "dev"]
    assert len(run.comparison.families) == 4


def test_families_are_given_once() -> None:
    with pytest.raises(ConfigError, match="given once"):
        read_compare_config(None, (), tasks=["household/ObjectUse"], matching={"families": ["mapping"]})
