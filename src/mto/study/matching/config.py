"""What the study of matching can be told. Light to import: no torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from mto.config import Strict
from mto.templates.family import BASIC


class MatchingStudyConfig(Strict):
    """Every family on every task and checkpoint, and what matching would have said before."""

    study: Literal["matching"] = "matching"
    title: str = "Matching"
    tasks: tuple[str, ...] = Field(min_length=1)
    data: str | None = None
    """Folder of the rows, for tasks whose data are not in the package."""
    models: tuple[str, ...] = Field(min_length=1)
    families: tuple[str, ...] = BASIC
    shots: PositiveInt = 30
    seeds: tuple[NonNegativeInt, ...] = (0, 1, 2, 3, 4)
    """Data seeds; a single number n stands for 0 to n-1."""
    max_test: PositiveInt | None = 100
    metric: str = "rouge_l"
    sweep_tasks: tuple[str, ...] = Field(min_length=1)
    """Tasks on whose dev data rate and steps are chosen, once for each family and checkpoint."""
    sweep_seeds: tuple[NonNegativeInt, ...] = (0,)
    rates: tuple[float, ...] | None = None
    """The grid of that sweep; None: the checkpoint kind's."""
    ladder: tuple[NonNegativeInt, ...] = (0, 5, 10, 20, 40, 80)
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the tuning in sweep and grid; the signals are always taken as `mto match` takes them."""
    tuned_shots: PositiveInt = 5
    """Shots of the tuned DepthRank: the reported rule speaks of 5."""
    probe_steps: NonNegativeInt = 150
    """Steps of the probe; 0: no probe."""
    probe_seeds: tuple[NonNegativeInt, ...] = (0,)
    """Data seeds for which the probe is run, because it takes most of the time."""
    workers: PositiveInt | None = None

    @field_validator("seeds", "sweep_seeds", "probe_seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value

    def fixed(self) -> dict[str, Any]:
        """What makes two studies the same: everything but where the data lie and how the work is shared out."""
        return self.model_dump(mode="json", exclude={"data", "workers", "title"})
