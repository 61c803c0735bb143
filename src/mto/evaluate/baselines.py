"""What copying the few-shot rows alone would score: no model is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError

GRAMS = (3, 4, 5)  # lengths of the character n-grams


def most_frequent_tail(tails: Sequence[str]) -> str:
    """The tail that stands most often among the few-shot rows; of equally frequent ones the earliest row's.

    Raises:
        DataError: there is no row.

    >>> most_frequent_tail(["drawer", "kitchen", "kitchen", "drawer"])
    'drawer'
    """
    if not tails:
        raise DataError(
            "no few-shot rows, so no most frequent tail", hint="leave this baseline out at 0 shots"
        )
    return Counter(tails).most_common(1)[0][0]  # most_common keeps the order of first appearance


def nearest_head(heads: Sequence[str], tails: Sequence[str], questions: Sequence[str]) -> list[str]:
    """For each question the tail of the few-shot row with the most similar head.

    Similarity is the cosine of TF-IDF weighted character n-grams (3 to 5, within words, lower case, a blank at both
    ends of each word); the document frequencies are those of the few-shot heads, ``idf = 1 + ln((1 + n)/(1 + df))``.
    Of equally similar rows the earliest wins, so a question that shares nothing gets the first row's tail.

    Args:
        heads, tails: the few-shot rows.
        questions: heads to answer.

    Raises:
        DataError: no rows, or heads and tails of different numbers.

    >>> nearest_head(["red hammer", "wooden spoon"], ["pound nails", "stir soup"], ["hammers", "spoons"])
    ['pound nails', 'stir soup']
    """
    if not heads or len(heads) != len(tails):
        raise DataError(
            f"{len(heads)} heads and {len(tails)} tails",
            hint="give one tail a head, at least one; leave this baseline out at 0 shots",
        )
    counted = [_grams(head) for head in heads]
    frequency = Counter(gram for grams in counted for gram in grams)
    columns = {gram: index for index, gram in enumerate(frequency)}
    idf = np.array([1 + np.log((1 + len(heads)) / (1 + df)) for df in frequency.values()])
    known = _vectors(counted, columns, idf)
    asked = _vectors([_grams(question) for question in questions], columns, idf)
    # Rounding makes rows that are equally similar on paper equal in floating point too.
    similarity = np.round(asked @ known.T, 9)
    return [tails[int(row)] for row in similarity.argmax(axis=1)]


def distinct_share(predictions: Sequence[str]) -> float:
    """Number of different predictions (as they stand) over the number of predictions, 0 to 1.

    >>> distinct_share(["a book", "a book", "", "a cat"])
    0.75
    """
    return len(set(predictions)) / len(predictions) if predictions else 0.0


def _grams(text: str) -> Counter[str]:
    words = [f" {word} " for word in text.lower().split()]
    return Counter(w[i : i + n] for w in words for n in GRAMS for i in range(len(w) - n + 1))


def _vectors(
    counted: Sequence[Counter[str]], columns: dict[str, int], idf: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rows of unit length (or zero) over the known n-grams."""
    out = np.zeros((len(counted), len(columns)))
    for row, grams in enumerate(counted):
        for gram, count in grams.items():
            if gram in columns:
                out[row, columns[gram]] = count * idf[columns[gram]]
    norm = np.linalg.norm(out, axis=1, keepdims=True)
    return np.divide(out, norm, out=out, where=norm > 0)
