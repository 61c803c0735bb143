"""Prepare in child processes that are killed with SIGKILL again and again. Prints what happened as JSON.

Run as ``python -m tests.prepare.killed FOLDER KILLS SEED``. Children are forked after the imports, so each costs milliseconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from tests.prepare.text import files, prepared, write_text


def start(text: Path, out: Path) -> int:
    child = os.fork()
    if child == 0:
        try:
            prepared(text, out, piece_bytes=4000)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(3)
    return child


def finish(text: Path, out: Path) -> float:
    begin = time.monotonic()
    assert os.waitpid(start(text, out), 0)[1] == 0, "a child failed by itself"
    return time.monotonic() - begin


def same(ours: dict[str, bytes], calm: dict[str, bytes]) -> None:
    differ = sorted(name for name in {*ours, *calm} if ours.get(name) != calm.get(name))
    assert not differ, f"the bytes differ: {differ}"


def main(folder: Path, kills: int, seed: int) -> dict[str, int]:
    rng = np.random.default_rng(seed)
    text = write_text(folder / "text.txt")
    prepared(text, folder / "warm", piece_bytes=4000)  # what every child needs is imported once: by using it
    seconds = finish(text, folder / "calm")
    calm = files(folder / "calm")
    killed = whole = 0
    out = folder / "rough0"
    while killed < kills:
        child = start(text, out)
        time.sleep(float(rng.uniform(0, seconds / 3)))
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, "a child failed by itself"
            same(files(out), calm)
            whole += 1
            out = folder / f"rough{whole}"
            continue
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed += 1
    finish(text, out)
    same(files(out), calm)
    return {"killed": killed, "finished": whole + 1}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))) + "\n")
