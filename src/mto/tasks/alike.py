"""Options that a written answer hardly tells apart: choices of one row, or texts of two labels, that are nearly the same text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from mto.tasks.spelling import normalise, written_back
from mto.tasks.task import Task

SHOWN = 3
"""Rows that are told one by one."""
LOST = "a lower-case tokenizer writes them alike, so that a written answer is read as neither; let them differ in a letter"
CLOSE = "a written answer counts only where it is spelt exactly as one of them; the ranking tells them apart"
Told = tuple[str, str, str]  # message, where, hint


def alike_findings(task: Task) -> Iterator[Told]:
    """Message, place and hint for options that are nearly the same text.

    The place is an `Example.where`; empty for labels. Told apart are texts that a lower-case tokenizer writes alike, and
    those that only the normalisation of written answers takes for the same.

    >>> from mto.tasks import task_from_rows
    >>> rows = [{"question": "how?", "choices": ["a red-hot pot", "the red hot pot"], "answer": "a red-hot pot"}]
    >>> [message for message, *_ in alike_findings(task_from_rows(rows, kind="multiple-choice"))]
    ["the choices 'a red-hot pot' and 'the red hot pot' are the same but for marks and articles"]
    """
    for what, texts in (
        ("labels", [(name,) for name in task.form.labels]),
        ("words", [*task.form.labels.values()]),
    ):
        for one, other, close in _pairs(texts):
            yield _message(what, one, other, close), "", CLOSE if close else LOST
    rows = [example for examples in (task.train, task.dev, task.test) for example in examples]
    found = [
        (example.where, pair) for example in rows for pair in _pairs([(text,) for text in example.choices])
    ]
    for where, (one, other, close) in found[:SHOWN]:
        yield _message("choices", one, other, close), where, CLOSE if close else LOST
    if len(found) > SHOWN:
        more = len(found) - SHOWN
        yield (
            f"{more} more pair{'s' * (more > 1)} of choices of one row are alike",
            found[SHOWN][0],
            CLOSE if found[SHOWN][1][2] else LOST,
        )


def _pairs(options: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, bool]]:
    """Texts of two options that are alike, and whether it is only the normalisation that takes them for the same."""
    forms = [[(text, written_back(text), normalise(text)) for text in texts] for texts in options]
    for ours, theirs in combinations(forms, 2):
        for one, spelt, bare in ours:
            for other, also, too in theirs:
                if spelt == also or (bare and bare == too):
                    yield one, other, spelt != also


def _message(what: str, one: str, other: str, close: bool) -> str:
    how = "marks and articles" if close else "case, accents and blanks"
    return (
        f"the {what} '{one}' and '{other}' are the same but for {how}"
        if one != other
        else f"the {what} of two labels hold '{one}'"
    )
