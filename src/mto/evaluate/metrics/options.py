"""Whether the right option was written, or ranked first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mto.evaluate.metrics.registry import Metric, Scored


def same(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
    """100 where the option that was taken is a right one, letter for letter, else 0: ``float64[n]``.

    What counts as an option is decided before (`mto.evaluate.reading`).

    >>> same(["a nail", ""], [["a nail"], ["a pot"]]).tolist()
    [100.0, 0.0]
    """
    hits = [p in several for p, several in zip(predictions, references, strict=True)]
    return 100 * np.asarray(hits, dtype=np.float64)


ACCURACY = Metric(
    "accuracy",
    "Accuracy (written)",
    lambda: (
        "the written answer equals a text of the right option and no other, from the text as it is to the normalisation of exact match, or names it"
    ),
    same,
    reads="read",
)
RANK_SUM = Metric(
    "rank_sum",
    "Accuracy (ranked)",
    lambda: "the likeliest option, by nats in all, EOS included",
    same,
    reads="sum",
)
RANK_TOKEN = Metric(
    "rank_token",
    "ranked a token",
    lambda: "the likeliest option, by nats a token, EOS left out",
    same,
    reads="token",
)
RANK_BYTE = Metric(
    "rank_byte",
    "ranked a byte",
    lambda: "the likeliest option, by nats a byte, EOS left out",
    same,
    reads="byte",
)
RANK_CALIBRATED = Metric(
    "rank_calibrated",
    "ranked, calibrated",
    lambda: "the likeliest option, by nats in all minus those without the question",
    same,
    reads="calibrated",
)
