"""Comparisons that tune soft prompts: matched as others are, kept as some kilobytes, answered by the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mto.errors import ConfigError, RunError, TemplateError
from mto.pipeline import compare, load, plan, read_compare_config
from mto.pipeline.cells import all_cells, cell_key
from mto.pipeline.inputs import Inputs
from mto.pipeline.predicting import predict_file
from mto.prompts import SavedPrompt
from mto.report import read_results
from mto.tune import TunedPrompt
from tests.pipeline.small import copy, rows, write_task
from tests.pipeline.test_compare import Told

SOFT: dict[str, Any] = {
    "families": None,
    "shots": 4,
    "seeds": 1,
    "max_test": 4,
    "matching": {"signals": ["depthrank"]},
    "tune": {"method": "prompt", "prompt": {"vectors": [3]}, "rates": [0.3], "ladder": [0, 2], "extend": False},
}  # fmt: skip


def run(task: Path, model: Path, out: Path, **changes: Any) -> Any:
    return compare(str(task), model=str(model), out=out, workers=1, **{**SOFT, **changes})


@pytest.fixture(scope="module")
def soft_run(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, task_file: Path) -> Path:
    path = tmp_path_factory.mktemp("soft") / "run"
    run(task_file, tiny_dir, path)
    return path


def test_the_family_that_stands_for_what_matching_chose_is_tuned_beside_pt(soft_run: Path) -> None:
    comparison = read_results(soft_run)
    (choice,), (match,) = comparison.choices, comparison.matches
    assert {family.name for family in comparison.families} == {"pt", choice.family}
    assert choice.by == "match" and match.family == choice.family and "Soft prompts: " in match.verdict[-1]
    assert comparison.missing == () and {cell.stage for cell in comparison.cells} == {"tuned"}
    assert comparison.conventional is not None and comparison.conventional.name == "pt"
    trained = [cell.trained for cell in comparison.cells]
    width = Inputs.read(soft_run, (0,)).model["width"]  # type: ignore[union-attr]
    assert all(one and (one.what, one.kept) == ("3 vectors, residual-mlp", 3 * width) for one in trained)
    report = (soft_run / "report.md").read_text()
    assert "trained numbers" in report and "3 vectors, residual-mlp" in report and "Unfinished" not in report


def test_its_prompt_stays_as_some_kilobytes_and_answers_new_rows(soft_run: Path, tmp_path: Path) -> None:
    (folder,) = [path.parent for path in soft_run.rglob("tuned.json")]
    assert sorted(path.name for path in folder.iterdir()) == [
        "prompt.json", "prompt.safetensors", "tuned.json",
    ]  # fmt: skip
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20_000
    loaded = load(soft_run)
    assert isinstance(loaded.model(), TunedPrompt)
    (tmp_path / "new.csv").write_text(rows(16, 20))
    assert predict_file(loaded, tmp_path / "new.csv", tmp_path / "out.csv") == 4
    # The kept prompt is the one that was scored.
    cell = next(c for c in read_results(soft_run).cells if c.family == loaded.model().family.name)
    split = Inputs.read(soft_run, (0,)).splits["tools/Use", 0]  # type: ignore[union-attr]
    from mto.evaluate.scores import score

    answers = loaded.predict(list(split.test))
    again = score([e.head for e in split.test], answers, [e.targets for e in split.test], ("rouge_l",))
    assert again.values["rouge_l"].tolist() == pytest.approx(cell.scores["rouge_l"], abs=0.01)


def test_a_finished_run_is_not_done_again(
    soft_run: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    path = copy(soft_run, tmp_path / "run")
    assert not run(task_file, tiny_dir, path).worked


def test_a_plan_knows_that_prompts_are_small(tiny_dir: Path, task_file: Path, tmp_path: Path) -> None:
    planned = plan(str(task_file), model=str(tiny_dir), out=tmp_path / "run", **SOFT)
    assert planned.families == ("pt", "masked-pre-pt") and planned.stands_for == "masked-pre-pt"
    assert planned.speed.step > 0 and planned.disk_bytes < 1.2e6
    tune = {**SOFT["tune"], "prompt": {"vectors": [2, 4], "encoders": ["embedding", "mlp"]}}
    more = plan(str(task_file), model=str(tiny_dir), out=tmp_path / "run", **{**SOFT, "tune": tune})
    assert (
        sum(more.cell_seconds.values()) / more.speed.step
        > sum(planned.cell_seconds.values()) / planned.speed.step
    )


def test_keys_follow_what_is_trained(soft_run: Path, tmp_path: Path, tiny_bart: Any) -> None:
    from dataclasses import replace

    import torch

    inputs = Inputs.read(soft_run, (0,))
    assert inputs is not None
    config = read_compare_config(None, (), tasks=["tools/Use"], **{**SOFT, "seeds": [0]})
    cell = all_cells(config, inputs)[0]

    def key(**prompt: Any) -> str:
        settings = {**inputs.settings, "prompt": {**inputs.settings["prompt"], **prompt}}
        return cell_key(cell, config, replace(inputs, settings=settings))

    saved = SavedPrompt({"#1": torch.zeros(3, 8)}, "tiny", "", inputs.families[0], "embedding", {"#1": None})
    saved.save(tmp_path / "a")
    first = key(start=str(tmp_path / "a"))
    replace(saved, vectors={"#1": torch.ones(3, 8)}).save(tmp_path / "a")
    assert len({key(), key(vectors=(4,)), key(encoders=("mlp",)), first, key(start=str(tmp_path / "a"))}) == 5
    with pytest.raises(RunError, match="cannot be read"):
        key(start="nowhere")


def test_named_families_that_mean_something_else_are_chosen_on_dev(
    soft_run: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    settings = {"families": ("pt", "post-pt", "masked-post-pt")}
    comparison = run(task_file, tiny_dir, tmp_path, **settings).comparison
    (choice,) = comparison.choices
    # The family that matching chose holds a phrase; here one of the same objective without a phrase stands for it.
    wanted = {"pre-pt": "post-pt", "masked-pre-pt": "masked-post-pt"}
    meant = read_results(soft_run).choices[0].family
    assert (choice.family, choice.by) == (wanted.get(meant, meant), "match")


def test_one_file_is_scored_by_folds(tiny_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "tools.csv").write_text(rows(0, 9))
    told = Told()
    compare(
        tmp_path / "tools.csv", model=str(tiny_dir), out=tmp_path / "run", workers=1, progress=told,
        **{**SOFT, "shots": None, "folds": 3},
    )  # fmt: skip
    comparison = read_results(tmp_path / "run")
    assert "no-phrase" in told.events
    assert [family.name for family in comparison.families] == ["pt", "post-pt", "masked-post-pt"]
    assert comparison.choices[0].by == "dev" and comparison.missing == ()
    assert all(cell.trained for cell in comparison.cells)
    assert load(tmp_path / "run").model().scores


def test_prompts_of_several_tasks_share_the_checkpoint(tiny_dir: Path, tmp_path: Path) -> None:
    first, second = write_task(tmp_path / "one"), write_task(tmp_path / "two")
    second.write_text(second.read_text().replace("name: tools", "name: others"))
    compare(
        [first, second], model=str(tiny_dir), out=tmp_path / "run", workers=1, **{**SOFT, "families": ("pt",)}
    )
    loaded = load(tmp_path / "run")
    assert loaded.model("tools/Use").loaded is loaded.model("others/Use").loaded


def test_low_rank_updates_are_tuned_in_the_families_without_soft_prompts(
    tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    tune = {"method": "lora", "rates": [0.01], "ladder": [2], "extend": False, "lora": {"rank": 2}}
    comparison = run(task_file, tiny_dir, tmp_path, tune=tune, families=("mapping",), choose="dev").comparison
    (cell,) = [cell for cell in comparison.cells if cell.stage == "tuned"]
    assert cell.trained is not None and cell.trained.kept is None and comparison.missing == ()
    # The kept model has the updates in its weights, so it is an ordinary one.
    assert (next(tmp_path.rglob("tuned.json")).parent / "model").is_dir()
    assert len(load(tmp_path).predict(["dog"])) == 1


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"families": ("pt", "mapping")}, TemplateError, "'mapping' holds no soft prompt"),
        ({"tune": {}, "families": ("pt",)}, TemplateError, "no vectors for them"),
        ({"shots": 0}, ConfigError, "before it is trained"),
    ],
)
def test_what_cannot_be_is_said_before_a_model_is_loaded(
    tiny_dir: Path, task_file: Path, tmp_path: Path, change: dict, error: type, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("mto.families.load_model", lambda *_, **__: pytest.fail("a model was loaded"))
    with pytest.raises(error, match=said):
        run(task_file, tiny_dir, tmp_path / "run", **change)
    assert not (tmp_path / "run").exists()
