"""Cleaning, words, and finding test examples in raw text."""

from __future__ import annotations

import pytest

from mto.prepare.clean import CleanConfig, blanks, problem
from mto.prepare.decontaminate import Guarded, LeakIndex, guarded
from mto.prepare.words import Normaliser
from mto.tasks import load_task, task_from_rows

NORMAL = Normaliser()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A hammer is used for pounding nails.", None),
        ("Male cardinals are red.", None),
        ("Dogs chase cats daily.", None),
        ("She said “I don’t know”, and left at 5 p.m. for the café.", None),
        ("Isolated organs are rich in endothelial cells, vascular smooth muscle and other types of cells.", None),
        ("Too short here", "too short"),
        ("word " * 50, "too long"),
        ("See https://example.org for more of it", "odd characters"),
        ("This line has <b>markup</b> in it", "odd characters"),
        ("猫はマットの上に座っています that is it", "odd characters"),
        ("12 345 678 90 is a number of it", "odd characters"),
        ("THIS IS A VERY LOUD SENTENCE", "shouting"),
        ("- an item of a list", "list"),
        ("3) an item of a list", "list"),
        ("apples, pears, plums, nuts, and figs", "list"),
        ("Der Hund lief heute schnell durch den ganzen Garten.", "not English-like"),
        ("Le chat dort sur le tapis rouge depuis ce matin.", "not English-like"),
    ],
)  # fmt: skip
def test_what_is_kept_and_why_not(text: str, reason: str | None) -> None:
    assert problem(blanks(text), CleanConfig()) == reason


def test_words_are_the_same_for_all_forms() -> None:
    same = (
        "She was pounding the nails",
        "she is to pound a nail",
        "SHE'S pounding Nails!",
        "she’s pounded nails",
    )
    assert {tuple(NORMAL(text)) for text in same} == {("she", "be", "pound", "nail")} | {
        tuple(NORMAL("she's pounded nails"))
    }
    assert NORMAL("He went; they've gone, children don't.") == "he go they have go child do not".split()
    assert NORMAL("the a to An") == []


PLANTED = [
    Guarded(0, "hammer", ("pounding nails", "to break glass")),
    Guarded(1, "PersonX washes PersonY's car", ("to dry the car",)),
    Guarded(1, "PersonX eats ___", ("full",)),
    Guarded(1, "PersonX", ("glad",)),
]


@pytest.mark.parametrize(
    ("text", "triples"),
    [
        ("A hammer is used for pounding nails.", [0]),
        ("The Hammers pounded a nail.", [0]),
        ("You break glasses with the hammer, or pound nails.", [0, 1]),
        ("He washed his neighbour's old car before drying the car.", [2]),
        ("I wash Tom's cars and dry a car.", [2]),
        ("She ate the whole cake and was full.", [3]),
        ("He washed it in the yard behind the house of his friend, a car; dry car.", []),
        ("A hammer drives nails.", []),
        ("Nails are pounding a lot.", []),
        ("He is glad.", []),
    ],
)
def test_planted_leaks_are_found(text: str, triples: list[int]) -> None:
    index = LeakIndex(PLANTED, NORMAL)
    assert sorted(number for _, number in index.find(NORMAL(text))) == triples
    assert index.unusable == {1: 1}


def test_every_dev_and_test_example_of_a_task_is_guarded_and_found_in_its_own_words() -> None:
    task = load_task("household/xWant")
    examples = guarded([task])
    assert len(examples) == len(task.dev) + len(task.test)
    index = LeakIndex(examples, NORMAL)
    for example in examples:
        head = example.head.replace("PersonX", "She").replace("PersonY", "Tom").replace("___", "that")
        text = f"Today {head}, and then wants {example.tails[0]}."
        assert index.find(NORMAL(text)), text


def test_a_task_of_one_file_guards_its_train_rows() -> None:
    task = task_from_rows([{"head": "hammer", "tail": "pounding nails"}], name="own")
    assert guarded([task]) == [Guarded(0, "hammer", ("pounding nails",))]
