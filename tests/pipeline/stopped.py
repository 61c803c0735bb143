"""Run a comparison in child processes that are stopped again and again. Prints what happened as JSON.

Run as ``python -m tests.pipeline.stopped TASK MODEL OUT``. Children are forked after the imports, so each costs
milliseconds; a child is stopped at a moment of its own, in a cell or while something is being written.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import mto
from mto.errors import Interrupted
from mto.evaluate.metrics import metrics
from mto.pipeline import compare
from tests.pipeline.small import SETTINGS, done_cells

FINISHED, INTERRUPTED = 0, 130


def child(task: str, model: str, out: Path) -> int:
    """Run the comparison; the exit code says how it ended."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        compare(task, model=model, out=out, workers=1, **SETTINGS)
    except Interrupted:
        return INTERRUPTED
    except BaseException:
        traceback.print_exc()
        return 1
    return FINISHED


def stop_often(
    number: signal.Signals, states: Sequence[int], task: str, model: str, out: Path
) -> dict[str, list[int]]:
    """Start children, and stop each a moment after so many cells are done; the last one is left alone."""
    rng = np.random.default_rng(3)
    codes: list[int] = []
    seen: list[int] = []
    for wanted in (*states, 99):
        process = os.fork()
        if process == 0:
            os._exit(child(task, model, out))
        delay = float(rng.uniform(0, 0.15))
        while (status := os.waitpid(process, os.WNOHANG))[0] == 0:
            if len(done_cells(out)) >= wanted and (out / "inputs.json").exists():
                time.sleep(delay)
                os.kill(process, number)
                status = os.waitpid(process, 0)
                break
            time.sleep(0.002)
        codes.append(os.waitstatus_to_exitcode(status[1]))
        seen.append(len(done_cells(out)))
    return {"codes": codes, "done": seen}


def main() -> None:
    """Both ways of stopping, each in a folder of its own."""
    task, model, out = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    torch.set_num_threads(1)
    # What every child needs is imported once: by using it.
    mto.tune(mto.load_model(model), task, shots=4, config=mto.TuneConfig(rates=(1e-3,), ladder=(0, 1)))
    metrics.get("rouge_l")(["a"], [["b"]])
    happened = {
        "SIGKILL": stop_often(signal.SIGKILL, (0, 1, 2, 3, 4), task, model, out / "SIGKILL"),
        "SIGINT": stop_often(signal.SIGINT, (0, 2, 4), task, model, out / "SIGINT"),
    }
    sys.stdout.write(json.dumps(happened))


if __name__ == "__main__":
    main()
