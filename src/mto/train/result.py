"""What a training gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Evaluation:
    """The values that the evaluation hook returned after `step` updates."""

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class TrainResult:
    """A finished training.

    Attributes:
        steps: updates done (fewer than asked for when it stopped early).
        losses: mean nats a target token, one for each step, from the first step of the first start.
        evaluations: in the order of their steps.
        source_tokens, target_tokens: seen in all, pads not counted, over all processes.
        seconds: spent in updates since this start (evaluation and checkpoints not counted).
        tokens_per_second: source and target tokens of this start by `seconds`.
        peak_share: share of the measured matrix-product peak, 0 to 1; None when it was not measured.
        precision: what was computed in, with the reason.
        stopped_because: "steps", "patience" or "data".
        best: the best evaluation by the watched value, if there was one.
        resumed_at: the step this start began at (0: a fresh one).
    """

    steps: int
    losses: tuple[float, ...]
    evaluations: tuple[Evaluation, ...]
    source_tokens: int
    target_tokens: int
    seconds: float
    tokens_per_second: float
    peak_share: float | None
    precision: str
    stopped_because: str
    best: Evaluation | None = None
    resumed_at: int = 0

    @property
    def tokens(self) -> int:
        """Source and target tokens seen in all."""
        return self.source_tokens + self.target_tokens
