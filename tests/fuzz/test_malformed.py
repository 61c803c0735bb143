"""Whatever a file holds, a command gives a result or says what is wrong, where, and what to do; each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fuzz.inputs import INPUTS, Bad

LIGHT = (("validate", "{ref}", "--model", "none"), ("init", "{file}", "--out", "made.yaml"))
"""Commands that read rows and load no model."""
TRAIN = ("--model", "{model}", "--shots", "4", "--steps", "0,1", "--rates", "1e-3", "-q")
HEAVY = (
    ("validate", "{ref}", "--model", "{model}"),
    ("run", "{ref}", "--dry-run", "--model", "{model}", "--families", "mapping", "--seeds", "1", "-q"),
    ("tune", "{ref}", "--family", "mapping", *TRAIN, "--out", "tuned"),
    ("predict", "--run", "{run}", "--input", "{file}", "--output", "answers.csv", "-q"),
    ("prepare", "household/ObjectUse", "--corpus", "{file}", "--out", "pairs"),
)
"""Commands that load a model or take long."""


@dataclass(frozen=True)
class Told:
    """What a process gave."""

    code: int
    out: str
    err: str


def mto(words: tuple[str, ...], folder: Path, seconds: int = 300) -> Told:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mto", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    return Told(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


def put(bad: Bad, folder: Path) -> None:
    """Write the files of an input."""
    folder.mkdir(parents=True)
    if bad.data is not None:
        (folder / bad.file).parent.mkdir(exist_ok=True)
        (folder / bad.file).write_bytes(bad.data)
    for name, text in {**bad.more, **({"task.yaml": bad.task} if bad.task is not None else {})}.items():
        (folder / name).write_text(text)


def complaint(bad: Bad, command: tuple[str, ...], folder: Path, **places: str) -> str:
    """What is wrong with how a command takes an input; empty where it keeps the contract."""
    put(bad, folder)
    file = bad.file.split("/")[0]
    words = tuple(
        word.format(ref=bad.ref if bad.ref != bad.file else file, file=file, **places) for word in command
    )
    try:
        told = mto(words, folder)
    except subprocess.TimeoutExpired:
        return f"{' '.join(words)}: no answer"
    said = told.out + told.err
    shown = f"{' '.join(words)} gave {told.code}:\n{said[-1500:]}"
    if told.code not in (0, 2) or "Traceback" in said or "Usage:" in said:
        return shown
    if told.code == 2:
        named = re.search(r"rows\.\w+|own\.yaml|task\.yaml", said)
        remedy = "->" in said or "error:" in told.err
        if not named or not remedy or len(told.err.splitlines()) > 30:
            return f"names no file, says no remedy, or is long: {shown}"
    names_line = bad.line is None or re.search(rf"(:|lines? |row ){bad.line}\b", said)
    if words[0] == "validate" and not bad.fine and not (told.code == 2 or names_line):
        return f"line {bad.line} is not named: {shown}"
    if words[0] == "validate" and bad.line is not None and not bad.fine and not names_line:
        return f"line {bad.line} is not named: {shown}"
    return ""


def complaints(commands: tuple[tuple[str, ...], ...], folder: Path, **places: str) -> list[str]:
    """All inputs through all commands, two processes at a time."""
    work = [
        (bad, command, folder / f"{n}-{k}")
        for n, bad in enumerate(INPUTS)
        for k, command in enumerate(commands)
    ]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda one: complaint(*one, **places), work)
        return [f"[{bad.name}] {text}" for (bad, *_), text in zip(work, found, strict=True) if text]


def test_there_are_many_kinds_of_inputs() -> None:
    assert len({bad.name for bad in INPUTS}) == len(INPUTS) >= 40


@pytest.mark.parametrize("command", LIGHT, ids=lambda command: command[0])
def test_commands_without_a_model(command: tuple[str, ...], tmp_path: Path) -> None:
    found = complaints((command,), tmp_path)
    assert not found, "\n\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("command", HEAVY, ids=lambda command: command[0])
def test_commands_with_a_model(command: tuple[str, ...], tmp_path: Path) -> None:
    from tests.pipeline.small import rows, save_tiny

    model = str(save_tiny(tmp_path / "tiny"))
    run = tmp_path / "runs"
    if command[0] == "predict":
        (tmp_path / "good.csv").write_text(rows(0, 12))
        words = (word.format(model=model) for word in TRAIN)
        made = mto(("tune", "good.csv", "--family", "mapping", *words, "--out", str(run)), tmp_path)
        assert made.code == 0, made.err
    found = complaints((command,), tmp_path / "cases", model=model, run=str(run))
    assert not found, "\n\n".join(found)
