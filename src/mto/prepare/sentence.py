"""A sentence out of raw text, with the place that it came from."""

from __future__ import annotations

from dataclasses import dataclass

GENERAL = ""
"""The task of a sentence that was drawn for no task."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence.

    Attributes:
        text: the sentence, blanks made single, stripped.
        where: ``file:line``, the file as named below the path that was given.
    """

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Selected:
    """A sentence that was chosen from the raw text.

    Attributes:
        sentence: the sentence.
        task: the task that it was chosen for, such as ``household/ObjectUse``; `GENERAL` for none.
        score: how near it is to the task, higher is nearer; comparable within one task only.
        by: what chose it: ``phrase``, ``label-word``, ``bm25``, ``embedding``, or ``random`` for a general sentence.
    """

    sentence: Sentence
    task: str
    score: float
    by: str
