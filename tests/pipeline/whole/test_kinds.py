"""The whole way for tasks of other kinds than completion: the same stages, with the metric and the families of the kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mto.errors import DataError
from mto.pipeline.inputs import describe_task
from mto.pipeline.whole import run_whole
from mto.pipeline.whole.aligned import base_families, beside, family_for
from mto.pipeline.whole.config import WholeConfig
from mto.pipeline.whole.running import whole_config
from mto.report.whole.markdown import render_whole_markdown
from mto.tasks import Kind, load_task
from tests.pipeline.test_kinds import write_task
from tests.pipeline.whole.small import SETTINGS, write_text

ALIGNED = {
    "multiple-choice": ("masked-answer-prompting", "answer-prompting"),
    "classification": ("masked-prompting", "prompting"),
    "text-to-text": ("masked-mapping", "mapping"),  # the small task has no phrase
}
FORCED = {"multiple-choice": "lm", "classification": "denoising"}


def asked(folder: Path, kind: str, **changes: Any) -> dict[str, Any]:
    """Settings of a small run; the objective is given, so that matching and dev data have no say."""
    settings = {**SETTINGS, "seeds": 1, "choose": "dev", "controls": [], "max_test": 4}
    settings["tune"] = {"rates": [1e-3], "ladder": [0, 1], "extend": False}
    settings["adapt"] = {**settings["adapt"], "epochs": 1, "objective": FORCED.get(kind, "auto")}
    return {
        "tasks": [str(write_task(folder, kind))],
        "corpus": write_text(folder / "text"),
        **settings,
        **changes,
    }


@pytest.mark.parametrize("kind", list(ALIGNED))
def test_a_kind_goes_the_whole_way(
    kind: str, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("plots", "expected"):
        monkeypatch.setattr(f"mto.report.{room}.draw", lambda *_, **__: "<svg></svg>")
    given = asked(tmp_path, kind, model=str(tiny_dir))
    run = run_whole(given.pop("tasks"), out=tmp_path / "run", **given)
    found = run.results
    ranked = kind != "text-to-text"
    assert found.metric == ("rank_sum" if ranked else "rouge_l") and found.tasks[0].kind == kind
    assert {"conventional", "aligned", "adapted"} <= set(found.systems)
    [aligned] = found.aligned
    masked, natural = ALIGNED[kind]
    assert aligned.family == {"denoising": masked, "lm": natural}.get(FORCED.get(kind, ""), aligned.family)
    cells = [cell for cell in found.cells if cell.stage == "tuned"]
    assert {cell.system for cell in cells} == set(found.systems)
    if ranked:
        assert all(set(cell.scores["rank_sum"]) <= {0.0, 100.0} for cell in cells)
    assert found.prepared.notes and found.pairs[f"own-{kind}"] > 0
    text = render_whole_markdown(found)
    assert ("for multiple choice this is AnswerPrompting" in text) == (kind == "multiple-choice")
    assert ("Ranked: the likeliest option" in text) == ranked


@pytest.mark.parametrize("kind", list(ALIGNED))
def test_the_families_of_a_kind(kind: Kind, tmp_path: Path) -> None:
    config = WholeConfig(tasks=(str(write_task(tmp_path, kind)),), corpus=("text.txt",), choose="dev")
    task = describe_task(load_task(config.tasks[0]), config)
    masked, natural = ALIGNED[kind]
    assert (family_for("denoising", task), family_for("lm", task)) == (masked, natural)
    names = base_families(config, {task.name: task}, None)
    assert set(names) == {"mapping", "masked-mapping", masked, natural}
    assert beside(kind, phrased=False)[0] == "mapping"


def test_what_is_usual_for_the_kind_is_filled_in(tmp_path: Path) -> None:
    ref = str(write_task(tmp_path, "multiple-choice"))
    config = whole_config(ref, "text.txt", {"families": "all"})
    assert (config.metric, config.max_test) == ("rank_sum", 500)
    assert config.families and "choice-prompting" in config.families and "prompting" not in config.families
    with pytest.raises(DataError, match="tasks of several kinds"):
        whole_config([ref, "household/xWant"], "text.txt", {})
