"""What a probe can be told. Light to import: no torch here."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from mto.config import Strict
from mto.tune.config import TuneConfig

DEFAULT_STEPS = 300
"""About a minute with the embedded model on one core: 4 families, 30 rows, 3 folds."""


class ProbeConfig(Strict):
    """One tournament; see `mto.match.probe.run.probe` for what is done with each of these."""

    budget_steps: PositiveInt | None = None
    """Most optimiser steps over all arms, folds and rungs, those of trainings begun anew counted again. None: 300,
    or no bound where `budget_seconds` is given. The answer is then the same for the same seed."""
    budget_seconds: PositiveFloat | None = None
    """Most seconds by the clock, loading and scoring counted. The answer then depends on the machine's speed."""
    folds: PositiveInt = Field(default=3, ge=2)
    """Head-disjoint parts of the labelled rows; fewer where there are fewer heads."""
    rungs: PositiveInt | None = None
    """Most rungs with training. None: as many as it takes until one arm is left."""
    first_steps: PositiveInt | None = None
    """Steps of each training at the first rung, `eta` times as many at each further rung. None: each rung gets an
    equal share of the budget."""
    most_steps: PositiveInt = 60
    """No training is longer, however large the budget: few-shot tuning is at or past its best by then."""
    looks: PositiveInt = 3
    """How often a training is scored: after all of its steps, half of them, a quarter, … A family can be past its best
    after 5 steps that another needs 20 for, and tuning will choose the steps of each."""
    eta: int = Field(default=2, ge=2)
    """One in `eta` arms (rounded up) stays after a rung."""
    drop_untrained: bool = False
    """Whether arms are already dropped by their zero-shot scores. Off, because training turns that order round: a
    family that the model was not taught is poor before and may be good after ten steps. For many arms it saves much."""
    judge: Literal["bits", "rank"] = "bits"
    """By what the worse arms are dropped: bits per target byte over all held-out rows, or the mean over these rows of
    an arm's rank by it (with a metric: of the mean of both ranks), which one odd row cannot turn."""
    metric: str | None = None
    """A metric of generated answers to be looked at too, such as ``rouge_l``, or where rows have options ``rank_sum``; generation
    takes most of the time."""
    rates: tuple[PositiveFloat, ...] | None = Field(default=None, min_length=1)
    """Constant learning rates, ascending. None: the middle one of the checkpoint's kind in `mto.tune.defaults`. With
    several, each arm trains with all of them at its first rung with training, then goes on with its better one."""
    phrases: PositiveInt = 1
    """With how many of the task's phrases, from the first on, a family that uses one is tried."""
    tuning: TuneConfig = TuneConfig()
    """How a step is made: optimiser, rows a batch, dropout, precision, longest source. Its rates, ladder, metric,
    choice and seed are not read."""
    slack: NonNegativeFloat = Field(default=0.05, le=0.5)
    """Share of `budget_seconds` by which work under way may run over before it is broken off."""

    @field_validator("rates")
    @classmethod
    def _ascending(cls, values: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if values is not None and any(b <= a for a, b in pairwise(values)):
            raise ValueError("must ascend, and no value may stand twice")
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.first_steps is not None and self.first_steps > self.most_steps:
            raise ValueError(f"first_steps ({self.first_steps}) exceeds most_steps ({self.most_steps})")
        return self

    def looks_at(self, steps: int) -> tuple[int, ...]:
        """After which of its steps a training is scored, ascending.

        >>> ProbeConfig().looks_at(26), ProbeConfig().looks_at(2)
        ((6, 13, 26), (1, 2))
        """
        return tuple(sorted({max(1, steps >> halved) for halved in range(self.looks)}))

    @property
    def steps_allowed(self) -> int | None:
        """The bound on steps with its default filled in; None for no bound.

        >>> ProbeConfig().steps_allowed, ProbeConfig(budget_seconds=60).steps_allowed
        (300, None)
        """
        if self.budget_steps is None and self.budget_seconds is None:
            return DEFAULT_STEPS
        return self.budget_steps
