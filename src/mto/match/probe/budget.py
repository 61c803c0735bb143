"""The budget of a probe, in steps and in seconds: what the next rung may cost, and when to break off."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mto.match.probe.config import ProbeConfig
from mto.match.probe.halving import Spent, rungs_needed

Clock = Callable[[], float]
PILOT_STEPS = 4
"""Most steps of the second of two trainings that only measure the pace. The first, of one step, is slow for once (the
program warms up), and says whether there is time for the second, whose pace counts."""
PILOT_ROOM = 4
"""The first pilot is made where there is time for so many of it, as it was guessed."""
WARM_ROOM = 1.5
"""The second is made where there is time for so many of it at the pace of the first. That pace is measured, and holds
the warm-up, so that the second takes far less: more room than this would refuse trainings that can be paid."""
FIRST_STEP = 10.0
"""A step not yet measured is taken for this many times the zero-shot scoring of its rows: forward, backward (twice
that), the update of every weight (for few short rows as long again), and the first touch of memory; so it errs on
the safe side."""


@dataclass
class Pace:
    """How long trainings take, in seconds: what each takes besides its steps, and what a step takes.

    Attributes:
        fixed: outside of steps, over `trainings`: putting weights back, setting up, scoring.
        stepping: within `steps`. The first step of a training is slow (memory for the optimiser), so that short
            trainings say too much rather than too little about a step of longer ones.
        pilot: whether this is known from a pilot only, which the first real training replaces.

    >>> pace = Pace()
    >>> pace.note(4, seconds=1.5, stepping=1.0, pilot=True)
    >>> pace.note(10, seconds=2.5, stepping=2.0)
    >>> pace.expect(20)
    4.5
    """

    fixed: float = 0.0
    trainings: int = 0
    stepping: float = 0.0
    steps: int = 0
    pilot: bool = True

    @property
    def each(self) -> float:
        """Seconds of a training besides its steps."""
        return self.fixed / self.trainings

    @property
    def step(self) -> float:
        """Seconds a step."""
        return self.stepping / self.steps

    def expect(self, steps: int) -> float:
        """Seconds of a training of so many steps."""
        return self.each + self.step * steps

    def note(self, steps: int, seconds: float, stepping: float, *, pilot: bool = False) -> None:
        """A training of `steps` took `seconds` in all, `stepping` of them in its steps."""
        if self.pilot:
            self.fixed, self.trainings, self.stepping, self.steps = 0.0, 0, 0.0, 0
        self.pilot = pilot
        self.fixed += max(0.0, seconds - stepping)
        self.stepping += stepping
        self.trainings, self.steps = self.trainings + 1, self.steps + steps


class Purse:
    """Counts steps and seconds of one probe from its making on.

    Args:
        clock: seconds from any beginning; a parameter for tests.
    """

    def __init__(self, config: ProbeConfig, clock: Clock = time.perf_counter) -> None:
        self._config, self._clock, self._began = config, clock, clock()
        self._pace: dict[str, Pace] = {}
        self.steps = 0

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock() - self._began

    @property
    def timed(self) -> bool:
        """Whether there is a budget in seconds."""
        return self._config.budget_seconds is not None

    # -- what may be begun ----------------------------------------------------------------------------------------

    def plan(self, rung: int, arms: int, units: Mapping[str, int], before: int) -> int | None:
        """Steps of each training at the next rung, or None where none that are more than `before` can be paid.

        Args:
            rung: its number, from 1.
            arms: arms that are left.
            units: trainings at this rung of each checkpoint (arms x folds x rates).
            before: steps at the rung before.

        >>> purse = Purse(ProbeConfig(budget_steps=300))
        >>> purse.plan(1, 4, {"mini": 12}, 0)  # half of 300 for this rung, the other half for the next
        12
        >>> purse.steps = 144
        >>> purse.plan(2, 2, {"mini": 6}, 12)
        26
        """
        config = self._config
        left = rungs_needed(arms, config.eta)
        if config.rungs is not None:
            left = min(left, config.rungs - rung + 1)
        if left < 1:
            return None
        most = self._affordable(units, 1.0)
        if config.first_steps is not None:
            steps = min(config.first_steps * config.eta ** (rung - 1), config.most_steps, most)
        else:
            # Room to grow by `eta` at each rung to come.
            cap = max(1, config.most_steps // config.eta ** (left - 1))
            steps = min(cap, self._affordable(units, 1.0 / left))
        if steps <= before:  # an equal share tells nothing new; perhaps all that is left does
            steps = min(config.most_steps, most)
        return steps if steps > before else None

    def _affordable(self, units: Mapping[str, int], share: float) -> int:
        config, bounds = self._config, []
        if config.steps_allowed is not None:
            bounds.append((config.steps_allowed - self.steps) * share / sum(units.values()))
        if config.budget_seconds is not None:
            fixed = sum(count * self._pace[model].each for model, count in units.items())
            step = sum(count * self._pace[model].step for model, count in units.items())
            bounds.append(((config.budget_seconds - self.seconds) * share - fixed) / max(step, 1e-9))
        return int(max(0.0, min(bounds)) + 1e-9)

    # -- pace -----------------------------------------------------------------------------------------------------

    def knows(self, model: str) -> bool:
        """Whether the pace of a checkpoint is known."""
        return model in self._pace

    def time_left_for(self, seconds: float) -> bool:
        """Whether work of so many seconds ends within the budget."""
        budget = self._config.budget_seconds
        return budget is None or self.seconds + seconds <= budget

    def steps_left_for(self, steps: int) -> bool:
        """Whether so many steps can be paid."""
        allowed = self._config.steps_allowed
        return allowed is None or self.steps + steps <= allowed

    def note(self, model: str, steps: int, seconds: float, stepping: float, *, pilot: bool = False) -> None:
        """A training has taken so long; see `Pace.note`."""
        self._pace.setdefault(model, Pace()).note(steps, seconds, stepping, pilot=pilot)

    def pilot_steps(self, model: str) -> int | None:
        """Steps of the second pilot: the most, up to `PILOT_STEPS`, that leave room at the pace of the first; None: not even one.

        >>> purse = Purse(ProbeConfig(budget_seconds=10), clock=lambda: 0.0)
        >>> purse.note("mini", 1, seconds=3.0, stepping=1.5, pilot=True)  # with its warm-up
        >>> purse.pilot_steps("mini")  # three steps need 1.5 x (1.5 + 3 x 1.5) = 9 seconds, four 11.25
        3
        """
        pace = self._pace[model]
        fits = (n for n in range(PILOT_STEPS, 0, -1) if self.time_left_for(WARM_ROOM * pace.expect(n)))
        return next(fits, None)

    # -- breaking off ---------------------------------------------------------------------------------------------

    def check(self, rest: Mapping[str, int] | None = None, steps: int = 0) -> None:
        """Raise `Spent` when the seconds, with the slack, do not last for what is left of a rung.

        Args:
            rest: trainings that are left at this rung of each checkpoint; None: only look at the clock.
        """
        if self._config.budget_seconds is None:
            return
        need = sum(count * self._pace[model].expect(steps) for model, count in (rest or {}).items() if count)
        if self.seconds + need > self._config.budget_seconds * (1 + self._config.slack):
            raise Spent
