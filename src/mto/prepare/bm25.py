"""How near sentences are to the labelled rows, by BM25 (Robertson and Zaragoza 2009), with each row as a query.

Only the rows' own words matter, so nothing of the text is kept but the number of sentences that hold each of these words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Bm25:
    """Scores sentences against the rows of several tasks.

    Args:
        rows: for each task its rows, each as the normalised words of head and tail.
        frequency: number of sentences that hold each of the rows' words.
        sentences: number of sentences.
        length: mean number of words of a sentence.
        k1: how soon a repeated word counts no more.
        b: how much a long sentence loses.

    Score of a sentence for a row: the sum over the row's words t in it of
    ``ln(1 + (N - n_t + 0.5) / (n_t + 0.5)) * f_t (k1 + 1) / (f_t + k1 (1 - b + b L / mean L))``, with ``f_t`` occurrences, ``n_t`` of
    N sentences that hold t, and L words. Of a task: that of its best row.

    >>> scorer = Bm25([[["hammer", "nail"]], [["kettle", "water"]]], {"hammer": 1, "nail": 1, "kettle": 1, "water": 1}, 4, 3.0)
    >>> scorer([["hammer", "hit", "nail"], ["boil", "water", "now"]]).round(2).tolist()
    [[2.41, 0.0], [0.0, 1.2]]
    """

    def __init__(
        self,
        rows: Sequence[Sequence[Sequence[str]]],
        frequency: Mapping[str, int],
        sentences: int,
        length: float,
        *,
        k1: float = 1.2,
        b: float = 0.75,
    ) -> None:
        self._k1, self._b, self._mean = k1, b, max(length, 1e-9)
        words = sorted({word for task in rows for row in task for word in row})
        self._columns = {word: number for number, word in enumerate(words)}
        # Tasks without rows keep one empty row, so that every task has a group of columns.
        groups = [list(task) or [[]] for task in rows]
        self._starts = np.cumsum([0, *(len(task) for task in groups)])[:-1]
        self._weights = np.zeros((len(words), sum(map(len, groups))))
        for column, row in enumerate(row for task in groups for row in task):
            for word in row:
                held = frequency.get(word, 0)
                self._weights[self._columns[word], column] = math.log(
                    1 + (sentences - held + 0.5) / (held + 0.5)
                )

    def __call__(self, batch: Sequence[Sequence[str]]) -> Floats:
        """``[sentences, tasks]``: the score of each sentence for the best row of each task.

        A sentence's scores do not depend on the others of the batch.
        """
        from scipy.sparse import csr_matrix

        columns: list[int] = []
        values: list[float] = []
        ends = [0]
        known = self._columns
        for words in batch:
            norm = self._k1 * (1 - self._b + self._b * len(words) / self._mean)
            counts = Counter(word for word in words if word in known)
            for word in sorted(counts):
                columns.append(known[word])
                values.append(counts[word] * (self._k1 + 1) / (counts[word] + norm))
            ends.append(len(columns))
        shape = (len(batch), len(known))
        held = csr_matrix((np.array(values, float), np.array(columns, np.int64), np.array(ends)), shape=shape)
        return np.maximum.reduceat(held @ self._weights, self._starts, axis=1)
