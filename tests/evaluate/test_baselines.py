from __future__ import annotations

import numpy as np
import pytest

from mto.errors import DataError
from mto.evaluate.baselines import distinct_share, most_frequent_tail, nearest_head
from tests.conftest import missing


def test_most_frequent_tail() -> None:
    assert most_frequent_tail(["a", "b", "b", "a", "c"]) == "a"
    assert most_frequent_tail(["c", "b", "b"]) == "b"
    with pytest.raises(DataError, match="0 shots"):
        most_frequent_tail([])


def test_nearest_head_equals_scikit_learn() -> None:
    """The same vectors as its TfidfVectorizer: character n-grams inside word boundaries, smoothed idf."""
    try:
        from sklearn.feature_extraction import text
    except ImportError:
        missing("scikit-learn, which comes with the extra 'semantic' (pip install 'mto[semantic]')")
    heads = [
        "PersonX buys a new car",
        "PersonX sells the car",
        "a garden hose",
        "kitchen knife",
        "PersonX sleeps",
    ]
    questions = ["PersonX buys a knife", "hoses", "car", "PersonX slept late", "kitchens"]
    peer = text.TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit(heads)
    # char_wb also keeps a whole short word as one gram of each length; none of these words is so short.
    similarity = (peer.transform(questions) @ peer.transform(heads).T).toarray()
    want = [f"tail {row}" for row in similarity.argmax(axis=1)]
    assert nearest_head(heads, [f"tail {n}" for n in range(5)], questions) == want


def test_ties_go_to_the_earliest_row() -> None:
    assert nearest_head(["red book", "red book"], ["first", "second"], ["red book"]) == ["first"]
    assert nearest_head(["hammer", "nail"], ["first", "second"], ["zzz", ""]) == ["first", "first"]
    # Word order does not change the grams, so these are equally similar, whatever the rounding of their sums.
    heads = ["green tea pot", "pot tea green"]
    assert nearest_head(heads, ["first", "second"], ["tea green pot"]) == ["first"]


def test_nearest_head_needs_rows() -> None:
    with pytest.raises(DataError, match="0 heads"):
        nearest_head([], [], ["hammer"])
    with pytest.raises(DataError, match="1 heads and 2 tails"):
        nearest_head(["a"], ["b", "c"], ["hammer"])


def test_distinct_share() -> None:
    assert distinct_share([]) == 0
    assert np.isclose(distinct_share(["x"] * 10), 0.1)
    assert distinct_share(["x", "X"]) == 1
