"""Choosing on dev data only: a point of a sweep, and a family among families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from mto.errors import DataError
from mto.tune.sweep import SweepPoint

Select = Literal["both", "likelihood", "metric"]


def mean_ranks(points: Sequence[SweepPoint]) -> list[float]:
    """Mean of each point's rank by likelihood and by metric, from 1; equal values share the mean of their ranks.

    >>> points = [SweepPoint(0.0, 0, 1.5, 10.0), SweepPoint(1e-4, 5, 1.2, 9.0), SweepPoint(1e-4, 20, 1.1, 12.0)]
    >>> mean_ranks(points)  # by likelihood 3, 2, 1; by metric 2, 3, 1
    [2.5, 2.5, 1.0]
    """
    by_nats = _ranks([point.nats_per_byte for point in points])
    by_metric = _ranks([-point.metric for point in points])
    return [(a + b) / 2 for a, b in zip(by_nats, by_metric, strict=True)]


def choose_point(points: Sequence[SweepPoint], select: Select = "both") -> SweepPoint:
    """The best point of a sweep.

    Args:
        points: at least one.
        select: ``both`` (smallest mean of the two ranks), ``likelihood`` or ``metric``. Ties go to the better
            likelihood, then to fewer steps, then to the lower rate.

    Raises:
        DataError: no points.
    """
    return points[_best(points, select)]


def choose_family(points: Mapping[str, SweepPoint], select: Select = "both") -> str:
    """The family whose chosen point is best on dev: the *aligned* one as far as dev data can say (docs/method.md 9).

    The same rule as `choose_point`; a full tie goes to the family that stands first.

    Raises:
        DataError: no families.

    >>> choose_family({"mapping": SweepPoint(3e-4, 20, 1.4, 15.0), "prompting": SweepPoint(1e-4, 20, 1.1, 19.0)})
    'prompting'
    """
    return list(points)[_best(list(points.values()), select)]


def _best(points: Sequence[SweepPoint], select: Select) -> int:
    if not points:
        raise DataError("nothing to choose from: no point was measured on dev")
    if select == "both":
        first = mean_ranks(points)
    elif select == "likelihood":
        first = [point.nats_per_byte for point in points]
    else:
        first = [-point.metric for point in points]
    keys = [(f, p.nats_per_byte, p.steps, p.rate) for f, p in zip(first, points, strict=True)]
    return min(range(len(points)), key=keys.__getitem__)


def _ranks(values: Sequence[float]) -> list[float]:
    return [1 + sum(v < value for v in values) + (values.count(value) - 1) / 2 for value in values]
