"""Dev score by rate: what the sweep saw, so that a reader can check that every family had its chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.report.results import Comparison, SweepInfo, SweepPoint


@dataclass(frozen=True)
class RatePoint:
    """Dev values of one family at one rate: at its best rung of the ladder, mean over the sweeps that have the rate.

    The best rung is taken apart for the metric (points, highest) and the likelihood (nats a byte, lowest). Where
    only some sweeps tried the rate (an extended grid), their mean is moved by what all sweeps have more without
    tuning than these do: otherwise an easy task that was swept further would look like a good rate.
    """

    rate: float
    metric: float
    nats_per_byte: float
    sweeps: int
    chosen: int
    """In how many sweeps the chosen point has this rate."""


@dataclass(frozen=True)
class DevCurve:
    """One family's dev values by rate, and those of no tuning (rung 0), if the ladder has it."""

    family: str
    title: str
    points: tuple[RatePoint, ...]
    untuned: RatePoint | None
    sweeps: int


def dev_curves(comparison: Comparison, tasks: Sequence[str] | None = None) -> tuple[DevCurve, ...]:
    """A curve for each family that was swept, over all sweeps of the named tasks (default: all)."""
    wanted = set(tasks if tasks is not None else (task.name for task in comparison.tasks))
    curves = []
    for family in comparison.families:
        sweeps = [s for s in comparison.sweeps if s.family == family.name and s.task in wanted and s.points]
        if sweeps:
            rates = sorted({p.rate for sweep in sweeps for p in sweep.points if p.steps})
            points = tuple(_at(sweeps, rate) for rate in rates)
            curves.append(DevCurve(family.name, family.title, points, _untuned(sweeps), len(sweeps)))
    return tuple(curves)


def _at(sweeps: Sequence[SweepInfo], rate: float) -> RatePoint:
    having = [sweep for sweep in sweeps if _run(sweep, rate)]
    level, part = _untuned(sweeps), _untuned(having)
    up, more = 0.0, 0.0
    if (
        len(having) < len(sweeps)
        and level
        and part
        and (level.sweeps, part.sweeps) == (len(sweeps), len(having))
    ):
        up, more = level.metric - part.metric, level.nats_per_byte - part.nats_per_byte
    return RatePoint(
        rate=rate,
        metric=up + float(np.mean([max(p.metric for p in _run(s, rate)) for s in having])),
        nats_per_byte=more + float(np.mean([min(p.nats_per_byte for p in _run(s, rate)) for s in having])),
        sweeps=len(having),
        chosen=sum(sweep.chosen.rate == rate and sweep.chosen.steps > 0 for sweep in sweeps),
    )


def _run(sweep: SweepInfo, rate: float) -> list[SweepPoint]:
    return [point for point in sweep.points if point.rate == rate and point.steps]


def _untuned(sweeps: Sequence[SweepInfo]) -> RatePoint | None:
    starts = [next((p for p in sweep.points if p.steps == 0), None) for sweep in sweeps]
    found = [p for p in starts if p is not None]
    if not found:
        return None
    return RatePoint(
        rate=0.0,
        metric=float(np.mean([p.metric for p in found])),
        nats_per_byte=float(np.mean([p.nats_per_byte for p in found])),
        sweeps=len(found),
        chosen=sum(sweep.chosen.steps == 0 for sweep in sweeps),
    )
