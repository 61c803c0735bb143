"""How the choices of a question are laid out: the order, where a choice's name stands, and what it is called.

docs/method.md 3 writes ``question: … choice1: … choice2: …`` and leaves the order and the place of the names open; both are
options here. A row holds its choices as the fields ``choice1``, ``choice2`` and so on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from mto.config import Strict
from mto.errors import TemplateError

MOST_CHOICES = 10
"""Choices of one question at most; two at least."""
CHOICE_FIELDS = tuple(f"choice{n + 1}" for n in range(MOST_CHOICES))
"""The fields that hold the choices of a row."""
BESIDE = ("context", "fact")
"""Fields that stand before a question where the task has them."""
WORDS = {"last": ("question", "last"), "after": ("mark", "after"), "letters": ("names", "letters"),
         "numbers": ("names", "numbers")}  # fmt: skip
"""Words behind a family's name that stand for an option: ``answer-prompting-last-letters``."""


class Layout(Strict):
    """Options of the input of a multiple-choice task.

    >>> Layout(question="last", mark="after").input(("question",))
    '{{ choices }} question: {{ question }}'
    >>> [Layout(names=names).name(1) for names in ("choices", "letters", "numbers")]
    ['choice2', 'b', '2']
    """

    question: Literal["first", "last"] = "first"
    """Whether the question stands before the choices or behind them."""
    mark: Literal["before", "after"] = "before"
    """Whether the name of a choice stands before its text (``choice1: a nail``) or behind it (``a nail (choice1)``)."""
    names: Literal["choices", "letters", "numbers"] = "choices"
    """``choice1, choice2 …``, ``a, b …`` or ``1, 2 …``."""

    @model_serializer(mode="wrap")
    def _options_only(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if value != Layout.model_fields[key].default}

    def name(self, number: int) -> str:
        """The name of choice `number`, from 0."""
        if self.names == "letters":
            return chr(ord("a") + number)
        return f"choice{number + 1}" if self.names == "choices" else str(number + 1)

    def around(self, number: int) -> tuple[str, str]:
        """What stands before and behind the text of choice `number`."""
        name = self.name(number)
        return (f"{name}: ", "") if self.mark == "before" else ("", f" ({name})")

    def input(self, fields: Collection[str]) -> str:
        """The template text of the whole input, for a task with these fields."""
        before = "".join(f"{name}: {{{{ {name} }}}} " for name in BESIDE if name in fields)
        parts = ("question: {{ question }}", "{{ choices }}")
        return before + " ".join(parts if self.question == "first" else reversed(parts))

    @property
    def said(self) -> str:
        """The options that are not the usual ones, for people; empty where all are."""
        return ", ".join(
            {"question": "question last", "mark": "marks after", "names": f"names as {self.names}"}[key]
            for key in self.model_dump()
        )


USUAL = Layout()
"""The form of docs/method.md 3."""


def read_options(words: Collection[str]) -> Layout | None:
    """The layout that words behind a family's name stand for; None where one is no option or two are about the same.

    >>> read_options(("last", "numbers")).name(0), read_options(("first",))
    ('1', None)
    """
    found: dict[str, Any] = {}
    for word in words:
        key, value = WORDS.get(word, ("", ""))
        if not key or key in found:
            return None
        found[key] = value
    return Layout(**found)


def with_layout(name: str, layout: Layout) -> str:
    """A family's name with the words that stand for the options of a layout.

    >>> with_layout("answer-prompting", Layout(question="last", names="numbers")), with_layout("mapping", USUAL)
    ('answer-prompting-last-numbers', 'mapping')
    """
    given = layout.model_dump()
    return "-".join([name, *(word for word, (key, value) in WORDS.items() if given.get(key) == value)])


def choices_of(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The choices that a row holds, in order.

    >>> choices_of({"question": "Which?", "choice1": "this", "choice2": "that"})
    ('this', 'that')
    """
    found = []
    for name in CHOICE_FIELDS:
        if name not in fields:
            break
        found.append(fields[name])
    return tuple(found)


def count_choices(fields: Mapping[str, str], where: str) -> int:
    """How many choices a row holds. Raises `TemplateError` for fewer than two."""
    number = len(choices_of(fields))
    if number < 2:
        raise TemplateError(
            f"the row holds {number or 'no'} choice{'s' if number != 1 else ''}, and the template writes them",
            where=where,
            hint=f"give the fields choice1 and choice2, up to choice{MOST_CHOICES}",
        )
    return number
