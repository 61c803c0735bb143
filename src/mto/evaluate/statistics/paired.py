"""Paired tests of two systems on the same heads, and Holm's correction for many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mto.errors import DataError
from mto.evaluate.statistics.bootstrap import Matrix, as_matrices

EXACT_HEADS = 15  # up to here all 2^heads sign patterns are tried


@dataclass(frozen=True)
class PairedTest:
    """A two-sided paired test: the mean difference ``a - b``, its p-value and what the p-value rests on."""

    difference: float
    p_value: float
    heads: int
    exact: bool
    patterns: int
    """Sign patterns tried: all of them when `exact`, otherwise the number drawn."""


def paired_sign_flip(
    a: ArrayLike | Sequence[ArrayLike],
    b: ArrayLike | Sequence[ArrayLike],
    *,
    n: int = 9999,
    seed: int = 0,
) -> PairedTest:
    """Sign-flip (permutation) test of the mean difference, per head on the mean over seeds.

    If the systems do not differ, each head's difference is as likely to have the other sign. The p-value is the
    share of sign patterns whose mean difference is at least as far from zero. With up to 15 heads all patterns are
    tried; with more, `n` are drawn and the observed one counts as drawn too, ``p = (1 + hits) / (1 + n)``, so that
    p is never 0. Heads are the sample: the test speaks of these seeds, not of seeds in general.

    Args:
        a, b: scores ``[seeds, heads]`` on the same heads, or lists of such, one a relation. The numbers of seeds may
            differ between a and b. Over several relations the statistic is the mean of relation means.
        n: number of drawn patterns when there are more than 15 heads.
        seed: seed of the drawing.

    Raises:
        DataError: a and b differ in relations or heads; see also `as_matrices`.

    >>> test = paired_sign_flip([[5, 6, 7, 9]], [[4, 4, 4, 5]])  # all four differences positive: 2 of 16 patterns
    >>> test.difference, test.p_value, test.exact
    (2.5, 0.125, True)
    """
    weighted = _weighted_differences(as_matrices(a), as_matrices(b))
    if n < 1:
        raise DataError(f"{n} sign patterns were asked for", hint="ask for at least 1; 9999 is usual")
    from scipy.stats import permutation_test  # scipy takes long to import

    heads = len(weighted)
    exact = heads <= EXACT_HEADS
    if heads == 1:  # both patterns are equally far from zero; scipy wants two observations
        return PairedTest(float(weighted[0]), 1.0, 1, True, 2)
    # One sample with permutation_type="samples" means flipping signs; too many resamples ask for all patterns.
    result = permutation_test(
        (weighted,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**EXACT_HEADS if exact else n,
        batch=max(1, 2_000_000 // heads),
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    patterns = 2**heads if exact else n
    return PairedTest(float(weighted.sum()), float(min(1.0, result.pvalue)), heads, exact, patterns)


def _weighted_differences(a: Sequence[Matrix], b: Sequence[Matrix]) -> Matrix:
    """Per-head differences whose *sum* is the mean over relations of mean differences."""
    if len(a) != len(b):
        raise DataError(
            f"one system has {len(a)} relations, the other {len(b)}", hint="compare the same ones"
        )
    parts = []
    for index, (left, right) in enumerate(zip(a, b, strict=True)):
        if left.shape[1] != right.shape[1]:
            raise DataError(
                f"relation {index}: one system has {left.shape[1]} heads, the other {right.shape[1]}",
                hint="a paired test needs the same heads in the same order",
            )
        parts.append((left.mean(axis=0) - right.mean(axis=0)) / (left.shape[1] * len(a)))
    return np.concatenate(parts)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values for the number of tests by Holm's step-down rule (Holm 1979), in the order given.

    The i-th smallest of m is multiplied by ``m - i`` (i from 0), then made monotone and cut at 1. Rejecting where
    the adjusted value is at most alpha keeps the chance of any false rejection at alpha, however tests depend.

    Raises:
        DataError: a value outside [0, 1] or not a number, or not a flat list.

    >>> [round(float(p), 3) for p in holm([0.01, 0.04, 0.03, 0.005])]  # 4 x .005, 3 x .01, 2 x .03, then no less
    [0.03, 0.06, 0.06, 0.02]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError(f"not a list of p-values between 0 and 1: {p_values!r}")
    order = np.argsort(p, kind="stable")
    stepped = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted
