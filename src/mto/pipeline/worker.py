"""A worker process: computes one cell after the other, told on standard input, telling on standard output (`mto.runs.serving`)."""

from __future__ import annotations

import queue
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mto.errors import MtoError, RunError, error_json
from mto.pipeline.cells import CellId, run_one
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import Inputs
from mto.runs.serving import Tell, serve
from mto.tune.progress import TuneCallback, TuneStatus
from mto.tune.sweep import SweepPoint


def work(told: queue.Queue[dict[str, Any]], tell: Tell) -> None:
    """Load the model once, then compute cells until there are no more."""
    order = told.get()
    folder = Path(order["folder"])
    config = CompareConfig.model_validate(order["config"])
    inputs = Inputs.read(folder, config.seeds)
    if inputs is None:
        raise RunError("lacks its inputs", where=str(folder))
    import torch

    from mto.pipeline.checkpoint import load_checkpoint

    torch.set_num_threads(config.threads)
    loaded = load_checkpoint(config, inputs.device)
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


def work_or_tell(told: queue.Queue[dict[str, Any]], tell: Tell) -> None:
    """`work`; what stops it altogether is told as an error that a person can act on."""
    try:
        work(told, tell)
    except MtoError as error:
        tell({"kind": "broken", "error": error_json(error)})


if __name__ == "__main__":
    serve(work_or_tell)
