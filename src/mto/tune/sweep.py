"""What a sweep measured: points of (rate, steps) with their dev values, and the one that was chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Because = Literal["ladder", "worse", "diverged"]


@dataclass(frozen=True)
class SweepPoint:
    """The model after `steps` updates at one constant rate, measured on dev.

    Attributes:
        rate: learning rate; 0.0 for the untuned model (0 steps), which all rates share.
        nats_per_byte: nats of the dev answers over their UTF-8 bytes; sentinels and EOS left out, so that it is
            comparable between template families. Lower is better.
        metric: mean of the chosen metric over the dev heads, 0-100.
        seconds: from the start of this rate's run to this point, dev evaluations included.
    """

    rate: float
    steps: int
    nats_per_byte: float
    metric: float
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class RateRun:
    """How the run of one rate ended: at the end of the ladder, early because it got worse, or diverged."""

    rate: float
    steps: int
    because: Because
    message: str = field(default="", compare=False)


@dataclass(frozen=True)
class PromptTrial:
    """One soft prompt that was tried.

    Attributes:
        encoder: name of its prompt encoder.
        vectors: its vectors in all.
        asked: vectors of each of its segments, where the configuration gives them; None: as the template says.
        chosen: the best point of its sweep.
        trained: numbers that were trained, those of the encoder among them.
        kept: numbers that an answer needs.
    """

    encoder: str
    vectors: int
    asked: int | None
    chosen: SweepPoint
    trained: int = 0
    kept: int = 0

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {**vars(self), "chosen": vars(self.chosen)}


@dataclass(frozen=True)
class Sweep:
    """All points of one cell.

    Attributes:
        points: the untuned model first, then by rate in the order in which the rates were tried.
        chosen: one of `points`.
        rates: all rates tried, ascending.
        extended: those among them that were added because the best rate was at the edge of the grid.
        runs: how the run of each rate ended, in the order in which they were tried.
        reason: why `chosen` was chosen, in words.
        metric: name of the metric.
    """

    points: tuple[SweepPoint, ...]
    chosen: SweepPoint
    rates: tuple[float, ...]
    extended: tuple[float, ...]
    runs: tuple[RateRun, ...]
    reason: str
    metric: str

    def to_json(self) -> dict[str, Any]:
        """JSON-able, for `from_json`."""
        return {
            "points": [vars(point) for point in self.points],
            "chosen": self.points.index(self.chosen),
            "rates": list(self.rates),
            "extended": list(self.extended),
            "runs": [vars(run) for run in self.runs],
            "reason": self.reason,
            "metric": self.metric,
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> Sweep:
        """What `to_json` wrote."""
        points = tuple(SweepPoint(**point) for point in value["points"])
        return Sweep(
            points=points,
            chosen=points[value["chosen"]],
            rates=tuple(value["rates"]),
            extended=tuple(value["extended"]),
            runs=tuple(RateRun(**run) for run in value["runs"]),
            reason=value["reason"],
            metric=value["metric"],
        )
