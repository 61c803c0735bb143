"""Bootstrap over heads: every measure of every family under the same resamples, so that what they share cancels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mto.errors import DataError
from mto.evaluate.statistics.bootstrap import resampled_means
from mto.match.evidence import Span

Floats = NDArray[np.float64]
Estimate = tuple[float, Floats]
"""A value, and the same under resamples of the heads: float64 [resamples]."""
RESAMPLES = 2000
LEVEL = 0.95


class Heads:
    """Means over heads of several columns, and the same means under bootstrap resamples of the heads.

    Rows of one head count as their mean. Heads are put in the order of their ids first, so that the order of
    rows changes nothing.

    >>> heads = Heads(["a", "b", "b"], {"rank": [3.0, 10.0, 20.0]})
    >>> heads.mean("rank")  # (3 + 15) / 2
    9.0
    """

    def __init__(
        self,
        ids: Sequence[str],
        columns: Mapping[str, ArrayLike],
        *,
        resamples: int = RESAMPLES,
        seed: int = 0,
    ) -> None:
        found, owner = np.unique(np.asarray(ids), return_inverse=True)
        sizes = np.bincount(owner)
        self.count = len(found)
        self._names = list(columns)
        tables = []
        for name in self._names:
            column = np.asarray(columns[name], dtype=np.float64)
            if len(column) != len(owner):
                raise DataError(f"{len(column)} values of {name} for {len(owner)} rows")
            order = np.lexsort((column, owner))  # equal sums whatever the order of a head's rows
            tables.append((np.bincount(owner[order], weights=column[order]) / sizes)[None, :])
        self._means = {name: float(table.mean()) for name, table in zip(self._names, tables, strict=True)}
        self._samples = resampled_means([tables], resamples, seed)

    def mean(self, name: str) -> float:
        """The mean of a column over heads."""
        return self._means[name]

    def estimate(self, name: str, per: str | None = None) -> Estimate:
        """The mean of a column, and its resampled means; with `per` over those of that column. 0 over 0 is 0."""
        value, samples = self._means[name], self._samples[:, self._names.index(name)]
        if per is None:
            return value, samples
        below, lows = self.estimate(per)
        tiny = np.finfo(np.float64).tiny
        return value / max(below, tiny), samples / np.maximum(lows, tiny)

    def span(self, name: str, per: str | None = None) -> Span:
        """An estimate with its interval."""
        return span(*self.estimate(name, per))


def span(value: float, samples: Floats, level: float = LEVEL) -> Span:
    """A value with the percentile interval of its resamples; the interval always holds the value."""
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Span(value=value, low=min(float(low), value), high=max(float(high), value))
