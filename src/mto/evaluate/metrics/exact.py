"""Exact match after a normalisation that is stated and does not depend on how a tokenizer spaces punctuation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mto.evaluate.metrics.registry import Metric, Scored
from mto.tasks.spelling import normalise


def exact_match(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
    """100 where the normalised prediction is a normalised reference, else 0: ``float64[n]``.

    A prediction of which nothing is left never matches.
    """
    hits = []
    for prediction, several in zip(predictions, references, strict=True):
        text = normalise(prediction)
        hits.append(bool(text) and text in {normalise(reference) for reference in several})
    return 100 * np.asarray(hits, dtype=np.float64)


EXACT_MATCH = Metric(
    "exact_match",
    "Exact",
    lambda: "equal after NFKC, lower case, punctuation to spaces, no articles, single spaces",
    exact_match,
)

__all__ = ["EXACT_MATCH", "exact_match", "normalise"]
