"""What the held-out rows say: pooled values with intervals, paired differences, ranks, and the lean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from mto.evaluate.statistics.bootstrap import resampled_means
from mto.match.evidence import Lean, Span

Floats = NDArray[np.float64]
RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Point:
    """One look at an arm.

    Attributes:
        bits: float64 [rows], bits of each held-out row's targets.
        metric: float64 [rows] on 0-100, or None.
    """

    rung: int
    steps: int
    rate: float
    bits: Floats
    metric: Floats | None = None


@dataclass(frozen=True)
class Judge:
    """Pools rows, and resamples heads: rows of one head are no independent witnesses.

    Attributes:
        heads: the head of each row, as numbers from 0.
        bytes: float64 [rows], bytes of each row's targets.
        seed: of the resampling.
    """

    heads: NDArray[np.int64]
    bytes: Floats
    seed: int

    def pooled(self, bits: Floats) -> float:
        """All bits over all bytes."""
        return float(bits.sum() / self.bytes.sum())

    def span(self, bits: Floats) -> Span:
        """Bits per byte with its interval; of the difference of two arms' bits it is that of the paired difference.

        The interval is ``value -+ t s`` with s the bootstrap standard error over heads (times sqrt(n / (n - 1)), since
        the bootstrap's is too small by that) and t of Student's distribution with n - 1 degrees of freedom: the plain
        percentile interval is too narrow for the 5 or 10 heads that there may be (Hesterberg 2015).
        """
        return self._interval(*self._error(bits, self.bytes))

    def mean_span(self, values: Floats) -> Span:
        """Mean over rows with its interval, in the same way."""
        return self._interval(*self._error(values, np.ones(len(values))))

    def lean(self, masked: tuple[str, Floats], unmasked: tuple[str, Floats], steps: int) -> Lean:
        """From the names and bits of two arms; the formula stands at `mto.match.probe.result.Probe`."""
        value, error = self._error(unmasked[1] - masked[1], self.bytes)
        freedom = self._count - 1
        if error > 0:
            lean = 2 * float(stdtr(freedom, value / error)) - 1
        else:
            lean = float(np.sign(value))
        span = self._interval(value, error)
        return Lean(
            value=min(1.0, max(-1.0, lean)),
            saw=f"{masked[0]} {self.pooled(masked[1]):.3g} against {unmasked[0]} {self.pooled(unmasked[1]):.3g} bits per "
            f"target byte after at most {steps} steps: the mask saves {span} ({self._count} held-out heads)",
        )

    @property
    def _count(self) -> int:
        return int(self.heads.max()) + 1

    def _by_head(self, values: Floats) -> Floats:
        return np.bincount(self.heads, weights=values).astype(np.float64)[None]

    def _error(self, above: Floats, below: Floats) -> tuple[float, float]:
        """A ratio of sums over rows, and its standard error."""
        value, count = float(above.sum() / below.sum()), self._count
        if count < 2:
            return value, float("inf")
        drawn = resampled_means([(self._by_head(above), self._by_head(below))], RESAMPLES, self.seed)
        spread = float((drawn[:, 0] / drawn[:, 1]).std(ddof=1))
        # Rounding must not make a difference out of equal rows.
        return value, 0.0 if spread < 1e-12 else spread * (count / (count - 1)) ** 0.5

    def _interval(self, value: float, error: float) -> Span:
        reach = float(stdtrit(self._count - 1, (1 + LEVEL) / 2)) * error if error else 0.0
        return Span(value=value, low=value - reach, high=value + reach)


def best_point(points: Sequence[Point], judge: Judge, until: int | None = None) -> Point:
    """The point of fewest bits per byte up to a rung; of equal ones the one of fewer steps."""
    given = [point for point in points if until is None or point.rung <= until]
    return min(given, key=lambda point: (judge.pooled(point.bits), point.steps))


def judged(points: Sequence[Point], judge: Judge, how: str) -> list[float]:
    """The value, lower is better, of each arm by its point: bits per byte, or the mean rank over rows.

    With a metric the rank is the mean of the ranks by bits and by metric.
    """
    if how == "bits":
        return [judge.pooled(point.bits) for point in points]
    ranks = _ranks(np.stack([point.bits for point in points]))
    if all(point.metric is not None for point in points):
        ranks = (ranks + _ranks(-np.stack([np.asarray(point.metric) for point in points]))) / 2
    return [float(mean) for mean in ranks.mean(axis=1)]


def _ranks(values: Floats) -> Floats:
    """Rank of each arm in each row, from 1, of ``[arms, rows]``; equal values share the mean of their ranks.

    >>> _ranks(np.array([[1.0, 5.0], [2.0, 5.0], [0.5, 9.0]])).tolist()
    [[2.0, 1.5], [3.0, 1.5], [1.0, 3.0]]
    """
    below = (values[None] < values[:, None]).sum(axis=1)
    equal = (values[None] == values[:, None]).sum(axis=1)
    return 1.0 + below + (equal - 1) / 2
