"""The tutorial's first two commands run as they stand and print what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mto.tasks import load_task

if TYPE_CHECKING:
    from tests.cli.conftest import Mto

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def test_the_tutorial(mto: Mto) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    (rows,) = [text for kind, text in blocks if kind == "csv"]
    Path("feedback.csv").write_text(rows)
    init, validate, run, predict = (shlex.split(text)[1:] for kind, text in blocks if kind == "sh")
    assert (init[0], validate[0], run[:2]) == ("init", "validate", ["run", "feedback.yaml"])
    assert predict[:3] == ["predict", "--run", run[-1]]
    told = mto(*init)
    assert told.exit_code == 0, told.output
    printed, findings, *_ = (text for kind, text in blocks if kind == "text")
    said = told.stderr + told.stdout
    assert [line for line in printed.splitlines() if line not in said.splitlines()] == []
    assert said.count("[feedback.csv:") == 3
    checked = mto(*validate, "--model", "none")  # without a checkpoint: lengths have a test of their own
    assert checked.exit_code == 0, checked.output
    assert [line for line in findings.splitlines()[1:] if line not in checked.stdout.splitlines()] == []
    assert len(load_task("feedback.yaml").train) == 25
