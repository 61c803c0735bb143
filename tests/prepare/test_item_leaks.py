"""Sentences that give items of other kinds than completion away."""

from __future__ import annotations

import pytest

from mto.prepare.decontaminate import Guarded, LeakIndex, from_json, guarded, to_json
from mto.prepare.words import Normaliser
from tests.prepare.items import task

NORMAL = Normaliser()
ASKED = (
    Guarded(0, "", ("the refrigerator",), "multiple-choice", ("Where would you keep milk cold at home?",)),
    Guarded(0, "", ("feels tired",), "multiple-choice", ("Cameron decided to have a barbecue with all her friends.", "How is Cameron now?")),
    Guarded(0, "", ("The grass was cut.",), "multiple-choice", ("Why?",)),
    Guarded(1, "", ("negative",), "classification", ("it 's a dull and endless film",)),
    Guarded(1, "", ("positive",), "classification", ("a joy for me",)),
    Guarded(2, "", ("contradiction",), "classification", ("Two men are playing chess in a park.", "The men are fast asleep in their beds.")),
    Guarded(3, "", ("A dog wags its tail at the boy.",), "text-to-text", ("wag, tail, dog",)),
    Guarded(3, "", ("Hund",), "text-to-text", ("dog",)),
    Guarded(4, "pan", ("frying eggs",)),
    Guarded(4, "", ("to",), "multiple-choice", ("the?",)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cold milk is kept in the refrigerators of your home.", [0]),  # what is asked, in another order, and the answer
        ("A refrigerator keeps the milk cold.", [0]),  # three of four content words
        ("At home we keep cold milk.", []),  # no answer
        ("The refrigerator is cold and white.", []),  # the answer, and one word of the question
        ("Last week Cameron decided to have a barbecue with all her friends, he said.", [1]),  # a text of it, without the answer
        ("Cameron decided on a barbecue for friends and feels tired.", [1]),
        ("Cameron feels tired now.", []),  # a short input counts in one piece alone
        ("The grass was cut.", [2]),  # a short answer, and nothing else
        ("Yesterday the grass was cut by him.", []),
        ("Why, the grass was cut!", [2]),
        ("I think it's a dull and endless film.", [3]),  # tokenised texts, both ways
        ("I think it 's a dull and endless film.", [3]),
        ("A joy for me!", [4]),
        ("It was a joy for me to go.", []),
        ("They know that two men are playing chess in the parks.", [5]),
        ("The man is fast asleep in his bed.", []),
        ("The men are fast asleep in their bed.", [5]),
        ("Look, a dog wags its tail at the boy.", [6]),
        ("The dog can wag a tail.", []),  # any sentence with these words is an answer, but not the reference
        ("The dog is called Hund in German.", [7]),
        ("Use the pan for frying eggs.", [8]),
    ],
)  # fmt: skip
def test_planted_leaks_of_items_are_found(text: str, found: list[int]) -> None:
    index = LeakIndex(ASKED, NORMAL)
    told = index.find(NORMAL(text))
    assert sorted(number for _, number in told) == found
    assert all(index.triples[number][0] == task for task, number in told)
    assert index.unusable == {4: 1}


def test_a_sentence_that_gives_several_items_away_tells_each_once() -> None:
    same = [Guarded(0, "", (label,), "classification", ("Two men are playing chess in a park.", "Two men are playing chess in a park.")) for label in "ab"]  # fmt: skip
    assert LeakIndex(same, NORMAL).find(NORMAL("Two men are playing chess in a park.")) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("kind", ["multiple-choice", "classification", "text-to-text"])
def test_items_are_guarded_with_the_texts_of_their_input(kind: str) -> None:
    own = task(kind)
    examples = guarded([own])
    assert len(examples) == 4 and all(one.kind == kind for one in examples)
    assert not any(
        "deep sea" in text for one in examples for text in one.texts
    )  # wrong choices are not the item's
    assert from_json(to_json(examples)) == examples
    index = LeakIndex(examples, NORMAL)
    for number, one in enumerate(examples):
        text = " ".join(one.texts) if kind == "classification" else f"{' '.join(one.texts)} {one.tails[0]}"
        assert (0, number) in index.find(NORMAL(text)), text


def test_a_sentence_meets_only_items_that_share_a_rare_word_with_it() -> None:
    many = [Guarded(0, "", (f"place {n}",), "multiple-choice", (f"Where does one find the thing{n} of a king?",)) for n in range(500)]  # fmt: skip
    index = LeakIndex(many, NORMAL)
    assert index.find(NORMAL("One may find the thing7 of a king in place 7.")) == [(0, 7)]
    asked = index._items._by_word  # type: ignore[union-attr]
    assert max(map(len, asked.values())) == 1 and len(asked) == 500
