"""Adapt in child processes that are killed with SIGKILL again and again. Prints what happened as JSON.

Run as ``python -m tests.adapt.killed FOLDER KILLS SEED``. Children are forked after the imports, so each costs milliseconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers  # noqa: F401 - before the fork, or each child imports it

import mto.match
from mto.adapt.run import adapt
from mto.families import load_model
from mto.train import checkpoints
from tests.adapt.prepared import config, general

assert mto.match.Match  # loaded before the fork too


def work(folder: Path, run: str) -> None:
    """One start of the adaptation, slowed down while it writes checkpoints."""
    fast = checkpoints.save_file

    def slow(tensors: Any, path: Path) -> None:
        fast(tensors, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        time.sleep(0.008)
        path.write_bytes(whole)

    checkpoints.save_file = slow
    settings = config(
        folder, objective="ul2", epochs=6, evaluations=2, checkpoint_every=5, dropout=0.1, patience=None, precision="bf16",
        replay=str(folder / "more.txt"),
    )  # fmt: skip
    adapt(settings, folder / run)


def start(folder: Path, run: str) -> int:
    child = os.fork()
    if child == 0:
        try:
            torch.set_num_threads(1)
            work(folder, run)
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"child failed: {error!r}\n")
            sys.stderr.flush()
            os._exit(3)
    return child


def newest(folder: Path, run: str) -> str:
    return max((p.name for p in (folder / run / "checkpoints").glob("step-*")), default="")


def kill_at_some_moment(folder: Path, run: str, rng: np.random.Generator, after_checkpoint: bool) -> bool:
    """Start, wait for some time or for a new checkpoint and a little more, kill. True when it was killed before its end."""
    before, child, begin = newest(folder, run), start(folder, run), time.monotonic()
    wait, more = float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.0, 0.15))
    while (newest(folder, run) == before) if after_checkpoint else (time.monotonic() - begin < wait):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, "the child failed by itself"
            return False
        time.sleep(0.001)
    time.sleep(more if after_checkpoint else 0)
    if os.waitpid(child, os.WNOHANG)[0]:
        return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def finished(folder: Path, run: str) -> tuple[str, bytes, dict[str, Any]]:
    assert os.waitpid(start(folder, run), 0)[1] == 0
    path = folder / run
    values = json.loads((path / "result.json").read_text())
    kept = {name: values[name] for name in ("steps", "tokens", "before", "after", "kept_step", "objectives")}
    return load_model(path / "model").revision, (path / "model" / "config.json").read_bytes(), kept


def main(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    config(folder)
    (folder / "more.txt").write_text("\n".join(general(30, start=3)))
    rng = np.random.default_rng(seed)
    calm, trainings, killed, resumed, tries = finished(folder, "calm"), 1, 0, 0, 0
    while killed < kills:
        run = f"rough{trainings}"
        tries += 1
        if kill_at_some_moment(folder, run, rng, after_checkpoint=tries % 3 > 0):
            killed += 1
            resumed += any((folder / run / "checkpoints").glob("step-*"))
        else:
            # It finished before all kills were spent: check it, and kill a new one for the rest.
            assert finished(folder, run) == calm, "a killed adaptation differs"
            trainings += 1
    assert finished(folder, f"rough{trainings}") == calm, "a killed adaptation differs"
    return {"killed": killed, "killed_after_a_checkpoint": resumed, "adaptations": trainings}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))) + "\n")
