"""Successive halving as an algorithm: who is measured, with how many steps, and who is dropped. Knows no model.

Jamieson and Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter optimization", algorithm 1:
every rung gets the same share of the budget, and after each the worse half of the arms is dropped, so that the arms
that stay get twice the steps. Here a rung of 0 steps (zero-shot) goes before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Ended = Literal["winner", "budget", "stopped"]
Measure = Callable[[int, int, tuple[str, ...]], Mapping[str, float]]
Plan = Callable[[int, tuple[str, ...], int], int | None]


class Spent(Exception):  # noqa: N818 - a signal inside the tournament, not a fault
    """The budget does not last for the rung under way."""


class Stopped(Exception):  # noqa: N818 - as above
    """The user asked to stop."""


@dataclass(frozen=True)
class Ran:
    """One finished rung: `values` (lower is better, infinite for a failed training) of the arms that took part, and
    those that were `kept` and `dropped`, each best first."""

    number: int
    steps: int
    values: Mapping[str, float]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Race:
    """Finished rungs and why there are no more."""

    rungs: tuple[Ran, ...]
    ended: Ended

    @property
    def ranking(self) -> tuple[str, ...]:
        """All arms, best first: those kept last, then those dropped, the latest first."""
        dropped = [name for rung in reversed(self.rungs) for name in rung.dropped]
        return (*self.rungs[-1].kept, *dropped)


def rungs_needed(arms: int, eta: int) -> int:
    """How many times one in `eta` (rounded up) must be kept until one arm is left.

    >>> [rungs_needed(arms, 2) for arms in (1, 2, 3, 4, 5, 12)]
    [0, 1, 2, 2, 3, 4]
    """
    count = 0
    while arms > 1:
        arms, count = math.ceil(arms / eta), count + 1
    return count


def successive_halving(
    arms: Sequence[str],
    measure: Measure,
    plan: Plan,
    *,
    eta: int = 2,
    drop_untrained: bool = False,
) -> Race:
    """Measure all arms untrained, then train ever fewer of them ever longer until one is left.

    Args:
        arms: names; of equal arms the one that did better before wins, at first the one that stands first.
        measure: ``measure(rung, steps, arms)`` gives each arm's value after so many steps, lower is better,
            infinite for one that failed. At rung 0 (0 steps) it may leave arms out, which are then out of the race.
            It may raise `Spent`, `Stopped` or `KeyboardInterrupt` (`plan` too): that rung decides nothing, and the
            answer is that of the rungs before.
        plan: ``plan(rung, arms, steps of the rung before)`` gives the next rung's steps, or None where the budget
            allows none that would tell more.
        drop_untrained: whether arms are dropped after rung 0 too.

    Raises:
        Spent, Stopped, KeyboardInterrupt: before rung 0 was finished, when there is no answer.

    >>> bits = {"mapping": 3.0, "masked-mapping": 2.9, "prompting": 2.1, "masked-prompting": 2.3}
    >>> race = successive_halving(
    ...     list(bits),
    ...     measure=lambda rung, steps, arms: {arm: bits[arm] - steps / 100 for arm in arms},
    ...     plan=lambda rung, arms, before: 48 // len(arms),
    ... )
    >>> [(rung.steps, rung.kept) for rung in race.rungs[1:]]
    [(12, ('prompting', 'masked-prompting')), (24, ('prompting',))]
    >>> race.ended, race.ranking[1]
    ('winner', 'masked-prompting')
    """
    alive, steps = tuple(arms), 0
    rungs: list[Ran] = []
    ended: Ended = "winner"
    for number in range(len(arms) + 1):
        if number and len(alive) == 1:
            break
        try:
            planned = plan(number, alive, steps) if number else 0
            if planned is None:
                raise Spent
            steps = planned
            values = measure(number, steps, alive)
        except (Spent, Stopped, KeyboardInterrupt) as signal:
            if not rungs:
                raise
            ended = "budget" if isinstance(signal, Spent) else "stopped"
            break
        keep = len(alive) if number == 0 and not drop_untrained else math.ceil(len(alive) / eta)
        rungs.append(_cut(number, steps, alive, values, keep))
        alive = rungs[-1].kept
    return Race(tuple(rungs), ended)


def _cut(number: int, steps: int, alive: Sequence[str], values: Mapping[str, float], keep: int) -> Ran:
    # Stable: equal arms, also those that all failed, stay in the order of the rung before.
    order = sorted((name for name in alive if name in values), key=values.__getitem__)
    kept = [name for name in order[:keep] if math.isfinite(values[name])] or order[:1]
    return Ran(number, steps, dict(values), tuple(kept), tuple(order[len(kept) :]))
