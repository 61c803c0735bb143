"""Probabilities of options that mean what they say: one temperature, fitted on labelled rows that did not train the model.

Temperature scaling is that of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017). Few rows may all be right, and then the
likeliest temperature is 0; so targets are smoothed as Platt does ("Probabilistic Outputs for Support Vector Machines", 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError

LEAST_ROWS = 10
"""Labelled rows below which nothing is fitted."""
_LIMITS = (np.log(1e-3), np.log(1e3))


@dataclass(frozen=True)
class Calibration:
    """What was fitted.

    Attributes:
        temperature: nats are divided by it.
        rows: labelled rows that it was fitted on.
    """

    temperature: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """For a file."""
        return {"temperature": self.temperature, "rows": self.rows}


def softmin(nats: Sequence[float], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probability of each option: ``exp(-nats / temperature)``, scaled to 1.

    >>> softmin([0.0, float(np.log(9))], temperature=2.0).round(2).tolist()
    [0.75, 0.25]
    """
    scaled = np.asarray(nats, dtype=np.float64) / temperature
    weights = np.exp(scaled.min() - scaled)
    return np.asarray(weights / weights.sum())


def calibrate(nats: Sequence[Sequence[float]], right: Sequence[int]) -> Calibration | None:
    """The temperature under which the right options of n questions are likeliest.

    The target of the right option is ``1 - 1 / (n + 2)``; the others share the rest.

    Args:
        nats: of each question's options, as the ranking that decides compares them.
        right: number of each question's right option.

    Returns:
        None where fewer than ten questions are given: they say too little.

    Raises:
        DataError: numbers differ.

    >>> calibrate([[0.0, 4.0]] * 8 + [[4.0, 0.0]] * 8, [0] * 12 + [1] * 4).temperature > 2  # sure, and often wrong
    True
    """
    if len(nats) != len(right):
        raise DataError(f"{len(nats)} questions, but {len(right)} right options")
    if len(right) < LEAST_ROWS:
        return None
    smooth = 1 / (len(right) + 2)
    rows = [np.asarray(each, dtype=np.float64) for each in nats]
    targets = []
    for each, n in zip(rows, right, strict=True):
        target = np.full(len(each), smooth / max(1, len(each) - 1))
        target[n] = 1 - smooth
        targets.append(target)

    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        found = 0.0
        for each, target in zip(rows, targets, strict=True):
            scaled = each / temperature
            least = scaled.min()
            found += float(target @ (scaled - least)) + float(np.log(np.exp(least - scaled).sum()))
        return found

    # Imported where it is used: reading results needs no optimizer.
    from scipy.optimize import minimize_scalar

    best = minimize_scalar(loss, bounds=_LIMITS, method="bounded", options={"xatol": 1e-4})
    return Calibration(temperature=float(f"{np.exp(best.x):.4g}"), rows=len(right))
