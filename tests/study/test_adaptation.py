"""The study of adaptation from configuration to page, on a tiny checkpoint; its figures by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mto.cli.app import app
from mto.config import parse
from mto.errors import ConfigError, DataError
from mto.study.adaptation import figures
from mto.study.adaptation.config import NONE, AdaptationStudyConfig, Arm
from mto.study.adaptation.page import PAGE
from mto.study.adaptation.plan import matched, tasks_of
from mto.study.adaptation.results import AdaptationResults, read_adaptation
from mto.study.adaptation.stages import run_adaptation_study
from mto.study.config import read_study_config
from mto.study.matching.config import MatchingStudyConfig
from mto.study.matching.stages import run_study
from mto.study.pages import page_of
from tests.conftest import ROOT
from tests.pipeline.small import save_tiny
from tests.prepare.text import write_text

TASKS = ("household/ObjectUse", "household/xWant")
OTHERS = ("household/xAttr", "household/xNeed")  # a decision is fitted on three relations or more
FAMILIES = ("mapping", "prompting", "masked-prompting")
SHARED = {
    "shots": 4,
    "seeds": 2,
    "max_test": 6,
    "sweep_tasks": TASKS[:1],
    "rates": (1e-3,),
    "ladder": (0, 1),
    "workers": 1,
}
Studied = tuple[AdaptationStudyConfig, Path, AdaptationResults]


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    folder = tmp_path_factory.mktemp("adaptation")
    model = str(save_tiny(folder / "tiny"))
    before = MatchingStudyConfig(
        tasks=(*TASKS, *OTHERS), models=(model,), families=FAMILIES, tuned_shots=2, probe_steps=0, **SHARED
    )
    assert run_study(before, folder / "matching") is not None
    text = str(write_text(folder / "text.txt"))
    config = AdaptationStudyConfig(
        matching=str(folder / "matching" / "results.json"), model=model, tasks=TASKS, matrix=TASKS[:1], families=FAMILIES,
        pairs={"all": (text,), "again": (text,)},
        prepare={"select": {"per_task": 20, "held_out": 5}, "maker": "tests.prepare.fake:KIND", "workers": 1, "shots": 4},
        arms=(
            Arm(name="denoising", objective="denoising", everywhere=True),
            Arm(name="lm", objective="lm", everywhere=True),
            Arm(name="general", objective="lm", set="general"),
            Arm(name="again-lm", objective="lm", pairs="again", families=("prompting",)),
        ),
        adapt={"epochs": 1, "max_tokens": 64, "batch_tokens": 256}, **SHARED,
    )  # fmt: skip
    assert run_adaptation_study(config, folder / "study", only=("lm",)) is None
    results = run_adaptation_study(config, folder / "study")
    assert results is not None
    return config, folder / "study", results


def test_every_arm_meets_its_families_and_tasks(studied: Studied) -> None:
    config, folder, results = studied
    assert read_adaptation(folder / "results.json") == results
    matrix, other = TASKS
    for family in FAMILIES:
        assert results.scores(matrix, "general", family) is not None
        assert results.scores(other, "general", family) is None
        assert results.scores(other, NONE, family) is not None
    assert results.scores(matrix, "again-lm", "mapping") is None
    assert results.has_aligned("lm") and not results.has_aligned("general")
    assert {len(set(cell.scores)) > 0 and len(cell.scores) for cell in results.cells} == {6}
    lm = results.arms[1]
    assert lm.counts["trained"] > 0 and lm.before.keys() == lm.after.keys() and lm.revision
    assert [one.pairs for one in results.prepared[0].tasks] == [
        one.pairs for one in results.prepared[1].tasks
    ]
    assert tasks_of(config, matched(config), config.arm("general"), "mapping") == (matrix,)


def test_a_second_call_computes_nothing(studied: Studied) -> None:
    config, folder, results = studied
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("steps/**/*.json")}
    again = run_adaptation_study(config, folder)
    assert again is not None and again.cells == results.cells
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("steps/**/*.json")} == before


def test_the_whole_way_takes_family_and_objective_of_each_seed(studied: Studied) -> None:
    _, _, results = studied
    for task in TASKS:
        for number, seed in enumerate(results.seeds):
            made = results.decision(task, seed)
            scores = results.scores(task, made.objective, made.family)
            assert scores is not None
            assert np.array_equal(results.whole_way(task)[number], scores[number])
    titles = [way.title for way in figures.ways(results)]
    assert titles[0].startswith("conventional") and titles[-1].startswith("the whole way")
    assert len(titles) == 7 and "the objective of matching, and the family that looks like it" in titles
    for task in TASKS:
        made = results.decision(task, results.seeds[1])
        family = {"denoising": "masked-prompting", "lm": "prompting"}[made.objective]
        scores, agreeing = results.scores(task, made.objective, family), results.agreeing_way(task)
        assert scores is not None and agreeing is not None and np.array_equal(agreeing[1], scores[1])
    rules = figures.objective_rules(results)
    assert rules[-1].name == "noise floor"
    assert {"the objective of matching", "no adaptation", "always lm", "always denoising"} <= {
        r.name for r in rules
    }
    assert min(rule.regret.value for rule in rules[:-1]) >= 0


def test_agreement_by_hand(studied: Studied) -> None:
    _, _, results = studied
    cells = []
    for cell in results.cells:
        worth = {("denoising", "masked-prompting"): 30.0, ("lm", "prompting"): 40.0}.get(
            (cell.arm, cell.family), 25.0
        )
        cells.append(cell.model_copy(update={"scores": (worth,) * 6}))
    made = results.model_copy(update={"cells": tuple(cells)})
    found = figures.interaction(made, TASKS[:1])
    assert found is not None and found[0] == pytest.approx((30 - 25) - (25 - 40))
    assert figures.interaction(made, TASKS) is None or len(TASKS) == 2


def test_heads_are_met_where_a_pair_holds_them(studied: Studied) -> None:
    _, _, results = studied
    for task in TASKS:
        met, unmet = (
            figures.met_heads(results, "all", met=flag).get(task, np.array([])) for flag in (True, False)
        )
        assert sorted([*met.tolist(), *unmet.tolist()]) == list(range(6))


def test_the_page_can_be_made_again(studied: Studied, tmp_path: Path) -> None:
    _, folder, _ = studied
    file = folder / "results.json"
    page = PAGE.write(tmp_path / "page.md", file, "A title")
    text = page.read_text(encoding="utf-8")
    assert PAGE.remake(page) == text and page_of(file) is PAGE
    for said in (
        "## The whole way",
        "| general (lm; control)",
        "Was the objective well chosen?",
        "again",
        "heads that stand in none",
    ):
        assert said in text or said.capitalize() in text, said


def test_bad_input(studied: Studied, tmp_path: Path) -> None:
    config, folder, results = studied
    with pytest.raises(DataError, match="no arm"):
        run_adaptation_study(config, tmp_path / "new", only=("nothing",))
    with pytest.raises(DataError, match="another 'shots'"):
        run_adaptation_study(config.model_copy(update={"shots": 5}), tmp_path / "new")
    with pytest.raises(DataError, match="no task"):
        matched(config.model_copy(update={"tasks": (*TASKS, "household/isAfter")}))
    told = config.model_dump(mode="json")
    for wrong in ({"pairs": {}}, {"arms": [{"name": "none", "objective": "lm"}]}, {"matrix": ["x/y"]},
                  {"arms": [{"name": "a", "objective": "lm", "pairs": "b"}]},
                  {"arms": [{"name": "a", "objective": "lm", "families": ["zzz"]}]}):  # fmt: skip
        with pytest.raises(ConfigError):
            parse(AdaptationStudyConfig, told | wrong, source="test")
    broken = results.model_dump(mode="json")
    broken["cells"] = broken["cells"][1:]
    (tmp_path / "broken.json").write_text(__import__("json").dumps(broken))
    with pytest.raises(DataError, match="seeds of"):
        read_adaptation(tmp_path / "broken.json")
    assert (folder / "results.json").exists()


def test_the_command_refuses_what_is_no_arm(tmp_path: Path) -> None:
    config = read_study_config(ROOT / "configs/studies/adaptation.yaml")
    assert isinstance(config, AdaptationStudyConfig) and len(config.matrix) == 9 and len(config.tasks) == 17
    given = [
        "study",
        str(ROOT / "configs/studies/adaptation.yaml"),
        "--only",
        "nothing",
        "--out",
        str(tmp_path / "s"),
    ]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2 and "no arm" in result.output
