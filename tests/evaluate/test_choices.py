"""Options of questions: ranked as one forward pass an option would, read from what was written, measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from mto.errors import DataError
from mto.evaluate.choices import score_options
from mto.evaluate.metrics import metrics
from mto.evaluate.nats import OptionNats
from mto.evaluate.options import Options, macro_f1
from mto.evaluate.reading import read_option
from mto.evaluate.scores import score
from mto.families import Answer


@dataclass(frozen=True)
class Question:
    source_ids: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]
    owner: tuple[int, ...]
    blank_ids: tuple[int, ...] | None = None


def ids(adapter, text: str, mask: bool = False) -> tuple[int, ...]:
    return (*((adapter.sentinel(0),) if mask else ()), *adapter.encode(text), adapter.eos_id)


def plain_nats(loaded, source: tuple[int, ...], target: tuple[int, ...]) -> list[float]:
    """Nats of every label, by one forward pass of the whole model."""
    with torch.inference_mode():
        out = loaded.model(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits[0]
    return (-out.log_softmax(-1)[torch.arange(len(target)), torch.tensor(target)]).tolist()


@pytest.mark.parametrize("mask", [False, True])
def test_equal_to_one_forward_pass_an_option(tiny, mask: bool) -> None:
    adapter = tiny.adapter
    words = ("red", "big dog", "clean the house", "run")
    questions = [
        Question(
            ids(adapter, f"{thing} is"), tuple(ids(adapter, word, mask) for word in words[: 2 + n % 3]),
            tuple(range(2 + n % 3)), ids(adapter, "is"),
        )
        for n, thing in enumerate(("hammer", "nail in the house", "kitchen", "book", "library"))
    ]  # fmt: skip
    for question, found in zip(questions, score_options(tiny, questions), strict=True):
        for n, target in enumerate(question.targets):
            nats = plain_nats(tiny, question.source_ids, target)
            text = [
                v
                for v, i in zip(nats, target, strict=True)
                if not adapter.is_sentinel(i) and i != adapter.eos_id
            ]
            assert found.sum[n] == pytest.approx(sum(text) + nats[-1], abs=1e-3)
            assert found.token[n] == pytest.approx(sum(text) / len(text), abs=1e-3)
            written = adapter.decode(i for i in target if not adapter.is_sentinel(i))
            assert found.byte[n] == pytest.approx(sum(text) / len(written.encode()), abs=1e-3)
            blank = plain_nats(tiny, question.blank_ids, target)
            assert found.prior[n] == pytest.approx(sum(blank) - (blank[0] if mask else 0), abs=1e-3)
        assert score_options(tiny, [question], calibrate=False)[0].prior is None


def test_a_label_with_several_words_has_their_summed_probability(tiny_t5) -> None:
    adapter = tiny_t5.adapter
    targets = tuple(ids(adapter, word) for word in ("red", "big", "dog"))
    one = score_options(tiny_t5, [Question(ids(adapter, "cat"), targets, (0, 1, 2))], calibrate=False)[0]
    two = score_options(tiny_t5, [Question(ids(adapter, "cat"), targets, (0, 0, 1))], calibrate=False)[0]
    assert two.sum[0] == pytest.approx(-math.log(math.exp(-one.sum[0]) + math.exp(-one.sum[1])), abs=1e-4)
    assert two.token == pytest.approx((min(one.token[:2]), one.token[2]), abs=1e-4)


def test_what_cannot_be_ranked_is_refused(tiny_t5) -> None:
    a, b = ids(tiny_t5.adapter, "red"), ids(tiny_t5.adapter, "big")
    with pytest.raises(DataError, match="fewer than two options"):
        score_options(tiny_t5, [Question(a, (a, b), (0, 0))], calibrate=False)
    with pytest.raises(DataError, match="texts for options"):
        score_options(tiny_t5, [Question(a, (a, b), (0, 2))], calibrate=False)
    with pytest.raises(DataError, match="no source without its question"):
        score_options(tiny_t5, [Question(a, (a, b), (0, 1))])
    with pytest.raises(DataError, match="no ranking"):
        OptionNats((1.0, 2.0), (1.0, 2.0), (1.0, 2.0)).best("sums")
    with pytest.raises(DataError, match="without the question"):
        OptionNats((1.0, 2.0), (1.0, 2.0), (1.0, 2.0)).best("calibrated")


def answer(text: str, *rest: str) -> Answer:
    return Answer(text, (), not text, False, rest)


OPTIONS = (("a library",), ("the garden", "outside"), ("car",))
NAMES = ("choice1", "choice2", "choice10")


@pytest.mark.parametrize(
    ("written", "names", "masked", "option", "near"),
    [
        (answer("Library!"), (), False, 0, False),
        (answer("outside."), (), False, 1, False),
        (answer("libraries"), (), False, None, True),
        (answer("librry car"), (), False, None, False),
        (answer(""), (), False, None, False),
        (answer("the"), (), False, None, False),
        (answer("choice2: car"), NAMES, False, 1, False),
        (answer("choice 2 car"), NAMES, False, 1, False),
        (answer("choice 10 garden"), NAMES, False, 2, False),
        (answer("choice1"), NAMES, False, 0, False),
        (answer("choice3 library"), NAMES, False, None, False),
        (answer("a library"), NAMES, False, None, True),
        (answer("car", "choice 2"), NAMES, True, 1, False),
        (answer("car", "choice"), NAMES, True, None, False),
        (answer("library"), NAMES, True, None, True),
        (answer("a library"), ("b", "a", "c"), False, None, True),
        (answer("a the garden"), ("b", "a", "c"), False, 1, False),
        (answer("A"), ("a", "b", "c"), False, 0, False),
        (answer("b) garage"), ("a", "b", "c"), False, 1, False),
        (answer("2 car"), ("1", "2", "3"), False, None, False),
        (answer("2 outside"), ("1", "2", "3"), False, 1, False),
    ],
)
def test_what_is_written_is_read_as_an_option_or_none(written, names, masked, option, near) -> None:
    read = read_option(written, OPTIONS, 0, names, masked=masked)
    assert (read.option, read.near) == (option, near)


def table() -> Options:
    sure, unsure = (0.0, 9.0), (0.7, 0.69)
    nats = tuple(OptionNats(s, s, s[::-1], (0.0, 0.0)) for s in (sure, sure, unsure, sure))
    return Options((("yes", "no"),) * 4, (0, 1, 1, 0), (0, 0, None, None), (False, False, True, False), nats)


def test_metrics_look_at_what_they_say() -> None:
    right = [["yes"], ["no"], ["no"], ["yes"]]
    answers = [answer(text) for text in ("yes", "yes", "noo", "so")]
    names = ["accuracy", "rank_sum", "rank_byte", "exact_match"]
    scores = score(list("abcd"), answers, right, names, table())
    assert scores.values["accuracy"].tolist() == [100, 0, 0, 0]
    assert scores.values["rank_sum"].tolist() == [100, 0, 100, 100]
    assert scores.values["rank_byte"].tolist() == [0, 100, 0, 0]
    assert scores.values["exact_match"].tolist() == [100, 0, 0, 0]
    with pytest.raises(DataError, match="'rank_sum' is for tasks with options"):
        score(list("abcd"), answers, right, ["rank_sum"])


def test_measures_over_all_questions() -> None:
    found = table().measures()
    assert (found["near"], found["no_option"]) == (25, 50)
    predicted, right = ["yes", "yes", "no", "yes"], ["yes", "no", "no", "yes"]
    assert found["macro_f1"] == pytest.approx(100 * f1_score(right, predicted, average="macro"))
    sure, unsure = 1 / (1 + math.exp(-9)), math.exp(-0.69) / (math.exp(-0.69) + math.exp(-0.7))
    assert found["ece"] == pytest.approx(100 * (abs(3 * sure - 2) + abs(unsure - 1)) / 4)
    assert Options.from_json(table().to_json()) == table()
    assert table().taken([2, 0]).joined(table().taken([1])).right == (1, 0, 1)


PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=12)


@given(PAIRS)
@example([("a", "a"), ("b", "a"), ("b", "c"), ("b", "b")])  # c is predicted, and never right
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    right, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    expected = f1_score(right, predicted, average="macro", zero_division=0)
    assert macro_f1(predicted, right) == pytest.approx(100 * expected)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["a", "b", "c", ""])), min_size=1, max_size=12)
)
def test_an_answer_that_is_no_label_is_a_miss_and_no_class(pairs: list[tuple[str, str]]) -> None:
    right, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    labels = sorted({*right, *predicted} - {""})
    expected = f1_score(right, predicted, labels=labels, average="macro", zero_division=0)
    assert macro_f1(predicted, right) == pytest.approx(100 * expected)


def test_measures_are_of_the_ranking_that_decides() -> None:
    """The table's nats a byte are those in all, the other way round."""
    right, by_byte = ["yes", "no", "no", "yes"], ["no", "no", "yes", "no"]
    answers = [answer(text) for text in ("yes", "no", "no", "yes")]
    scores = score(
        list("abcd"), answers, [[r] for r in right], ["accuracy", "rank_byte", "rank_sum"], table()
    )
    assert scores.measures() == table().measures("byte") != table().measures()
    assert scores.measures()["macro_f1"] == pytest.approx(100 * f1_score(right, by_byte, average="macro"))
    sure, unsure = 1 / (1 + math.exp(-9)), math.exp(-0.69) / (math.exp(-0.69) + math.exp(-0.7))
    # Of three sure questions one is right by byte, and the unsure one is not.
    assert scores.measures()["ece"] == pytest.approx(100 * (abs(3 * sure - 1) + abs(unsure - 0)) / 4)


def test_bleu_and_chrf_are_those_of_sacrebleu() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    written = ["the cat sat on the mat", "a dog ran", ""]
    right = [["the cat sat on a mat", "a cat was on the mat"], ["a dog was running"], ["nothing"]]
    scores = score(written, [answer(text) for text in written], right, ["bleu", "chrf"])
    assert scores.values["bleu"][0] == pytest.approx(sacrebleu.sentence_bleu(written[0], right[0]).score)
    assert scores.values["chrf"][1] == pytest.approx(sacrebleu.sentence_chrf(written[1], right[1]).score)
    streams = [[several[0] for several in right], [right[0][1], None, None]]
    assert scores.measures()["corpus_bleu"] == pytest.approx(sacrebleu.corpus_bleu(written, streams).score)
    assert "sacrebleu" in metrics.get("chrf").signature()
