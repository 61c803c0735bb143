"""Which option a written answer stands for: the one that it equals, or none. What is merely near is wrong, and counted."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mto.evaluate.naming import the_name, the_name_first
from mto.tasks.spelling import normalise, the_one

if TYPE_CHECKING:
    from mto.families import Answer

NEAR = 0.75
"""Similarity of characters (difflib's ratio) from which a text resembles an option."""


@dataclass(frozen=True)
class Reading:
    """What an answer was read as.

    Attributes:
        option: number of the option, from 0; None: the answer is no option.
        near: whether it is no option but resembles the right one.
    """

    option: int | None
    near: bool = False


def read_option(
    answer: Answer,
    options: Sequence[Sequence[str]],
    right: int,
    names: Sequence[str] = (),
    *,
    masked: bool = False,
) -> Reading:
    """Read a written answer.

    Args:
        answer: what the model wrote.
        options: the texts that stand for each option.
        right: number of the right one; it only says what is near.
        names: of each option (``choice1``), where the family asks for the name: then the name decides. It stands first,
            and the option's text behind it (`mto.evaluate.naming`).
        masked: the name is asked for behind the second mask.

    >>> from mto.families import Answer
    >>> options = [["a library"], ["a garden"]]
    >>> read_option(Answer("- 5", (), False, False), [["5"], ["-5"]], 0)
    Reading(option=1, near=False)
    >>> read_option(Answer("Library.", (), False, False), options, 0)
    Reading(option=0, near=False)
    >>> read_option(Answer("the libraries", (), False, False), options, 0)
    Reading(option=None, near=True)
    >>> read_option(Answer("choice2 library", (), False, False), options, 0, ["choice1", "choice2"])
    Reading(option=1, near=False)
    """
    if not names:
        found = the_one(answer.text, options)
    elif masked:
        found = the_name(answer.rest[0] if answer.rest else "", names)
    else:
        found = the_name_first(answer.text, names, options)
    if found is not None:
        return Reading(found)
    return Reading(None, any(_resembles(answer.text, text) for text in options[right]))


def _resembles(text: str, other: str) -> bool:
    ours, theirs = normalise(text), normalise(other)
    return bool(ours) and difflib.SequenceMatcher(None, ours, theirs, autojunk=False).ratio() >= NEAR
