"""The whole way on a tiny checkpoint: what it writes, which stages work, and that nothing is done twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

import mto
from mto.errors import DataError, Interrupted, RunError
from mto.pipeline import load
from mto.pipeline.whole import WholeCallback
from mto.pipeline.whole.progress import StageStatus
from mto.report.whole import read_whole_results
from tests.pipeline.small import SETTINGS as PLAIN
from tests.pipeline.small import copy, lasting, write_task
from tests.pipeline.whole.conftest import Run
from tests.pipeline.whole.small import SETTINGS

CONTROLS = ("random-spans", "wrong-objective", "general")
STAGES = (
    "match",
    "base",
    "pairs",
    *(f"{what}-{unit}" for unit in ("main", *CONTROLS) for what in ("adapt", "tuned")),
)


class Told(WholeCallback):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.stages: list[StageStatus] = []
        self.events: list[str] = []
        self.shares: list[float] = []

    def on_stage(self, status: StageStatus) -> None:
        self.stages.append(status)

    def on_event(self, kind: str, message: str) -> None:
        self.events.append(kind)

    def on_status(self, status: Any) -> None:
        self.shares.append(status.share)


def test_a_whole_run_holds_every_system_and_what_each_stage_counted(whole: Path) -> None:
    results = read_whole_results(whole)
    assert results.systems == ("conventional", "prompting", "aligned", "adapted", *CONTROLS)
    tuned = {(cell.system, cell.task, cell.seed) for cell in results.cells if cell.stage == "tuned"}
    assert len(tuned) == 7 * 2 * 2
    assert [stage.name for stage in results.stages] == list(STAGES)
    assert all((whole / stage.folder).is_dir() for stage in results.stages)
    assert set(results.pairs) == {"uses/Use", "wants/Want"} and min(results.pairs.values()) > 5
    assert results.prepared.pairs["task"] == sum(results.pairs.values())
    for one in results.adaptations:
        assert {"pairs/denoising", "pairs/lm", "general/lm"} <= set(one.before) == set(one.after)
        assert one.counts["trained"] + one.counts["held_out"] == sum(results.pairs.values())
    main, spans, wrong, general = results.adaptations
    assert (main.set, spans.set, wrong.set, general.set) == ("task", "random-spans", "task", "general")
    assert main.objectives == spans.objectives or set(main.objectives) == set(spans.objectives)
    assert {one.task: one.objective for one in results.aligned} == {
        task: reason.split(":")[0] for task, reason in main.reasons.items()
    }
    assert all(
        reason.split(":")[0] != main.reasons[task].split(":")[0] for task, reason in wrong.reasons.items()
    )
    assert [len(results.matches), results.matches[0].seed] == [2, 0]
    for name in ("report.md", "report.html"):
        text = (whole / name).read_text()
        assert all(
            title in text
            for title in ("Mapping (conventional)", "aligned and adapted", "control: unselected text")
        )
    table = pyarrow.parquet.read_table(whole / "predictions.parquet").to_pydict()
    assert set(table["family"]) == set(results.systems) and len(table["head"]) == 7 * 2 * 2 * 4
    # Of all weights only those of the adapted way with the first seed stay.
    assert {p.parent.parent.name for p in whole.rglob("tuned.json")} == {"seed-0"}
    assert len(list(whole.rglob("tuned.json"))) == 2
    assert load(whole).predict(["hammer"], task="Use")[0].text is not None


def test_the_same_call_again_does_nothing_and_loads_no_checkpoint(
    whole: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("mto.families.load.load_model", refuse)
    monkeypatch.setattr("mto.families.load_model", refuse)
    monkeypatch.setitem(sys.modules, "datasketch", None)  # what only a finished stage needs may be gone
    before, told = (whole / "results.json").stat().st_mtime_ns, Told()
    again = run(whole, progress=told)
    assert again.worked == () and told.events == ["finished-before"]
    assert {status.state for status in told.stages} == {"kept"} and len(told.stages) == len(STAGES) + 1
    assert (whole / "results.json").stat().st_mtime_ns == before


def test_only_what_depends_on_a_changed_setting_is_done_again(whole: Path, run: Run, tmp_path: Path) -> None:
    path = copy(whole, tmp_path / "run")
    none: dict[str, Any] = {"controls": ()}
    fewer = run(path, **none)
    # The pairs hold no controls now; the task's own have the same bytes, so nothing after them changes.
    assert fewer.worked == ("pairs", "report") and "general" not in fewer.results.systems
    epochs = run(path, **none, adapt={**SETTINGS["adapt"], "epochs": 1})
    assert epochs.worked == ("adapt-main", "tuned-main", "report")
    seeds = run(path, **none, seeds=[0])
    assert seeds.worked == ("base", "tuned-main", "report")
    back = run(path)
    assert back.worked == ("report",)
    assert lasting(path) == lasting(whole)


PLACES = {
    "match": "mto.match.rows.match_rows",
    "base": "mto.pipeline.workers.run_one",
    "pairs": "mto.prepare.run.merge",
    "adapt-main": "mto.adapt.run.train",
    "tuned-main": "mto.pipeline.workers.run_one",
}
"""What each stage does, with the place to stop it in."""


@pytest.mark.parametrize("stage", list(PLACES))
def test_a_run_that_is_stopped_in_a_stage_goes_on_and_ends_like_one_that_was_not(
    run: Run, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    path = without(copy(short, tmp_path / "run"), list(PLACES)[list(PLACES).index(stage) :])
    module, _, name = PLACES[stage].rpartition(".")
    real, calls = getattr(__import__(module, fromlist=[name]), name), []
    # Matching and tuning are stopped in the middle of their work, after the first of their parts.
    whole_ones = 0 if stage in ("pairs", "adapt-main") else 1

    def stopped(*words: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) > whole_ones:
            raise KeyboardInterrupt
        return real(*words, **named)

    monkeypatch.setattr(PLACES[stage], stopped)
    with pytest.raises(Interrupted, match=rf"stopped in stage \d of 6, {stage}") as caught:
        run(path, **SHORT)
    assert "same command again" in str(caught.value.hint)
    monkeypatch.setattr(PLACES[stage], real)
    assert run(path, **SHORT).worked == (*list(PLACES)[list(PLACES).index(stage) :], "report")
    assert lasting(path) == lasting(short)


SHORT: dict[str, Any] = {"controls": (), "seeds": [0]}


@pytest.fixture(scope="session")
def short(whole: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one seed without controls, never interrupted; matching and adaptation are those of `whole`."""
    path = copy(whole, tmp_path_factory.mktemp("runs") / "short")
    run(path, **SHORT)
    return path


def without(path: Path, stages: list[str]) -> Path:
    """A run folder as if it had never come to these stages, nor to any of a control."""
    for stage in (*stages, *(f"{what}-{unit}" for what in ("adapt", "tuned") for unit in CONTROLS)):
        for found in path.glob(f"stages/{stage}-*"):
            shutil.rmtree(found)
        for found in path.glob(f"steps/stages/{stage}-*.json"):
            found.unlink()
    return path


def test_a_killed_run_goes_on_and_ends_like_one_that_was_not(run: Run, short: Path, tmp_path: Path) -> None:
    """Children are forked and killed at moments of their own, whatever they do then; the last one is left alone."""
    path, rng = (
        without(copy(short, tmp_path / "run"), ["pairs", "adapt-main", "tuned-main"]),
        random.Random(5),
    )
    codes = []
    for wait in (*(rng.uniform(0.05, 1.0) for _ in range(4)), None):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                run(path, **SHORT)
            except BaseException:
                os._exit(1)
            os._exit(0)
        if wait is not None:
            time.sleep(wait)
            os.kill(child, signal.SIGKILL)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert codes[-1] == 0 and set(codes[:-1]) <= {-signal.SIGKILL, 0}
    assert lasting(path) == lasting(short)


def test_a_damaged_stage_is_done_again(whole: Path, run: Run, tmp_path: Path) -> None:
    path = copy(whole, tmp_path / "run")
    (stage,) = (path / "steps" / "stages").glob("tuned-general-*.json")
    stage.write_text('{"key": ')
    shutil.rmtree(next((path / "stages").glob("match-*")))
    told = Told()
    assert run(path, progress=told).worked == ("match", "tuned-general", "report")
    assert lasting(path) == lasting(whole)


def test_folders_of_something_else_are_refused(whole: Path, finished: Path, run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="another kind"):
        run(finished)
    with pytest.raises(RunError, match=r"tasks: .* there, .* now"):
        run(whole, tasks=["household/xWant"])
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no run"):
        run(tmp_path)
    config = json.loads(json.dumps(read_whole_results(whole).config))
    with pytest.raises(RunError, match="raw text"):
        mto.compare(config["tasks"][0], model=config["model"], out=whole, **PLAIN)


def test_text_that_fits_no_task_is_refused(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("nobody knows what any of this might be about.\n" * 3)
    with pytest.raises(DataError, match="no sentence of the text"):
        run(
            tmp_path / "run",
            corpus=str(text),
            prepare={**SETTINGS["prepare"], "select": {"retrieval": "none"}},
        )
    with pytest.raises(DataError, match="no file matches"):
        run(tmp_path / "other", corpus=str(tmp_path / "none.txt"))
    assert not (tmp_path / "other").exists()


def test_a_missing_package_is_told_before_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    told = Told()
    with pytest.raises(DataError, match="datasketch"):
        run(tmp_path / "run", progress=told)
    assert not told.stages
    assert not list((tmp_path / "run" / "stages").glob("*"))


def test_an_adaptation_a_task_gives_each_task_a_checkpoint_of_its_own(
    short: Path, run: Run, tmp_path: Path
) -> None:
    path = copy(short, tmp_path / "run")
    way = run(path, **SHORT, per_task=True)
    units = [f"{what}-main-{task}" for task in ("uses-Use", "wants-Want") for what in ("adapt", "tuned")]
    assert way.worked == (*units, "report")
    assert [one.tasks for one in way.results.adaptations] == [("uses/Use",), ("wants/Want",)]
    read = [one.counts["trained"] + one.counts["held_out"] for one in way.results.adaptations]
    assert read == [way.results.pairs["uses/Use"], way.results.pairs["wants/Want"]]
    assert load(path).predict(["hammer"], task="Want")[0].text is not None


def test_a_task_without_test_data_is_cross_validated_and_dev_data_say_what_is_aligned(
    run: Run, tmp_path: Path
) -> None:
    task, told = write_task(tmp_path / "task", test=False), Told()
    tune = {**SETTINGS["tune"], "rates": [1e-3], "ladder": [0, 1]}
    way = run(
        tmp_path / "run",
        told,
        tasks=[str(task)],
        shots=None,
        folds=2,
        tune=tune,
        families=["prompting"],
        **SHORT,
    )
    assert "no-test-data" in told.events
    assert [stage.name for stage in way.results.stages] == ["base", "pairs", "adapt-main", "tuned-main"]
    (aligned,) = way.results.aligned
    assert aligned.by == "dev" and aligned.family in ("mapping", "prompting")
    assert way.results.tasks[0].folds == 2 and way.results.matches == ()
    heads = len(way.results.tasks[0].test_heads)
    assert heads == 16 and all(len(c.scores["rouge_l"]) == heads for c in way.results.cells)
    assert "k-fold" in (tmp_path / "run" / "report.md").read_text()
