"""Work that is stopped, in whatever way, goes on where it was, and ends as if it had not been."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mto.errors import Interrupted, RunError, TrainingError
from mto.pipeline import compare
from mto.pipeline.guard import Lock
from mto.report import read_results
from tests.conftest import ROOT
from tests.pipeline.small import SETTINGS, WORDS, copy, done_cells, lasting, rows, save_tiny, write_task
from tests.pipeline.test_compare import Told


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def test_a_run_that_is_stopped_again_and_again_ends_like_one_that_was_not(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "tests.pipeline.stopped", str(task_file), str(tiny_dir), str(tmp_path)]
    told = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    assert told.returncode == 0, told.stderr
    for name, happened in json.loads(told.stdout).items():
        stopped = {"SIGKILL": -signal.SIGKILL, "SIGINT": 130}[name]
        assert happened["codes"][-1] == 0, told.stderr
        assert set(happened["codes"][:3]) == {stopped}, told.stderr
        assert set(happened["codes"]) == {stopped, 0}
        assert happened["done"] == sorted(happened["done"])  # what was done stayed done
        out = tmp_path / name
        assert lasting(out) == lasting(finished)
        # Nothing half-written is left, and only the chosen model.
        assert [path.name for path in out.rglob(".*")] == [".lock"]
        assert len(list(out.rglob("tuned.json"))) == 1


def test_ctrl_c_in_the_middle_of_a_cell_keeps_the_cells_before(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mto.pipeline import workers

    real, calls = workers.run_one, []

    def interrupted(loaded: Any, cell: Any, *others: Any, **named: Any) -> Any:
        calls.append(cell)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(loaded, cell, *others, **named)

    monkeypatch.setattr(workers, "run_one", interrupted)
    with pytest.raises(Interrupted, match="2 of 4 cells are done") as caught:
        compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
    assert "same command again" in str(caught.value.hint)
    told = Told()
    compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, progress=told, **SETTINGS)
    assert told.plans[0].done == 2 and len(calls) == 5
    assert lasting(tmp_path) == lasting(finished)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_python_drops_stops_the_run_after_the_cell(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mto.pipeline import workers

    real, calls = workers.run_one, []

    class Dying:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0)  # the signal is handled here, where an exception comes to nothing

    def dropped(loaded: Any, cell: Any, *others: Any, **named: Any) -> Any:
        calls.append(cell)
        if len(calls) == 2:
            del_at_once = Dying()
            del del_at_once
        return real(loaded, cell, *others, **named)

    monkeypatch.setattr(workers, "run_one", dropped)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted, match="2 of 4 cells are done"):
            compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and len(calls) == 2
    finally:
        signal.signal(signal.SIGINT, before)
    compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
    assert lasting(tmp_path) == lasting(finished)


def test_two_workers_give_the_bytes_of_one_and_stop_on_ctrl_c(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = [
        sys.executable,
        "-m",
        "mto",
        "run",
        str(task_file),
        "--model",
        str(tiny_dir),
        "--out",
        str(out),
        *WORDS,
    ]
    with subprocess.Popen(
        [*words, "--workers", "2"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment(), cwd=tmp_path, start_new_session=True,
        # A job in the background ignores Ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        # After the first of four: the others must not be done before the signal is there, on a busy machine either.
        while not done_cells(out) and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        said, error = process.communicate(timeout=60)
    assert process.returncode == 130, (said, error)
    assert "cells are done" in error and "same command again" in error
    with pytest.raises(ProcessLookupError):  # no worker stays behind
        for _ in range(100):
            os.killpg(process.pid, 0)
            time.sleep(0.05)
    assert done_cells(out)
    assert compare(str(task_file), model=str(tiny_dir), out=out, workers=1, **SETTINGS).worked
    assert lasting(out) == lasting(finished)
    assert (out / "predictions.parquet").read_bytes() == (finished / "predictions.parquet").read_bytes()
    assert not (out / "logs").exists()


def test_a_worker_ends_with_the_process_that_started_it() -> None:
    words = [sys.executable, "-m", "mto.pipeline.worker"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_a_worker_that_dies_is_reported_with_what_to_do(
    tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mto.pipeline.workers.WORKER", ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    )
    with pytest.raises(RunError, match="memory ran out") as caught:
        compare(str(task_file), model=str(tiny_dir), out=tmp_path / "a", workers=2, **SETTINGS)
    assert "--workers" in str(caught.value.hint)
    monkeypatch.setattr("mto.pipeline.workers.WORKER", ["-c", "raise SystemExit('no luck today')"])
    with pytest.raises(RunError, match="no luck today"):
        compare(str(task_file), model=str(tiny_dir), out=tmp_path / "b", workers=2, **SETTINGS)


@pytest.mark.parametrize("damage", ['{"key": ', "[]"])
def test_a_half_written_step_is_done_again(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path, damage: str
) -> None:
    path = copy(finished, tmp_path / "run")
    (path / "steps" / "finished.json").unlink()
    broken = path / "steps" / "cells" / done_cells(path)[1]
    broken.write_text(damage)
    told = Told()
    compare(str(task_file), model=str(tiny_dir), out=path, workers=1, progress=told, **SETTINGS)
    assert told.plans[0].done == 3
    assert lasting(path) == lasting(finished)


def test_another_configuration_in_the_same_folder_is_refused(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path
) -> None:
    settings = {**SETTINGS, "shots": 5, "tune": {**SETTINGS["tune"], "rates": [1e-3]}}
    with pytest.raises(RunError) as caught:
        compare(str(task_file), model=str(tiny_dir), out=finished, workers=1, **settings)
    assert "shots: 4 there, 5 now" in caught.value.message
    assert "tune.rates: [0.001, 0.003] there, [0.001] now" in caught.value.message
    assert "--out" in str(caught.value.hint)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no run"):
        compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
    with pytest.raises(RunError, match="is a file"):
        compare(str(task_file), model=str(tiny_dir), out=tmp_path / "notes.txt", workers=1, **SETTINGS)


def test_data_that_are_gone_or_moved_lose_nothing(
    finished: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = write_task(tmp_path / "task")
    out, settings = tmp_path / "run", {**SETTINGS, "seeds": 1}
    stop_after(monkeypatch, 1)
    with pytest.raises(Interrupted):
        compare(str(task), model=str(tiny_dir), out=out, workers=1, **settings)
    monkeypatch.undo()
    for file in ("train.csv", "test.csv"):
        (tmp_path / "task" / file).rename(tmp_path / file)
    told = Told()
    run = compare(str(task), model=str(tiny_dir), out=out, workers=1, progress=told, **settings)
    assert run.worked and run.comparison.missing == () and "data-gone" in told.events
    # The same data in another place are the same run.
    again = compare(str(task), model=str(tiny_dir), out=out, data=str(tmp_path), workers=1, **settings)
    assert not again.worked


def test_data_that_changed_are_refused_even_when_the_run_is_finished(tiny_dir: Path, tmp_path: Path) -> None:
    task = write_task(tmp_path / "task")
    out, settings = tmp_path / "run", {**SETTINGS, "seeds": 1, "families": "mapping"}
    compare(str(task), model=str(tiny_dir), out=out, workers=1, **settings)
    (tmp_path / "task" / "train.csv").write_text(rows(0, 15))
    with pytest.raises(RunError, match=r"not those that this run was made with \(train changed"):
        compare(str(task), model=str(tiny_dir), out=out, workers=1, **settings)
    (out / "steps" / "finished.json").unlink()
    with pytest.raises(RunError, match="not those"):
        compare(str(task), model=str(tiny_dir), out=out, workers=1, **settings)


def test_another_checkpoint_under_the_same_name_is_refused(
    task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, settings = save_tiny(tmp_path / "model"), {**SETTINGS, "seeds": 1}
    stop_after(monkeypatch, 1)
    with pytest.raises(Interrupted):
        compare(str(task_file), model=str(model), out=tmp_path / "run", workers=1, **settings)
    monkeypatch.undo()
    shutil.rmtree(model)
    save_tiny(model, seed=1)
    with pytest.raises(RunError, match="another version of"):
        compare(str(task_file), model=str(model), out=tmp_path / "run", workers=1, **settings)
    assert len(done_cells(tmp_path / "run")) == 1


def test_a_full_disk_loses_nothing(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = os.fsync, []

    def full(handle: int) -> None:
        written.append(handle)
        if len(done_cells(tmp_path)) >= 2:
            raise OSError(errno.ENOSPC, "no space left")
        real(handle)

    monkeypatch.setattr("mto.runs.atomic.os.fsync", full)
    with pytest.raises(RunError, match="disk is full") as caught:
        compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
    assert "run the same command again" in str(caught.value.hint)
    monkeypatch.undo()
    assert len(done_cells(tmp_path)) == 2
    compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
    assert lasting(tmp_path) == lasting(finished)


def test_a_cell_that_cannot_be_tuned_does_not_stop_the_others(
    finished: Path, tiny_dir: Path, task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mto.pipeline import workers

    real = workers.run_one

    def diverges(loaded: Any, cell: Any, *others: Any, **named: Any) -> Any:
        if (cell.seed, cell.family) == (1, "mapping"):
            raise TrainingError("the training diverges at every rate")
        return real(loaded, cell, *others, **named)

    monkeypatch.setattr(workers, "run_one", diverges)
    told = Told()
    with pytest.raises(TrainingError, match="1 of 4 cells could not be tuned; tools/Use, seed 1, mapping"):
        compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, progress=told, **SETTINGS)
    assert "cell-failed" in told.events and len(done_cells(tmp_path)) == 3
    assert read_results(tmp_path).missing == ("tools/Use, mapping, seed 1",)
    monkeypatch.undo()
    compare(str(task_file), model=str(tiny_dir), out=tmp_path, workers=1, **SETTINGS)
    assert lasting(tmp_path) == lasting(finished)


def test_two_runs_do_not_work_in_one_folder(
    tiny_dir: Path, task_file: Path, tmp_path: Path, finished: Path
) -> None:
    path = copy(finished, tmp_path / "run")
    (path / "steps" / "finished.json").unlink()
    with Lock() as lock:
        lock.take(path)
        with pytest.raises(RunError, match="another run is at work"):
            compare(str(task_file), model=str(tiny_dir), out=path, workers=1, **SETTINGS)
    assert compare(str(task_file), model=str(tiny_dir), out=path, workers=1, **SETTINGS).worked


def stop_after(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """Ctrl-C when so many cells are done."""
    from mto.pipeline import workers

    real, calls = workers.run_one, []

    def interrupted(*others: Any, **named: Any) -> Any:
        calls.append(others)
        if len(calls) > cells:
            raise KeyboardInterrupt
        return real(*others, **named)

    monkeypatch.setattr(workers, "run_one", interrupted)
