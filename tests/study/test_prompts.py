"""The study of soft prompts from configuration to page, on a tiny checkpoint and made-up relations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from mto.cli.app import app
from mto.errors import DataError, RunError
from mto.study.chosen import Chosen
from mto.study.config import read_study_config
from mto.study.pages import page_of
from mto.study.prompts import stages
from mto.study.prompts.advice import advice
from mto.study.prompts.cells import choose_settings
from mto.study.prompts.config import PromptStudyConfig
from mto.study.prompts.judged import (
    adapted,
    aligned,
    behind,
    family_gain,
    notes,
    rules,
    sides,
    whole_way_gain,
)
from mto.study.prompts.page import PAGE
from mto.study.prompts.results import Arm, PromptResults, Scored, Settings, Swept, read_prompts
from mto.study.prompts.stages import run_prompt_study
from mto.tasks import Task, task_from_rows
from mto.templates import SOFT
from tests.conftest import ROOT
from tests.pipeline.small import THINGS, USES, save_tiny


def a_task(name: str, data: str | None = None) -> Task:
    rows = [
        {"head": thing.replace("_", " "), "tail": f"{USES[n % 4]} food"} for n, thing in enumerate(THINGS)
    ]
    parts = {"train": rows[:12], "test": rows[12:16]}
    return task_from_rows(parts, name=name, relation=name, phrases=["The {{ head }} is used to"])


@pytest.fixture
def studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[PromptStudyConfig, Path]:
    monkeypatch.setattr(stages, "load_task", a_task)
    quick = stages.MatchConfig
    monkeypatch.setattr(stages, "MatchConfig", lambda **given: quick(**{**given, "signals": ("depthrank",)}))
    config = PromptStudyConfig(
        models=(str(save_tiny(tmp_path / "one")), str(save_tiny(tmp_path / "two", seed=1))),
        tasks=("A", "B"), sweep_tasks=("A",), families=("pt", "pre-pt", "masked-pre-pt", "masked-post-pt"), vectors=2,
        encoders=("embedding", "mlp"), encoder="embedding", shots=4, seeds=(0, 1), max_test=4, rates=(0.1, 0.3), ladder=(1, 2),
        beside=("finetune",), beside_ladder=(1,), few=(2, 4), few_families=("post-pt",), few_seeds=(0,),
    )  # fmt: skip
    return config, tmp_path / "study"


def test_from_cells_to_results(studied: tuple[PromptStudyConfig, Path]) -> None:
    config, folder = studied
    one, two = config.models
    with pytest.raises(DataError, match="first"):  # the second waits for the best encoder
        run_prompt_study(config, folder, only=[two])
    assert run_prompt_study(config, folder, only=[one]) is None
    with pytest.raises(DataError, match="not finished"):
        stages._Study(config, stages.RunFolder(folder), None).collect()
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("steps/cells/**/*.json")}
    results = run_prompt_study(config, folder)
    assert results is not None and before.items() <= {
        p: p.stat().st_mtime_ns for p in folder.rglob("steps/cells/**/*.json")
    }.items()  # fmt: skip
    assert read_prompts(folder / "results.json") == results
    assert len(results.cells("encoders")) == 2 * 4 * 1 * 2
    assert len(results.cells("shots")) == 1 * 2 * 2 * 1 * 1
    encoders = {results.best_encoder, "embedding"}
    assert len(results.cells("tasks", method="prompt")) == 2 * len(encoders) * 4 * 2 * 2
    assert len(results.cells("tasks", method="finetune")) == 2 * 2 * 2
    assert {c.trained for c in results.cells("tasks", method="finetune")} == {None}
    assert all(c.kept == 2 * 32 for c in results.cells("tasks", method="prompt"))
    for cell in results.cells("tasks", method="finetune"):
        assert cell.family == results.choice(cell.model, cell.task, cell.seed).family
    assert len(results.chosen) == 2 * 2 * 2 and len(results.settings) == len(
        {s.model_dump_json() for s in results.settings}
    )


def test_settings_are_the_best_mean_rank_over_tasks() -> None:
    arm = Arm(model="m", method="prompt", family="pt", encoder="mlp")
    tables = [
        [[0.1, 5, 1.0, 10.0], [0.3, 5, 0.9, 30.0]],
        [[0.1, 5, 1.0, 10.0], [0.3, 5, 0.7, 12.0], [0.3, 9, 0.1, 99.0]],
    ]
    settings, nats = choose_settings(arm, tables)
    assert (settings.rate, settings.steps, nats) == (0.3, 5, pytest.approx(0.8))


def made_up(**means: float) -> PromptResults:
    """Results whose scores are these means and a little noise, the same for all arms."""
    rng = np.random.default_rng(0)
    noise = {(t, s): rng.normal(0, 3, 12) for t in "AB" for s in (0, 1)}
    tuned, settings = [], []

    def add(
        part: Any, method: Any, family: str, encoder: str, mean: float, shots: int = 30, rate: float = 0.1
    ) -> None:
        arm = {"model": "mini", "method": method, "family": family, "encoder": encoder}
        if part != "shots":
            settings.append(Settings(**arm, rate=rate, steps=50))
        for (task, seed), values in noise.items():
            tuned.append(
                Scored(
                    **arm, part=part, task=task, seed=seed, shots=shots, rate=rate, steps=50,
                    scores=tuple(np.clip(mean + values, 0, 100)), dev_nats=1 - mean / 100, dev_metric=mean,
                    trained=None if method == "finetune" else 100, kept=2680 if method == "finetune" else 77, seconds=2.0,
                )
            )  # fmt: skip

    for n, family in enumerate(SOFT):
        for encoder, more in (("embedding", 0), ("mlp", means["mlp"]), ("residual-mlp", 1)):
            add("encoders", "prompt", family, encoder, 20 + n + more)
        add(
            "tasks",
            "prompt",
            family,
            "residual-mlp",
            20 + (means["aligned"] if family == "masked-pre-pt" else 0),
        )
    add("tasks", "finetune", "masked-prompting", "", 25)
    add("tasks", "lora", "masked-prompting", "", 24)
    for family, mask in (("post-pt", 0.0), ("masked-post-pt", means["mask"])):
        for shots in (5, 100):
            for rate, high in ((0.1, 0.0), (0.3, means["high"] if shots == 5 else 0.0)):
                add("shots", "prompt", family, "residual-mlp", 15 + mask + high, shots, rate)
    unique = {s.model_dump_json(): s for s in settings}
    config = PromptStudyConfig(
        models=("mini",),
        tasks=("A", "B"),
        sweep_tasks=("A", "B"),
        seeds=2,
        encoders=("embedding", "mlp", "residual-mlp"),
    )
    return PromptResults(
        title="T", command="mto study", config=config.fixed(), metric="rouge_l", best_encoder="residual-mlp",
        environment={"cores": 2, "cpu": "x", "commit": "c"}, revisions={"mini": "abc"},
        objectives={"mini": {"denoising": 0.5, "lm": 0.5}}, tuned=tuple(tuned), settings=tuple(unique.values()),
        swept=(Swept(model="mini", method="prompt", family="pt", encoder="mlp", task="A", points=((0.1, 50, 1.0, 20.0),)),),
        chosen=tuple(
            Chosen(model="mini", task=t, seed=s, family="masked-prompting", soft="masked-pre-pt") for t in "AB" for s in (0, 1)
        ),
    )  # fmt: skip


def test_what_is_judged_by_hand() -> None:
    results = made_up(mlp=-2, aligned=4, mask=3, high=2)
    assert len(aligned(results, "mini", "residual-mlp")) == 4
    gain = family_gain(results, "mini", "residual-mlp")
    assert gain is not None and gain.difference.mean == pytest.approx(4, abs=0.1)
    soft, full, lora = sides(results, "mini")
    assert (soft.name, full.name, lora.name) == ("soft prompt (residual-mlp)", "fine-tuning", "LoRA")
    assert behind(soft, full).difference.mean == pytest.approx(-1, abs=0.1)
    assert any(line.endswith("always masked-pre-pt 0.00: too close to call.") for line in advice(results))
    found = {rule.name: rule for rule in rules(results, "residual-mlp")}
    assert found["--family auto"].regret.value == found["always masked-pre-pt"].regret.value == 0
    assert found["always pt"].regret.value == pytest.approx(4, abs=0.1)
    verdicts = {note.claim: note.verdict for note in notes(results)}
    assert verdicts == {
        "fewer examples want a higher rate": "confirmed here",
        "the masked form wins with few examples": "confirmed here",
        "MLP beats embedding": "refuted here",
    }
    none = made_up(mlp=0, aligned=0, mask=0, high=0)
    assert {note.verdict for note in notes(none)} == {"open: the interval holds 0"}


def with_adapted(results: PromptResults, more: float) -> PromptResults:
    """The same with an adapted checkpoint whose cells score so many points more."""
    name = "runs/mini-adapted"
    others = tuple(
        c.model_copy(update={"model": name, "scores": tuple(score + more for score in c.scores)})
        for c in results.cells("tasks")
    )
    return results.model_copy(
        update={
            "revisions": {**results.revisions, name: "def"},
            "objectives": {**results.objectives, name: results.objectives["mini"]},
            "tuned": (*results.tuned, *others),
            "chosen": (*results.chosen, *(c.model_copy(update={"model": name}) for c in results.chosen)),
        }
    )


def test_the_whole_way_is_held_against_plain_prompt_tuning_of_the_checkpoint_as_it_is(tmp_path: Path) -> None:
    plain = made_up(mlp=-2, aligned=4, mask=3, high=2)
    assert adapted(plain) == ()
    results = with_adapted(plain, 5)
    (model,) = adapted(results)
    found = whole_way_gain(results, model, "residual-mlp")
    assert found is not None and found.difference.mean == pytest.approx(9, abs=0.1)
    page = PAGE.write(tmp_path / "page.md", results.write(tmp_path / "results.json"), "T").read_text()
    assert "The whole way, mini-adapted with the aligned family, against PT on mini as it is: +9.0 [" in page
    assert "whole way" not in PAGE.write(tmp_path / "p.md", plain.write(tmp_path / "r.json"), "T").read_text()


def test_a_page_is_made_again_from_its_results_file(tmp_path: Path) -> None:
    file = made_up(mlp=-2, aligned=4, mask=3, high=2).write(tmp_path / "results.json")
    page = PAGE.write(tmp_path / "page.md", file, "A title")
    text = page.read_text()
    assert PAGE.remake(page) == text and page_of(file) is PAGE
    for said in (
        "use it",
        "fine-tune where the score counts",
        "“MLP beats embedding”: refuted here",
        "gain over PT",
        "kept a task, kB",
    ):
        assert said in text
    told = CliRunner().invoke(
        app, ["report", str(file), "--page", str(tmp_path / "again.md"), "--title", "A title"]
    )
    assert told.exit_code == 0 and (tmp_path / "again.md").read_text() == text


def test_bad_input(tmp_path: Path) -> None:
    config = PromptStudyConfig(models=("mini",), tasks=("household/xWant",), sweep_tasks=("household/xWant",))
    with pytest.raises(DataError, match="no checkpoint of this study"):
        run_prompt_study(config, tmp_path / "study", only=["other"])
    (tmp_path / "bad.json").write_text('{"best_encoder": "mlp", "tuned": []}')
    with pytest.raises(DataError, match="no results file of soft prompts"):
        read_prompts(tmp_path / "bad.json")
    shipped = read_study_config(
        ROOT / "configs" / "studies" / "prompt_tuning.yaml", ("adapted=runs/adapted",)
    )
    assert isinstance(shipped, PromptStudyConfig) and shipped.checkpoints[-1] == "runs/adapted"
    assert shipped.fixed() == shipped.model_copy(update={"adapted": None}).fixed()  # it may join later


def test_a_study_grows_without_doing_a_cell_twice(studied: tuple[PromptStudyConfig, Path]) -> None:
    config, folder = studied
    one = config.models[0]
    small = config.model_copy(update={"models": (one,), "seeds": (0,), "beside": ()})
    first = run_prompt_study(small, folder)
    assert first is not None
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("steps/*/**/*.json") if "models" not in p.parts}
    grown = run_prompt_study(small.model_copy(update={"seeds": (0, 1)}), folder)
    assert grown is not None and len(grown.cells("tasks")) == 2 * len(first.cells("tasks"))
    assert before.items() <= {p: p.stat().st_mtime_ns for p in folder.rglob("steps/*/**/*.json")}.items()
    with pytest.raises(RunError, match="vectors"):
        run_prompt_study(small.model_copy(update={"vectors": 3}), folder)
