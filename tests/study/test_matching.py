"""The study of matching from configuration to results file, on a tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mto.cli.app import app
from mto.errors import DataError, RunError
from mto.match.decision import Sums
from mto.match.decision.shipped import ShippedWeights
from mto.match.decision.task_type import TypeCases
from mto.report import read_results
from mto.study.matching.calibration import reliability
from mto.study.matching.config import MatchingStudyConfig
from mto.study.matching.page import PAGE
from mto.study.matching.regret import judge_rule, noise_floor
from mto.study.matching.results import MatchingResults, read_matching
from mto.study.matching.rules import all_rules, chosen, decisions, fit_all, type_accuracy, untuned
from mto.study.matching.stages import choose_settings, run_study
from tests.pipeline.small import save_tiny

TASKS = ("household/ObjectUse", "household/xWant", "household/xAttr", "household/xNeed")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[MatchingStudyConfig, Path, MatchingResults]:
    folder = tmp_path_factory.mktemp("study")
    model = str(save_tiny(folder / "tiny"))
    config = MatchingStudyConfig(
        tasks=TASKS, models=(model,), families=("prompting", "masked-prompting"), shots=4, seeds=2, max_test=6,
        sweep_tasks=TASKS[:1], rates=(1e-3, 3e-3), ladder=(0, 1, 2), tuned_shots=2, probe_steps=6, probe_seeds=1, workers=1,
    )  # fmt: skip
    results = run_study(config, folder / "study")
    assert results is not None
    return config, folder / "study", results


def test_the_file_holds_every_score_and_every_signal(
    study: tuple[MatchingStudyConfig, Path, MatchingResults],
) -> None:
    _, folder, results = study
    assert len(results.cells) == 4 * 2 * 2 and len(results.signals) == 4 * 2
    assert all(len(c.scores) == 6 and c.dev_nats is not None for c in results.cells)
    assert {s.probe is not None for s in results.signals if s.seed == 0} == {True}
    assert {s.probe for s in results.signals if s.seed == 1} == {None}
    assert all(f.tuned_bits is not None for s in results.signals for f in s.evidence.families)
    assert read_matching(folder / "results.json") == results
    assert "/" not in results.command.split()[0]


def test_a_second_call_computes_nothing(study: tuple[MatchingStudyConfig, Path, MatchingResults]) -> None:
    config, folder, results = study
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("steps/**/*.json")}
    again = run_study(config, folder)
    assert again is not None and again.cells == results.cells and again.signals == results.signals
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("steps/**/*.json")} == before
    with pytest.raises(RunError, match="another configuration"):
        run_study(config.model_copy(update={"shots": 5}), folder)
    with pytest.raises(DataError, match="no checkpoint of this study"):
        run_study(config, folder, only=["other"])


def test_settings_come_from_points_that_all_sweeps_have(
    study: tuple[MatchingStudyConfig, Path, MatchingResults],
) -> None:
    config, folder, results = study
    swept = read_results(next((folder / "sweep").iterdir()))
    for one in choose_settings(swept, config.models[0]):
        points = {(p.rate, p.steps) for s in swept.sweeps if s.family == one.family for p in s.points}
        assert (one.rate, one.steps) in points and one in results.settings


def test_every_rule_can_be_judged(study: tuple[MatchingStudyConfig, Path, MatchingResults]) -> None:
    results = study[2]
    outcomes, rules = results.outcomes(), all_rules(results)
    assert {
        "always prompting",
        "decision, as asked by default",
        "reported rule (MI >= 0.30)",
        "lean of guidelines",
    } <= set(rules)
    judged = {name: judge_rule(name, outcomes, choices) for name, choices in rules.items()}
    assert all(rule.regret.value >= 0 for rule in judged.values())
    # Two families: what one fixed rule gets right the other gets wrong, ties aside.
    fixed = judged["always prompting"].best.value + judged["always masked-prompting"].best.value
    assert fixed >= 1.0
    assert noise_floor(outcomes).tasks == 4
    assert set(type_accuracy(results)) >= {
        "all together, as asked by default",
        "all together, with tuned DepthRank",
        "guidelines",
        "classifier",
        "tuned depthrank",
    }


def test_the_decision_is_judged_by_weights_that_did_not_see_the_relation(
    study: tuple[MatchingStudyConfig, Path, MatchingResults],
) -> None:
    results = study[2]
    before = decisions(results)
    spoiled = [
        c.model_copy(update={"scores": tuple(np.flip(np.asarray(c.scores)).tolist())})
        if c.task == TASKS[0]
        else c
        for c in results.cells
    ]
    # Its own scores may change as they like: the choices for that relation stay.
    other = results.model_copy(
        update={
            "cells": tuple(
                c.model_copy(update={"scores": tuple(100 - s for s in c.scores)}) if c.task == TASKS[0] else c
                for c in spoiled
            )
        }
    )
    after = decisions(other)
    assert {k: v for k, v in after.items() if k[0] == "ObjectUse"} == {
        k: v for k, v in before.items() if k[0] == "ObjectUse"
    }
    shipped = fit_all(results)
    assert isinstance(shipped.family, Sums) and "4 relations" in shipped.family.made_from
    assert isinstance(shipped.type, TypeCases)
    assert {c.group for c in shipped.type.cases} == {g.group for g in shipped.family.groups}
    assert ShippedWeights.model_validate_json(shipped.model_dump_json()) == shipped


def test_reliability_counts_every_choice_once_and_says_what_came_of_it(
    study: tuple[MatchingStudyConfig, Path, MatchingResults],
) -> None:
    results = study[2]
    made = untuned(results)
    rows = {row.title: row for row in reliability(results, made)}
    ranges = [row for title, row in rows.items() if title.endswith("%")]
    kinds = [rows[title] for title in ("too close to call", "clear") if title in rows]
    assert sum(r.choices for r in ranges) == sum(r.choices for r in kinds) == len(results.signals)
    judged = judge_rule("decision", results.outcomes(), chosen(made))
    assert sum(r.choices * r.regret for r in kinds) / len(results.signals) == pytest.approx(
        judged.regret.value, abs=1e-3
    )
    assert sum(r.choices * r.held for r in kinds) / len(results.signals) >= judged.best.value - 1e-4
    sure = {key: d.model_copy(update={"confidence": 1.0, "close": (d.family,)}) for key, d in made.items()}
    told = {row.title: row for row in reliability(results, sure)}
    assert set(told) == {"85 to 100 %", "clear"} and told["clear"].said == 1.0


def test_a_file_that_is_not_whole_is_refused(
    study: tuple[MatchingStudyConfig, Path, MatchingResults], tmp_path: Path
) -> None:
    results = study[2]
    results.model_copy(update={"cells": results.cells[1:]}).write(tmp_path / "part.json")
    with pytest.raises(DataError, match="1 cells are missing"):
        read_matching(tmp_path / "part.json")
    results.model_copy(update={"signals": results.signals[1:]}).write(tmp_path / "part.json")
    with pytest.raises(DataError, match="signals are missing"):
        read_matching(tmp_path / "part.json")


def test_the_page_can_be_made_again(
    study: tuple[MatchingStudyConfig, Path, MatchingResults], tmp_path: Path
) -> None:
    results = study[2]
    results.write(tmp_path / "data" / "matching.json")
    (tmp_path / "remarks.md").write_text("What we think.\n")
    page = PAGE.write(
        tmp_path / "page.md",
        tmp_path / "data" / "matching.json",
        "Matching -->",
        remarks=tmp_path / "remarks.md",
    )
    text = page.read_text()
    assert text.splitlines()[0].count("-->") == 1 and "What we think." in text
    assert PAGE.remake(page) == text
    for said in (
        "## Families by checkpoints",
        "decision, as asked by default",
        "noise floor",
        "all together",
        "ObjectUse",
    ):
        assert said in text
    told = CliRunner().invoke(
        app, ["report", str(tmp_path / "data" / "matching.json"), "--page", str(tmp_path / "again.md")]
    )
    assert told.exit_code == 0 and (tmp_path / "again.md").read_text().startswith("<!-- mto study page ")
    results.model_copy(update={"hours": 99.0}).write(tmp_path / "data" / "matching.json")
    assert PAGE.remake(page) != text
    with pytest.raises(DataError, match="was not made by"):
        PAGE.remake(tmp_path / "remarks.md")


def test_weights_of_a_study_serve_matching(
    study: tuple[MatchingStudyConfig, Path, MatchingResults], tmp_path: Path
) -> None:
    config, folder, results = study
    (tmp_path / "study.yaml").write_text(json.dumps(config.model_dump(mode="json")))
    made = CliRunner().invoke(
        app,
        [
            "study",
            str(tmp_path / "study.yaml"),
            "--out",
            str(folder),
            "--weights",
            str(tmp_path / "w.json"),
            "-q",
        ],
    )
    assert made.exit_code == 0, made.output
    assert ShippedWeights.model_validate_json((tmp_path / "w.json").read_text()) == fit_all(results)
    words = ["match", "household/xAttr", "-m", config.models[0], "--shots", "4", "--json", "-q"]
    told = CliRunner().invoke(app, [*words, "--weights", str(tmp_path / "w.json")])
    assert told.exit_code == 0, told.output
    own = json.loads(told.stdout)["models"][0]["family"]
    package = json.loads(CliRunner().invoke(app, words).stdout)["models"][0]["family"]
    assert own["forecasts"] != package["forecasts"]
    (tmp_path / "w.json").write_text("{}")
    wrong = CliRunner().invoke(app, [*words, "--weights", str(tmp_path / "w.json")])
    assert wrong.exit_code == 2 and "w.json" in wrong.output
