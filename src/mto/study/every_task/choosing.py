"""Choosing among the families of a task on dev data, as a run does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mto.tune.select import choose_family
from mto.tune.sweep import SweepPoint


def best_by_dev(dev: Mapping[str, Sequence[tuple[float, float]]], number: int) -> tuple[str, ...]:
    """The best families by dev data, the best first: by the mean rank of likelihood and metric, as a run chooses among families.

    Args:
        dev: for each family ``(bits a byte, metric)`` of each seed; the means over seeds count.

    >>> best_by_dev({"mapping": [(1.0, 20.0)], "prompting": [(0.8, 30.0), (0.8, 10.0)], "masked-prompting": [(0.7, 40.0)]}, 2)
    ('masked-prompting', 'prompting')
    """
    left = {family: SweepPoint(0.0, 0, *np.mean(values, axis=0).tolist()) for family, values in dev.items()}
    found: list[str] = []
    while left and len(found) < number:
        found.append(choose_family(left))
        del left[found[-1]]
    return tuple(found)
