"""A whole comparison on a tiny checkpoint: what it writes, and that nothing is done twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

import mto
from mto.errors import DataError, RunError, TemplateError, UnknownNameError
from mto.pipeline import Plan, RunCallback, RunStatus, compare, load, plan
from mto.report import read_results
from mto.tasks import read_split
from tests.pipeline.small import SETTINGS, copy, done_cells, lasting, rows, write_task


class Told(RunCallback):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.statuses: list[RunStatus] = []
        self.events: list[str] = []

    def on_plan(self, plan: Plan) -> None:
        self.plans.append(plan)

    def on_status(self, status: RunStatus) -> None:
        self.statuses.append(status)

    def on_event(self, kind: str, message: str) -> None:
        self.events.append(kind)


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading any model is a failure."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("mto.families.load.load_model", refuse)
    monkeypatch.setattr("mto.families.load_model", refuse)


def test_a_run_folder_holds_what_was_asked_done_and_found(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    assert names >= {
        "config.yaml", "environment.json", "events.jsonl", "inputs.json", "splits", "steps", "models",
        "results.json", "metrics.json", "predictions.parquet", "report.md", "report.html",
    }  # fmt: skip
    comparison = read_results(finished)
    assert comparison.missing == ()
    assert [(c.family, c.seed, c.stage) for c in comparison.cells] == [
        (family, seed, stage)
        for seed in (0, 1)
        for family in ("mapping", "masked-prompting")
        for stage in ("tuned", "zero-shot")
    ]
    assert len(comparison.choices) == 2 and len(comparison.sweeps) == 4 and len(comparison.baselines) == 4
    assert (comparison.shots, comparison.seeds, len(comparison.tasks[0].test_heads)) == (4, (0, 1), 4)
    assert comparison.environment["python"] and comparison.hours > 0
    split = read_split(finished / "splits" / "tools-Use" / "seed-1")
    assert tuple(example.head for example in split.test) == comparison.tasks[0].test_heads


def test_every_prediction_is_in_the_table(finished: Path) -> None:
    table = pyarrow.parquet.read_table(finished / "predictions.parquet").to_pydict()
    assert set(table["family"]) == {
        "mapping", "mapping (zero-shot)", "masked-prompting", "masked-prompting (zero-shot)",
        "most frequent tail", "nearest head",
    }  # fmt: skip
    assert len(table["head"]) == 6 * 2 * 4


def test_the_model_of_the_family_that_dev_chose_stays_alone(finished: Path) -> None:
    chosen = next(choice for choice in read_results(finished).choices if choice.seed == 0)
    assert [path.parent for path in finished.rglob("tuned.json")] == [
        finished / "models" / "tools-Use" / "seed-0" / chosen.family
    ]
    run = load(finished)
    assert run.tasks == ("tools/Use",)
    assert run.model().family.name == chosen.family
    answers = run.predict([{"head": "red hammer"}, {"head": "dog"}])
    assert [answer.text for answer in run.predict(["red hammer", "dog"], "Use")] == [a.text for a in answers]


def test_a_finished_run_loads_no_model_and_changes_nothing(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path, no_model: None
) -> None:
    path = copy(finished, tmp_path / "run")
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*")}
    told = Told()
    again = compare(str(task_file), model=str(tiny_dir), out=path, workers=5, progress=told, **SETTINGS)
    assert not again.worked and again.comparison == read_results(finished)
    assert told.events == ["finished-before"] and not told.plans
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*")} == before


def test_the_same_call_twice_gives_the_same_results(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    told = Told()
    loaded = mto.load_model(tiny_dir)
    run = mto.compare(str(task_file), model=loaded, out=tmp_path / "b", progress=told, **SETTINGS)
    assert run.worked and lasting(tmp_path / "b") == lasting(finished)
    assert (tmp_path / "b" / "predictions.parquet").read_bytes() == (
        finished / "predictions.parquet"
    ).read_bytes()
    assert told.plans[0].cells == 4 and told.plans[0].done == 0 and told.plans[0].seconds > 0
    assert told.statuses[-1].done == 4 and told.statuses[-1].share == pytest.approx(1.0)
    shares = [status.share for status in told.statuses]
    assert shares == sorted(shares)


def test_a_plan_writes_nothing(tiny_dir: Path, task_file: Path, tmp_path: Path) -> None:
    planned = plan(str(task_file), model=str(tiny_dir), out=tmp_path / "run", workers=2, **SETTINGS)
    assert not (tmp_path / "run").exists()
    assert (planned.cells, planned.done, planned.workers) == (4, 0, 2)
    assert planned.speed.step > 0 and planned.disk_bytes > planned.kept_bytes > 0
    task = planned.tasks[0]
    assert (task.train, task.dev, task.test, task.folds) == (4, 4, 4, None)


def test_a_small_disk_and_a_missing_gpu_are_said_before_the_work(
    tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mto.pipeline.machine.free_disk", lambda _: 1e3)
    told = Told()
    plan(str(task_file), model=str(tiny_dir), out=tmp_path / "run", progress=told, **SETTINGS)
    assert "disk-small" in told.events
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RunError, match="torch finds none"):
        plan(str(task_file), model=str(tiny_dir), out=tmp_path / "run", device="cuda", **SETTINGS)


def test_the_estimate_grows_with_the_work(tiny_dir: Path, task_file: Path, tmp_path: Path) -> None:
    def steps(last: int) -> float:
        tune = {"rates": [1e-3], "ladder": [0, last]}
        planned = plan(
            str(task_file), model=str(tiny_dir), out=tmp_path / "run", **{**SETTINGS, "tune": tune}
        )
        return sum(planned.cell_seconds.values()) / planned.speed.step

    assert steps(2000) > steps(20)


@pytest.mark.parametrize(("keep", "models"), [("all", 2), ("none", 0)])
def test_weights_stay_as_asked(
    tiny_dir: Path, task_file: Path, tmp_path: Path, keep: str, models: int, finished: Path
) -> None:
    settings = {**SETTINGS, "seeds": 1}
    compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, keep=keep, **settings)
    assert len(list(tmp_path.rglob("tuned.json"))) == models
    assert json.loads(lasting(tmp_path))["cells"] == json.loads(lasting(finished))["cells"][:4]
    if keep == "none":
        with pytest.raises(RunError, match="keeps no tuned model"):
            load(tmp_path)


def test_zero_shots_need_no_tuning(tiny_dir: Path, task_file: Path, tmp_path: Path) -> None:
    run = compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **{**SETTINGS, "shots": 0})
    assert run.comparison.stage == "zero-shot" and run.comparison.missing == ()
    assert run.comparison.choices == () and {c.stage for c in run.comparison.cells} == {"zero-shot"}
    with pytest.raises(RunError, match="zero shots"):
        load(tmp_path)


def test_one_file_is_scored_by_folds_and_its_model_knows_all_rows(tiny_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "tools.csv").write_text(rows(0, 9))
    settings = {**SETTINGS, "shots": None, "folds": 3, "phrase": "the {{ head }} is used to"}
    run = compare(tmp_path / "tools.csv", model=str(tiny_dir), out=tmp_path / "run", workers=1, **settings)
    task = run.comparison.tasks[0]
    assert (task.folds, task.train_rows, len(task.test_heads)) == (3, 9, 9)
    assert {sweep.fold for sweep in run.comparison.sweeps} == {0, 1, 2}
    assert run.comparison.missing == () and run.comparison.shots == 9
    model = load(tmp_path / "run").model()
    assert model.shots == 9 and model.scores
    # Seeds differ in their folds, not in their rows.
    seeds = {tuple(c.scores["rouge_l"]) for c in run.comparison.baselines if c.name == "nearest head"}
    assert len(seeds) == 2


def test_rows_in_memory_are_a_task(tiny_dir: Path, tmp_path: Path) -> None:
    lines = [line.split(",") for line in rows(0, 16).splitlines()[1:]]
    task = mto.task_from_rows(
        {"train": [{"head": h, "tail": t} for h, t in lines[:8]], "test": [{"head": h, "tail": t} for h, t in lines[8:]]},
        name="mine", phrases=["the {{ head }} is used to"],
    )  # fmt: skip
    settings = {**SETTINGS, "seeds": 1, "families": "mapping"}
    run = compare(task, model=str(tiny_dir), out=tmp_path, workers=1, **settings)
    assert run.comparison.tasks[0].name == "mine" and run.comparison.missing == ()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"families": ("mapping", "promting")}, UnknownNameError, "did you mean 'prompting'"),
        ({"metrics": ("rouge",)}, UnknownNameError, "rouge_l"),
        ({"shots": 999}, DataError, "16 heads"),
        ({"phrase": 4}, DataError, "phrase 4 asked for"),
        ({"phrase": "the {{ haed }} is"}, TemplateError, "unknown field 'haed'"),
        ({"model": "minni"}, UnknownNameError, "no checkpoint is named 'minni'"),
    ],
)
def test_what_cannot_work_is_said_before_a_file_is_written(
    tiny_dir: Path, task_file: Path, tmp_path: Path, change: dict, error: type, said: str
) -> None:
    settings = {**SETTINGS, "model": str(tiny_dir), **change}
    with pytest.raises(error, match=said):
        compare(str(task_file), out=tmp_path / "run", workers=1, **settings)
    assert not (tmp_path / "run").exists()


def test_a_task_without_a_phrase_is_written_by_the_families_that_need_none(
    tiny_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "tools.csv").write_text(rows(0, 9))
    settings = {**SETTINGS, "shots": None, "families": None}
    told = Told()
    planned = plan(
        tmp_path / "tools.csv", model=str(tiny_dir), out=tmp_path / "run", progress=told, **settings
    )
    assert planned.families == ("mapping", "masked-mapping") and "no-phrase" in told.events
    with pytest.raises(TemplateError, match="phrase"):  # asked for by name, it is an error
        settings["families"] = ("mapping", "prompting")
        plan(tmp_path / "tools.csv", model=str(tiny_dir), out=tmp_path / "run", **settings)


def test_two_tasks_share_a_run(tiny_dir: Path, tmp_path: Path) -> None:
    first = write_task(tmp_path / "one")
    second = write_task(tmp_path / "two")
    second.write_text(second.read_text().replace("name: tools", "name: others"))
    settings = {**SETTINGS, "seeds": 1}
    run = compare([first, second], model=str(tiny_dir), out=tmp_path / "run", workers=1, **settings)
    assert [task.name for task in run.comparison.tasks] == ["tools/Use", "others/Use"]
    assert len(done_cells(tmp_path / "run")) == 4
    loaded = load(tmp_path / "run")
    with pytest.raises(UnknownNameError, match="2 tasks"):
        loaded.predict(["dog"])
    assert len(loaded.predict(["dog"], "others/Use")) == 1
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert len(metrics["tasks"]) == 2
