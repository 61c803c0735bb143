"""Exact match after a normalisation that is stated and does not depend on how a tokenizer spaces punctuation."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence

import numpy as np

from mto.evaluate.metrics.registry import Metric, Scored

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """Lower case; punctuation becomes a space; the articles a, an, the go; spaces are made single.

    Punctuation is every Unicode punctuation character and every ASCII one. It becomes a space, not nothing as in
    SQuAD's script, so that "don't" and "don ' t" (as word-piece tokenizers write it back) are the same.

    >>> normalise("The ice-cream,  in a Box!")
    'ice cream in box'
    >>> normalise("don't") == normalise("don ' t")
    True
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = "".join(
        " " if c in string.punctuation or unicodedata.category(c).startswith("P") else c for c in text
    )
    return " ".join(_ARTICLES.sub(" ", text).split())


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
