"""Means with crossed bootstrap intervals: heads and seeds are both resampled, each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mto.errors import DataError

Matrix = NDArray[np.float64]
_CHUNK = 2_000_000  # entries of a block of resampling counts: 16 MB


@dataclass(frozen=True)
class Interval:
    """A mean with its interval, in the units of the scores.

    `seeds` is the smallest number of seeds of a relation, `heads` the number of heads of all relations together.
    With one seed the interval speaks of heads alone: the chance of seeds is not in it.
    """

    mean: float
    low: float
    high: float
    level: float
    resamples: int
    seeds: int
    heads: int
    relations: int = 1

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


def as_matrices(scores: ArrayLike | Sequence[ArrayLike]) -> tuple[Matrix, ...]:
    """Bring scores to one float matrix ``[seeds, heads]`` a relation.

    Args:
        scores: a matrix ``[seeds, heads]``, or a list of such matrices, one a relation. Relations may differ in
            their heads and seeds.

    Raises:
        DataError: not two dimensions, no seed or head, or a score that is not finite.

    >>> [m.shape for m in as_matrices([[[1, 2, 3]], [[1, 2], [3, 4]]])]
    [(1, 3), (2, 2)]
    """
    several: Sequence[Any]
    if isinstance(scores, np.ndarray):
        several = list(scores) if scores.ndim == 3 else [scores]
    else:  # a bare matrix is nested two deep, a list of matrices three deep
        listed = list(cast(Sequence[Any], scores))
        several = listed if listed and _depth(listed[0]) >= 2 else [listed]
    try:
        matrices = tuple(np.asarray(m, dtype=np.float64) for m in several)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"scores are no matrix of numbers: {error}",
            hint="every seed of a relation needs the same number of heads",
        ) from None
    for index, matrix in enumerate(matrices):
        if matrix.ndim != 2 or 0 in matrix.shape:
            raise DataError(
                f"scores of relation {index} have shape {matrix.shape}",
                hint="give one matrix [seeds, heads] a relation, with at least one seed and one head",
            )
        if not np.isfinite(matrix).all():
            seed, head = np.argwhere(~np.isfinite(matrix))[0]
            raise DataError(
                f"score of relation {index}, seed row {seed}, head column {head} is {matrix[seed, head]}",
                hint="every head needs a finite score in every seed",
            )
    return matrices


def _depth(value: Any) -> int:
    """How deep a value is nested, by its first entries, so that rows of unequal length count too."""
    if isinstance(value, np.ndarray):
        return value.ndim
    return 1 + (_depth(value[0]) if len(value) else 0) if isinstance(value, (list, tuple)) else 0


def crossed_bootstrap(
    scores: ArrayLike | Sequence[ArrayLike], n: int = 2000, seed: int = 0, *, level: float = 0.95
) -> Interval:
    """Mean of scores with a percentile interval over heads *and* seeds.

    Each resample draws heads with replacement and, independently, seeds with replacement; its mean is the mean of
    the crossed table (Owen 2007, "The pigeonhole bootstrap", which also shows that this errs on the wide side for
    the part of the noise that belongs to one head in one seed). For several relations the resampling is done
    within each (stratified), seeds of different relations counting as different draws, and the mean is the mean
    of relation means, whatever their numbers of heads.

    Args:
        scores: ``[seeds, heads]``, or a list of such matrices, one a relation.
        n: number of resamples.
        seed: seed of the resampling; the same seed gives the same interval.
        level: coverage aimed at.

    Raises:
        DataError: see `as_matrices`; or n < 1; or a level outside (0, 1).

    >>> crossed_bootstrap([[10, 20, 30, 40]]).mean
    25.0
    >>> crossed_bootstrap([[[50, 50]], [[10, 10, 10]]]).mean  # mean of relation means, not of the five heads
    30.0
    >>> print(crossed_bootstrap([[7, 7, 7], [7, 7, 7]]))
    7.00 [7.00, 7.00]
    """
    matrices = as_matrices(scores)
    samples = resampled_means([(m,) for m in matrices], n, seed)[:, 0]
    return interval_of(float(np.mean([m.mean() for m in matrices])), samples, matrices, level)


def interval_of(mean: float, samples: Matrix, matrices: Sequence[Matrix], level: float) -> Interval:
    """The percentile interval of resampled means, with the counts that it rests on."""
    if not 0 < level < 1:
        raise DataError(f"level is {level}", hint="give a level between 0 and 1, such as 0.95")
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        mean=mean,
        low=float(low),
        high=float(high),
        level=level,
        resamples=len(samples),
        seeds=min(m.shape[0] for m in matrices),
        heads=sum(m.shape[1] for m in matrices),
        relations=len(matrices),
    )


def resampled_means(relations: Sequence[Sequence[Matrix]], n: int, seed: int) -> Matrix:
    """Means of K systems under the same resamples of heads and seeds.

    Args:
        relations: for each relation K matrices ``[seeds, heads]`` of one shape, on the same heads and seeds.

    Returns:
        ``[n, K]``: the mean over relations of each system's resampled mean. Because systems share their resamples,
        differences and ratios of columns keep the pairing.
    """
    if n < 1:
        raise DataError(f"{n} resamples were asked for", hint="ask for at least 1; 2000 is usual")
    rng = np.random.default_rng(seed)
    total = np.zeros((n, len(relations[0])))
    for systems in relations:
        stack = np.stack(systems)  # [K, seeds, heads]
        seeds, heads = stack.shape[1:]
        step = max(1, _CHUNK // max(seeds, heads))
        for start in range(0, n, step):
            rows = min(step, n - start)
            by_seed = _counts(rng, seeds, rows)
            by_head = _counts(rng, heads, rows)
            # Weighted mean of the crossed table: seed weights @ table @ head weights.
            total[start : start + rows] += np.einsum("ns,ksh,nh->nk", by_seed, stack, by_head, optimize=True)
    return total / len(relations)


def _counts(rng: np.random.Generator, size: int, n: int) -> Matrix:
    """How often each of `size` items is drawn in `n` resamples with replacement, as shares: ``[n, size]``."""
    drawn = rng.integers(0, size, size=(n, size))
    flat = drawn + size * np.arange(n)[:, None]
    return np.bincount(flat.ravel(), minlength=n * size).reshape(n, size) / size
