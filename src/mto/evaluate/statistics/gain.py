"""Gain of the aligned way over the conventional way (docs/method.md 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mto.errors import DataError
from mto.evaluate.statistics.bootstrap import Interval, as_matrices, interval_of, resampled_means

FLOOR = 1.0  # points on the 0-100 scale: below this a ratio says nothing


@dataclass(frozen=True)
class Gain:
    """A gain with everything that must stand beside it.

    `ratio` is ``aligned / conventional - 1`` (0.2 is +20 %), or None with the `reason`. All intervals come from the
    same resamples, so that head and seed effects which both systems share cancel in `difference` and `ratio`.
    """

    ratio: Interval | None
    reason: str | None
    difference: Interval
    aligned: Interval
    conventional: Interval


def gain(
    aligned: ArrayLike | Sequence[ArrayLike],
    conventional: ArrayLike | Sequence[ArrayLike],
    *,
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Gain:
    """Ratio of the means over relations, minus 1, with its crossed-bootstrap interval and the absolute difference.

    docs/method.md 9: ``(aligned - conventional) / conventional`` as a ratio of means over the relations, never a mean of
    ratios; no ratio where the interval of the conventional score touches 1 point.

    Args:
        aligned, conventional: scores on 0-100, ``[seeds, heads]`` or a list of such, one a relation; the same heads
            and the same seeds in the same order, because resamples are shared.
        n, seed, level: as in `crossed_bootstrap`.

    Raises:
        DataError: shapes differ, or scores outside 0-100; see also `as_matrices`.

    >>> result = gain([[30, 30], [30, 30]], [[20, 20], [20, 20]])
    >>> round(result.ratio.mean, 3), result.difference.mean
    (0.5, 10.0)
    >>> gain([[30, 30]], [[0.5, 0.5]]).reason
    'the conventional score, 0.50 [0.50, 0.50], touches 1 point: a ratio would mean nothing'
    """
    left, right = as_matrices(aligned), as_matrices(conventional)
    shapes = [m.shape for m in left], [m.shape for m in right]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"aligned scores have shapes {shapes[0]}, conventional ones {shapes[1]}",
            hint="give the same seeds and heads, in the same order, for both",
        )
    if min(m.min() for m in (*left, *right)) < 0 or max(m.max() for m in (*left, *right)) > 100:
        raise DataError("scores lie outside 0-100", hint="give scores in points, from 0 to 100")
    samples = resampled_means(list(zip(left, right, strict=True)), n, seed)
    mean_left, mean_right = (float(np.mean([m.mean() for m in side])) for side in (left, right))
    base = interval_of(mean_right, samples[:, 1], right, level)
    ratio, reason = None, None
    if base.low <= FLOOR:
        reason = f"the conventional score, {base}, touches {FLOOR:g} point: a ratio would mean nothing"
    else:
        # A rare resample may come near zero; the floor keeps its ratio finite and leaves the quantiles alone.
        ratios = samples[:, 0] / np.maximum(samples[:, 1], 1e-9) - 1
        ratio = interval_of(mean_left / mean_right - 1, ratios, right, level)
    return Gain(
        ratio=ratio,
        reason=reason,
        difference=interval_of(mean_left - mean_right, samples[:, 0] - samples[:, 1], right, level),
        aligned=interval_of(mean_left, samples[:, 0], left, level),
        conventional=base,
    )
