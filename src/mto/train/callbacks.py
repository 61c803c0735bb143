"""How a training tells what it is doing. The library itself says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a training stands after `step` updates of `steps`.

    `loss` is in nats a target token (mean since the last report), `tokens_per_second` counts source and target without pads.
    """

    step: int
    steps: int
    loss: float
    rate: float
    tokens: int
    tokens_per_second: float
    seconds_left: float


class Callback:
    """Inherit and override what you want to hear of; every method does nothing by default.

    ``on_event`` kinds: "precision", "resumed", "checkpoint", "checkpoint-damaged", "compile", "stopped".
    """

    def on_start(self, step: int, steps: int) -> None:
        """Training begins at `step` of `steps`."""

    def on_step(self, progress: Progress) -> None:
        """Called every ``report_every`` steps."""

    def on_evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """An evaluation has ended."""

    def on_event(self, kind: str, message: str) -> None:
        """Something worth a line happened; "checkpoint-damaged" is a warning."""

    def on_end(self, step: int, because: str) -> None:
        """Training has ended."""
