"""Work shared by processes: every job is done once, and a dead process holds up nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mto.runs import Job, RunFolder, share

WORKER = """
import sys, time
from pathlib import Path
from mto.runs import Job, RunFolder, share

folder, name, pause = RunFolder(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def work(n):
    with (folder.path / "log").open("a") as log:
        log.write(f"{name} {n}\\n")
    time.sleep(pause)
    return n * n

share(folder, [Job(f"job/{n}", "k", lambda n=n: work(n)) for n in range(8)])
"""


def start(folder: Path, name: str, pause: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, str(folder), name, str(pause)])


def test_two_processes_do_each_job_once(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    workers = [start(tmp_path, name, 0.15) for name in ("one", "two")]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(int(n) for _, n in lines) == list(range(8))
    assert [RunFolder(tmp_path).done(f"job/{n}", "k") for n in range(8)] == [n * n for n in range(8)]


def test_the_job_of_a_killed_process_is_done_by_another(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    dead = start(tmp_path, "dead", 600)
    while not (tmp_path / "log").read_text():
        time.sleep(0.02)
        assert dead.poll() is None
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait(60)
    share(RunFolder(tmp_path), [Job(f"job/{n}", "k", lambda n=n: n * n) for n in range(8)])  # type: ignore[misc]
    assert [RunFolder(tmp_path).done(f"job/{n}", "k") for n in range(8)] == [n * n for n in range(8)]


def test_what_was_finished_stays_when_a_job_fails(tmp_path: Path) -> None:
    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        share(RunFolder(tmp_path), [Job("a", "k", lambda: 1), Job("b", "k", fails)])
    assert RunFolder(tmp_path).done("a", "k") == 1
    share(RunFolder(tmp_path), [Job("a", "k", fails), Job("b", "k", lambda: 2)])
    assert RunFolder(tmp_path).done("b", "k") == 2


def test_other_inputs_are_another_job(tmp_path: Path) -> None:
    for key in ("old", "new"):
        share(RunFolder(tmp_path), [Job("a", key, lambda key=key: key)])  # type: ignore[misc]
    assert RunFolder(tmp_path).done("a", "new") == "new"
