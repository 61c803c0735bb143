"""A worker process: computes one cell after the other, told on standard input, telling on standard output.

Both are lines of JSON. A worker ends when its standard input does, at once and whatever it is doing: so none is left
behind when the process that started it is killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mto.errors import MtoError, RunError, error_json
from mto.pipeline.cells import CellId, run_one
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import Inputs
from mto.tune.progress import TuneCallback, TuneStatus
from mto.tune.sweep import SweepPoint

Tell = Callable[[dict[str, Any]], None]


def work(told: queue.Queue[dict[str, Any]], tell: Tell) -> None:
    """Load the model once, then compute cells until there are no more."""
    order = told.get()
    folder = Path(order["folder"])
    config = CompareConfig.model_validate(order["config"])
    inputs = Inputs.read(folder, config.seeds)
    if inputs is None:
        raise RunError("lacks its inputs", where=str(folder))
    import torch

    from mto.families import load_model

    torch.set_num_threads(config.threads)
    loaded = load_model(config.model, device=inputs.device)
    check_revision(loaded.revision, inputs, folder)
    tell({"kind": "ready"})
    while True:
        cell = CellId(**told.get()["cell"])
        try:
            result = run_one(loaded, cell, config, inputs, folder, progress=Told(cell, tell))
            tell({"kind": "done", "cell": asdict(cell), "result": result})
        except MtoError as error:
            tell({"kind": "failed", "cell": asdict(cell), "error": error_json(error)})


def check_revision(revision: str, inputs: Inputs, folder: Path) -> None:
    """Raise `RunError` where the checkpoint is not the one that the run began with."""
    if revision != inputs.model["revision"]:
        raise RunError(
            f"this run began with another version of '{inputs.model['ref']}' "
            f"(weights {inputs.model['revision']} then, {revision} now)",
            where=str(folder),
            hint="put the old checkpoint back, or choose another folder with --out; what is done here stays",
        )


class Told(TuneCallback):
    """Passes a sweep's progress on."""

    def __init__(self, cell: CellId, tell: Tell) -> None:
        self._cell, self._tell = cell, tell

    def on_start(self, status: TuneStatus) -> None:
        """A sweep begins."""
        self._say(status)

    def on_rung(self, status: TuneStatus, point: SweepPoint) -> None:
        """A rung is done."""
        self._say(status)

    def _say(self, status: TuneStatus) -> None:
        self._tell({"kind": "progress", "step": self._cell.step, **progress_json(status)})


def progress_json(status: TuneStatus) -> dict[str, Any]:
    """How far a cell is, 0 to 1, and what it is doing."""
    share = status.steps / status.of_steps if status.of_steps else 1.0
    if status.fold:
        number, _, of = status.fold.split(",")[0].partition("/")
        share = (int(number) - 1 + share) / int(of)
    what = f"rate {status.rate:g}" if status.rate else "untuned"
    return {"share": share, "what": f"fold {status.fold}, {what}" if status.fold else what}


def _listen(lines: Any, told: queue.Queue[dict[str, Any]]) -> None:
    for line in lines:
        told.put(json.loads(line))
    os._exit(0)  # the other side is gone or wants no more


def main() -> None:
    """Entry of the process."""
    # Ctrl-C goes to every process of the terminal; the one that started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not mix with the messages
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, told), daemon=True).start()

    def tell(message: dict[str, Any]) -> None:
        try:
            channel.write(json.dumps(message) + "\n")
            channel.flush()
        except BrokenPipeError:
            os._exit(1)

    try:
        work(told, tell)
    except MtoError as error:
        tell({"kind": "broken", "error": error_json(error)})
        os._exit(1)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # at once: the listening thread must not delay the end


if __name__ == "__main__":
    main()
