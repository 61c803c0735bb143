"""What a table holds, guessed from names and contents; and what cannot be guessed is asked by the right option."""

from __future__ import annotations

from typing import Any

import pytest

from mto.errors import DataError, MtoError
from mto.tasks.guess import Said, Unclear, guess
from mto.tasks.tables import table_from_rows


def found(rows: list[dict[str, Any]], **said: Any) -> Any:
    return guess(table_from_rows(rows, name="t.csv"), Said(**said))


def rows(count: int = 12, **columns: Any) -> list[dict[str, Any]]:
    """Rows whose cells are made by functions of the row's number."""
    return [{name: make(n) for name, make in columns.items()} for n in range(count)]


LONG = "a text of quite a few words about the thing number {}".format
COLOURS = ["red", "green", "blue"]


@pytest.mark.parametrize(
    ("table", "kind", "columns"),
    [
        (rows(head=LONG, relation=lambda n: "Use", tail=LONG), "completion", {"head": "head", "relation": "relation", "tail": "tail"}),
        (rows(thing=lambda n: f"thing {n}", use=lambda n: f"use {n}"), "completion", {"head": "thing", "tail": "use"}),
        (rows(id=int, Review=LONG, Sentiment=lambda n: COLOURS[n % 2]), "classification", {"text": "Review", "label": "Sentiment"}),
        (rows(premise=LONG, hypothesis=LONG, label=lambda n: COLOURS[n % 3]), "classification", {"text": "premise", "text2": "hypothesis", "label": "label"}),
        (rows(said=LONG, mood=lambda n: COLOURS[n % 3]), "classification", {"text": "said", "label": "mood"}),
        (rows(document=LONG, summary=lambda n: f"thing {n}"), "text-to-text", {"source": "document", "target": "summary"}),
        (rows(question=LONG, answer=LONG), "text-to-text", {"source": "question", "target": "answer"}),
        (rows(left=LONG, right=LONG), "text-to-text", {"source": "left", "target": "right"}),
        (rows(question=LONG, choices=lambda n: COLOURS, answer=lambda n: n % 3), "multiple-choice", {"question": "question", "choices": "choices", "answer": "answer"}),
        (
            rows(q=LONG, optionB=lambda n: "y", optionA=lambda n: "x", correct=lambda n: "AB"[n % 2]),
            "multiple-choice", {"question": "q", "choices": ("optionA", "optionB"), "answer": "correct"},
        ),
        (
            rows(context=LONG, question=LONG, choices=lambda n: {"text": COLOURS, "label": list("ABC")}, answerKey=lambda n: "ABC"[n % 3]),
            "multiple-choice", {"question": "question", "choices": "choices.text", "answer": "answerKey", "context": "context"},
        ),
    ],
)  # fmt: skip
def test_kind_and_columns(table: list[dict[str, Any]], kind: str, columns: dict[str, Any]) -> None:
    told = found(table)
    assert (told.kind, dict(told.columns)) == (kind, columns)
    assert told.reasons


@pytest.mark.parametrize(
    ("answer", "way"),
    [(lambda n: n % 3, "index"), (lambda n: n % 3 + 1, "number"), (lambda n: "abc"[n % 3], "letter"), (lambda n: COLOURS[n % 3].title(), "text")],
)  # fmt: skip
def test_how_the_answer_is_given(answer: Any, way: str) -> None:
    assert found(rows(question=LONG, choices=lambda n: COLOURS, answer=answer)).answers == way


def test_a_few_wrong_answers_do_not_hide_the_way() -> None:
    told = found(rows(question=LONG, choices=lambda n: COLOURS, answer=lambda n: 9 if n == 5 else n % 3))
    assert told.answers == "index" and "11 of 12 rows" in " ".join(told.reasons)


def test_questions_with_fewer_choices_are_questions() -> None:
    """A number that fits an empty choice alone would make 'index' as likely as 'number'."""
    table = rows(
        Question=LONG, A=lambda n: "red", B=lambda n: "green", C=lambda n: "blue" if n % 2 else "",
        D=lambda n: "black" if n == 3 else "", correct=lambda n: 3 if n % 2 else 2,
    )  # fmt: skip
    told = found(table)
    assert (told.kind, told.columns["choices"], told.answers) == ("multiple-choice", tuple("ABCD"), "number")


SUM = "What comes after the number {}?".format


@pytest.mark.parametrize(
    ("answer", "way"),
    [(lambda n: "AB"[n % 2], "letter"), (lambda n: n + 1, "text"), (lambda n: n % 2 + 1, "number")],
)
def test_choices_that_are_consecutive_numbers_are_choices(answer: Any, way: str) -> None:
    told = found(rows(id=int, question=SUM, A=lambda n: n + 1, B=lambda n: n + 50, answer=answer))
    assert (told.kind, told.columns["choices"], told.answers) == ("multiple-choice", ("A", "B"), way)
    assert told.unread == ("id",)


def test_numbers_that_no_answer_names_are_no_choices() -> None:
    told = found(
        rows(text=LONG, A=lambda n: n, B=lambda n: n + 50, label=lambda n: "good" if n % 2 else "poor")
    )
    assert told.kind == "classification" and told.unread == ("A", "B")


def test_how_answers_are_given_says_the_kind() -> None:
    with pytest.raises(Unclear) as caught:
        found(rows(text=LONG, label=lambda n: COLOURS[n % 2]), answers="number")
    assert caught.value.flag == "--columns choices="
    with pytest.raises(DataError, match="--answers: says how the right choice is given"):
        found(rows(text=LONG, label=lambda n: COLOURS[n % 2]), answers="number", columns={"text": "text"})


@pytest.mark.parametrize(
    ("table", "flag", "options"),
    [
        (rows(a=LONG, b=LONG, c=LONG), "--kind", ("completion", "multiple-choice", "classification", "text-to-text")),
        (rows(text=LONG, label=lambda n: n % 2), "--labels", ("0", "1")),
        (rows(question=LONG, choices=lambda n: COLOURS, answer=lambda n: 1), "--answers", ("index", "number")),
    ],
)  # fmt: skip
def test_what_cannot_be_told_names_its_option(table: Any, flag: str, options: tuple[str, ...]) -> None:
    with pytest.raises(Unclear) as caught:
        found(table)
    assert (caught.value.flag, caught.value.options) == (flag, options) and flag in str(caught.value)


def test_what_is_said_is_not_guessed() -> None:
    table = rows(a=LONG, b=LONG, c=lambda n: n % 2)
    told = found(table, columns={"text": "b", "label": "c"}, labels={"0": "low", "1": "high"})
    assert told.kind == "classification" and dict(told.labels) == {"low": ("0",), "high": ("1",)}
    assert told.unread == ("a",)
    choices = found(
        rows(q=LONG, x=lambda n: "one", y=lambda n: "two", right=lambda n: "one"),
        columns={"choices": "x+y", "answer": "right"},
    )
    assert choices.columns["choices"] == ("x", "y") and choices.columns["question"] == "q"
    with pytest.raises(Unclear, match="which column holds the text"):
        found(table, kind="classification", columns={"label": "c"})


@pytest.mark.parametrize(
    ("table", "said", "message"),
    [
        (rows(text=LONG, label=lambda n: "good"), {}, "all 12 rows have the label 'good'"),
        (rows(text=LONG, label=lambda n: n % 2), {"labels": {"0": "bad"}}, "says nothing of '1'"),
        (rows(text=LONG, label=str), {"columns": {"text": "txt"}}, "did you mean 'text'"),
        (rows(text=LONG, label=str), {"columns": {"words": "text"}}, "no field is named 'words'"),
        (rows(text=LONG, tail=LONG), {"kind": "completion", "columns": {"text": "text"}}, "no field 'text'"),
        (rows(120, head=LONG, relation=LONG, tail=LONG), {}, "120 different relations"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(table: Any, said: dict[str, Any], message: str) -> None:
    with pytest.raises(MtoError, match=message):
        found(table, **said)


def test_sixty_labels_are_too_many() -> None:
    with pytest.raises(DataError, match="60 different labels"):
        found(
            rows(240, text=LONG, label=lambda n: f"l{n % 60}"),
            kind="classification",
            columns={"label": "label"},
        )
