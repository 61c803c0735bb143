"""`mto prepare` as a command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.conftest import Mto
from tests.prepare.text import TASKS, write_text

MAKER = "maker=tests.prepare.fake:KIND"


def test_it_prepares_and_says_what_it_did(mto: Mto) -> None:
    write_text(Path("text.txt"), rows=60)
    words = (
        "prepare",
        *TASKS,
        "--corpus",
        "text.txt",
        "--out",
        "pairs",
        "-n",
        "8",
        "-w",
        "1",
        MAKER,
        "--per-task",
        "20",
    )
    told = mto(*words)
    assert told.exit_code == 0, told.output
    assert "chosen for tasks" in told.output and "40" in told.output
    assert f"{TASKS[0]}: " in told.output and "mto adapt --pairs pairs" in told.output
    again = mto(*words, "--json")
    assert json.loads(again.stdout)["prepared"]["pairs"]["task"] == 40


def test_a_dry_run_makes_nothing(mto: Mto) -> None:
    write_text(Path("text.txt"), rows=5)
    told = mto("prepare", TASKS[0], "--corpus", "text.txt", "--dry-run", "-n", "8", MAKER)
    assert told.exit_code == 0
    assert "8 labelled rows" in told.output and "1 files or data sets in 1 pieces" in told.output
    assert not Path("runs").exists()


def test_bad_input_is_said_and_gives_exit_code_2(mto: Mto) -> None:
    write_text(Path("text.txt"), rows=5)
    for words, message in (
        (("household/ObjectUze", "--corpus", "text.txt"), "did you mean"),
        ((TASKS[0], "--corpus", "nowhere.txt"), "no file matches"),
        ((TASKS[0],), "corpus: required, but not given"),
        ((TASKS[0], "--corpus", "text.txt", "--retrieval", "magic"), "retrieval"),
        ((TASKS[0], "--corpus", "text.txt", "maker=nothing"), "no maker of pairs is named 'nothing'"),
        ((TASKS[0], "--corpus", "text.txt", "-n", "8", MAKER, "sentences=rulez"), "did you mean 'rules'"),
    ):
        shutil.rmtree("out", ignore_errors=True)
        told = mto("prepare", *words, "-w", "1", "--out", "out", "--quiet")
        assert told.exit_code == 2, (words, told.output)
        assert message in told.output, (words, told.output)
