"""Weights of tokens by how many labelled targets hold them, so that "to" before every tail weighs next to nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

UNSEEN = 0.5  # what a token counts that no labelled target holds: rarer than the rarest that was seen


@dataclass(frozen=True)
class TokenWeights:
    """``w = ln((n + 1) / df)``: n labelled targets, df of which hold the token (0.5 for an unseen one).

    That is the inverse document frequency of retrieval, smoothed so that it is above 0 for every token: a target whose
    tokens stand in all targets still has a mean. With no labelled target all tokens weigh the same, and the weighted
    mean is the plain one. Tokens are counted once a target, whatever their place in it.

    Attributes:
        targets: n.
        holders: df by token id.

    >>> weights = TokenWeights.count([[5, 7], [5, 8], [5, 9, 9]])  # 5 may be "to"
    >>> [round(weights.of(token), 3) for token in (5, 9, 4)]  # ln 4/3, ln 4/1, ln 4/0.5
    [0.288, 1.386, 2.079]
    """

    targets: int
    holders: dict[int, int]

    @classmethod
    def count(cls, labelled: Iterable[Iterable[int]]) -> TokenWeights:
        """Weights from the token ids of labelled targets, sentinels and EOS left out."""
        sets = [set(ids) for ids in labelled]
        return cls(len(sets), dict(Counter(token for ids in sets for token in ids)))

    def of(self, token: int) -> float:
        """The weight of a token; never 0."""
        return math.log((self.targets + 1) / self.holders.get(token, UNSEEN))

    def mean(self, ids: Sequence[int], values: ArrayLike) -> float:
        """``sum(w * value) / sum(w)`` over the tokens of one target.

        Of ranks 0 and 12, the first of a token that all 30 targets hold and the second of an unseen one, the plain
        mean is 6, and this one is near 12:

        >>> weights = TokenWeights(30, {5: 30})
        >>> round(weights.mean([5, 9], [0, 12]), 2)
        11.91
        """
        return float(np.average(np.asarray(values, dtype=np.float64), weights=[self.of(i) for i in ids]))
