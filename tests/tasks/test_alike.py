"""Options that are nearly the same text are told, with their place, and no others are."""

from __future__ import annotations

import re
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.tasks import Task, task_from_rows
from mto.tasks.alike import CLOSE, LOST, alike_findings
from mto.tasks.balance import balance_findings
from mto.tasks.spelling import normalise


def questions(*choices: tuple[str, ...]) -> Task:
    rows = [{"question": f"which {n}?", "choices": list(c), "answer": c[0]} for n, c in enumerate(choices)]
    return task_from_rows(rows, kind="multiple-choice", name="mine")


@pytest.mark.parametrize(
    ("one", "other", "hint"),
    [
        ("a library", "the library", CLOSE),
        ("red-hot", "red hot", CLOSE),
        ("C", "C++", CLOSE),
        ("5", "-5", CLOSE),
        ("résumé", "resume", LOST),
        ("c + +", "C++", LOST),
    ],
)
def test_choices_that_are_alike(one: str, other: str, hint: str) -> None:
    told = list(alike_findings(questions(("left", "right"), (one, "wholly other", other))))
    assert len(told) == 1
    message, where, said = told[0]
    assert f"'{one}'" in message and f"'{other}'" in message and said == hint and where.endswith(":2")


@pytest.mark.parametrize(
    ("one", "other"),
    [("<", ">"), ("A", "B"), ("a", "the"), ("10", "1"), ("red", "read"), ("ice cream", "icecream")],
)
def test_choices_that_are_not(one: str, other: str) -> None:
    assert not list(alike_findings(questions((one, other))))


def test_many_rows_are_counted() -> None:
    told = list(alike_findings(questions(*((f"{n} cups", f"-{n} cups") for n in range(6)))))
    assert len(told) == 4 and told[-1][0].startswith("3 more")


def test_labels_and_words() -> None:
    rows = [{"text": f"text {n}", "label": ("good", "bad")[n % 2]} for n in range(4)]
    task = task_from_rows(rows, kind="classification", labels={"good": ["fine", "C"], "bad": ["fine", "C#"]})
    told = [message for message, *_ in alike_findings(task)]
    assert len(told) == 2 and "hold 'fine'" in told[0] and "'C#'" in told[1]
    found = [(message, where) for check, message, where, _ in balance_findings(task, {}) if check == "alike"]
    assert found == [(message, "") for message in told]


def test_a_place_is_the_path_of_the_file() -> None:
    task = questions(("5", "-5"))
    name = task.train[0].where.rpartition(":")[0]
    places = [
        where for check, _, where, _ in balance_findings(task, {name: "/in/rows.csv"}) if check == "alike"
    ]
    assert places == [f"/in/rows.csv:{task.train[0].where.rpartition(':')[2]}"]


def by_hand(text: str) -> str:
    """The normalisation of exact match, character by character."""
    text = unicodedata.normalize("NFKC", text).lower()
    marks = (c in string.punctuation or unicodedata.category(c).startswith("P") for c in text)
    bare = "".join(" " if mark else c for c, mark in zip(text, marks, strict=True))
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


@given(st.text() | st.text(alphabet=string.printable))
def test_the_normalisation_is_as_it_was(text: str) -> None:
    assert normalise(text) == by_hand(text)
