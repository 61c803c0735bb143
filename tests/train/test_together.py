"""Two processes train as one does with twice the accumulation, and stop and resume together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mto.errors import TrainingError
from mto.train.launch import launch
from tests.train import together

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}


def run(folder: Path, *arguments: object, **environment: str) -> int:
    folder.mkdir(exist_ok=True)
    words = [str(folder), *map(str, arguments)]
    return launch(
        "tests.train.together", words, processes=2, threads=1, environment=ENVIRONMENT | environment
    )


def report(folder: Path, rank: int = 0) -> Any:
    return json.loads((folder / f"rank{rank}.json").read_text())


def test_two_processes_equal_one_and_resume_after_a_common_stop(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert together.main(tmp_path / "one", 6, 4, -1) == 0
    # The signal goes to the parent, which hands it on; all save after the same step.
    assert run(tmp_path / "two", 6, 2, 3) == 7
    # First in shared memory, then as if on two machines, by all-reduce.
    assert run(tmp_path / "two", 6, 2, LOCAL_WORLD_SIZE="1") == 0
    one, two = report(tmp_path / "one"), report(tmp_path / "two")
    assert 3 <= two["resumed_at"] < 6
    assert two["weights"] == report(tmp_path / "two", 1)["weights"], (
        "the processes must hold the same weights"
    )
    assert two["tokens"] == one["tokens"]
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-4)


def test_processes_leave_each_other_before_they_end(tmp_path: Path) -> None:
    # What is registered first runs last. gloo's threads must be gone by then: the interpreter's end would abort them.
    (tmp_path / "leaving.py").write_text(
        "import atexit, os, pathlib, torch\n"
        "from mto.train.processes import join_processes\n"
        "def last():\n"
        "    pathlib.Path(os.environ['FOLDER'], os.environ['RANK']).write_text(str(torch.distributed.is_initialized()))\n"
        "atexit.register(last)\n"
        "assert join_processes('cpu').gather(1) == [1, 1] == join_processes('cpu').gather(1)\n"
    )
    path = f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"
    assert launch("leaving", processes=2, environment={"PYTHONPATH": path, "FOLDER": str(tmp_path)}) == 0
    assert [(tmp_path / str(rank)).read_text() for rank in range(2)] == ["False", "False"]


def test_a_failing_program_gives_its_code_and_a_killed_one_an_error(tmp_path: Path) -> None:
    assert launch("this_module_does_not_exist", processes=2) == 1
    with pytest.raises(TrainingError, match="killed by SIGKILL"):
        (tmp_path / "suicide.py").write_text("import os; os.kill(os.getpid(), 9)")
        launch("suicide", processes=1, environment={"PYTHONPATH": str(tmp_path)})
