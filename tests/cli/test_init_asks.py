"""`mto init` on a terminal: it asks what it cannot guess."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mto.tasks import load_task

pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")


def talk(folder: Path, words: Sequence[str], turns: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run the command on a terminal of its own; each turn waits for a text and types an answer. Gives exit code and all that was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mto", "init", *words]

    def on_terminal() -> None:
        os.login_tty(theirs)  # as its controlling one, so that Ctrl-C reaches it
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the tests may be run by something that ignores it

    process = subprocess.Popen(command, cwd=folder, pass_fds=[theirs], preexec_fn=on_terminal)
    os.close(theirs)
    shown, read, left = "", 0, list(turns)
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part.decode()
        if left and left[0][0] in shown[read:]:
            read = len(shown)
            os.write(ours, f"{left.pop(0)[1]}\n".encode())
    os.close(ours)
    if time.monotonic() >= until:
        process.kill()
        pytest.fail(f"no end: {shown}")
    assert not left, f"never asked {left[0][0]!r}: {shown}"
    return process.wait(30), shown


def test_labels_that_are_numbers_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"film {n},{n % 2}\n" for n in range(8)))
    code, shown = talk(tmp_path, ["a.csv"], [("'0' mean?", "bad"), ("'1' mean?", "good")])
    assert code == 0, shown
    assert set(load_task(tmp_path / "a.yaml").form.labels) == {"bad", "good"}


def test_a_kind_and_columns_are_asked_for_until_they_fit(tmp_path: Path) -> None:
    text = "x,y,z\n" + "".join(f"a b c {n},d e f {n} g,h i {n}\n" for n in range(8))
    (tmp_path / "a.csv").write_text(text)
    turns = [
        ("kind (", "text-two-text"),
        ("did you mean 'text-to-text'", "text-to-text"),
        ("columns source", "y"),
        ("columns target", "w"),
        ("'w' is none of these", "z"),
    ]
    code, shown = talk(tmp_path, ["a.csv"], turns)
    assert code == 0, shown
    [first, *_] = load_task(tmp_path / "a.yaml").train
    assert first.fields["source"].startswith("d e f") and first.targets[0].startswith("h i")


def test_ctrl_c_at_a_question_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"film {n},{n % 2}\n" for n in range(8)))
    code, shown = talk(tmp_path, ["a.csv"], [("'0' mean?", "\x03")])
    assert code == 130 and "stopped before the task file was written" in shown and "Traceback" not in shown
    assert not list(tmp_path.glob("*.yaml"))
