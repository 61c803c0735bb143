"""How a sweep tells what it is doing. The library itself says nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mto.tune.sweep import SweepPoint


@dataclass(frozen=True)
class TuneStatus:
    """Where a sweep stands.

    Attributes:
        task, family, seed: the cell.
        fold: such as ``2/5`` inside a cross-validation, else None.
        rate: the learning rate under way (0.0 while the untuned model is measured).
        rungs, of_rungs: rungs done, and rungs of all rates; rungs that early stopping skips count as done.
        steps, of_steps: training steps done, and in all; the same holds. `of_…` grows when the grid is extended.
    """

    task: str
    family: str
    seed: int
    fold: str | None
    rate: float
    rungs: int
    of_rungs: int
    steps: int
    of_steps: int


class TuneCallback:
    """Inherit and override what you want to hear of; every method does nothing by default."""

    def on_start(self, status: TuneStatus) -> None:
        """A sweep begins."""

    def on_rung(self, status: TuneStatus, point: SweepPoint) -> None:
        """One rung of one rate was measured on dev."""

    def on_extend(self, status: TuneStatus, rate: float) -> None:
        """The best rate lies at the edge of the grid, so `rate` is tried as well."""

    def on_end(self, status: TuneStatus, chosen: SweepPoint) -> None:
        """The sweep has ended with this choice."""
