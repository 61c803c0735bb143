"""The evaluation hook of an adaptation: held-out pairs by objective, and retention, written down as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mto.runs import RunFolder
from mto.train import Callback
from mto.train.held_out import HeldOut, measure
from mto.train.processes import Processes


class Checks:
    """Measures all held-out sets; ``loss`` is that of the watched one."""

    def __init__(self, sets: Sequence[HeldOut], watched: str, folder: RunFolder, together: Processes) -> None:
        self._sets, self._watched, self._folder, self._together = sets, watched, folder, together
        self.precision = "fp32"

    def __call__(self, model: Any, step: int) -> dict[str, float]:
        """Values after `step` updates. One process measures and all hear the values, because all must decide alike."""
        values: dict[str, float] = self._measure(model, step) if self._together.is_main else {}
        heard: dict[str, float] = self._together.gather(values)[0]
        return heard

    def _measure(self, model: Any, step: int) -> dict[str, float]:
        dtype = torch.bfloat16 if self.precision.startswith("bf16") else torch.float32
        values = measure(model, self._sets, dtype)
        values["loss"] = values[self._watched]
        self._folder.event("validation", step=step, **{name: round(v, 4) for name, v in values.items()})
        return values

    def listener(self) -> Callback:
        """Hears which precision was chosen, and writes events down."""
        return _Listener(self, self._folder)


class _Listener(Callback):
    def __init__(self, checks: Checks, folder: RunFolder) -> None:
        self._checks, self._folder = checks, folder

    def on_event(self, kind: str, message: str) -> None:
        if kind == "precision":
            self._checks.precision = message.partition(" ")[0].rstrip(":")
        self._folder.event(kind, message=message)
