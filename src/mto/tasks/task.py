"""What the user wants done: a task with its examples, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mto.tasks.columns import OWN_NAMES, InputColumns
from mto.tasks.form import PLAIN, Form, Kind
from mto.templates import CHOICE_FIELDS, choices_of

TaskType = Literal["mask-filling", "map-phrasal"]
SHOTS = 30
"""Labelled rows of a run where nobody says how many, neither the user nor the task."""


@dataclass(frozen=True)
class DataWarning:
    """Something odd in the data that was mended; never printed here.

    Attributes:
        kind: ``duplicate-row``, ``empty-cell`` (the row was dropped), ``empty-row``, ``odd-row`` (mended or dropped, as the
            message says), or ``head-in-two-splits``.
        where: ``file:line``.
    """

    kind: Literal["duplicate-row", "empty-cell", "empty-row", "odd-row", "head-in-two-splits"]
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True)
class Example:
    """One input with all that is right for it: a head with its tails, a question with its answer.

    Attributes:
        id: a hash of the fields (case and spacing aside): the same wherever the input stands.
        fields: ``head``, ``relation`` and what else the task has; the choices of a question are ``choice1``, ``choice2`` …
        targets: the tails, the text of the right choice, the label's name, or the target texts, in the order of the file.
        where: ``file:line`` of the first row, the file as named in its data folder.
    """

    id: str
    fields: Mapping[str, str]
    targets: tuple[str, ...]
    where: str

    @property
    def head(self) -> str:
        """The input for a reader; see `head_of`."""
        return head_of(self.fields)

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices of a question, else empty."""
        return choices_of(self.fields)


@dataclass(frozen=True)
class Row:
    """One labelled row of a few-shot split: an input and one target.

    Attributes:
        id: the id of its `Example`.
        target: the text to learn (for a classification the label's name).
        references: the targets that a prediction is scored against; for a training row only `target`.
    """

    id: str
    fields: Mapping[str, str]
    target: str
    references: tuple[str, ...]
    where: str

    @property
    def head(self) -> str:
        """The input for a reader; see `head_of`."""
        return head_of(self.fields)

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices of a question, else empty."""
        return choices_of(self.fields)


@dataclass(frozen=True)
class TaskSource:
    """Where a task's data came from.

    Attributes:
        path: the folder, file or data set, as it was given.
        files: SHA-256 of each split's data.
    """

    path: str
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """One hash over all splits."""
        text = "\n".join(f"{split} {digest}" for split, digest in sorted(self.files.items()))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Task:
    """One task (for completion: one relation of a data set), ready to draw splits from.

    Attributes:
        name: such as ``household/ObjectUse``.
        relation: the relation's name, as the Mapping family writes it.
        type: ``mask-filling``, ``map-phrasal``, or None where it is not known.
        phrases: natural phrases as template texts, the default first; empty when there is none.
        wordings: other ways in which text says the relation; only looked for in raw text.
        fields: names of the fields of every example.
        train, dev, test: one `Example` an input; dev and test are empty when the task has one file only.
        form: the kind of task, and how its rows are written.
        shots: labelled rows where the user does not say how many, for small data; None: as usual.
        warnings: what was mended while loading.
        columns: where the inputs stand in the user's files, for new rows of the same form.
    """

    name: str
    relation: str
    type: TaskType | None
    phrases: tuple[str, ...]
    fields: tuple[str, ...]
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    source: TaskSource
    title: str = ""
    description: str = ""
    licence: str = ""
    wordings: tuple[str, ...] = ()
    form: Form = PLAIN
    shots: int | None = None
    warnings: tuple[DataWarning, ...] = field(default=(), repr=False)
    columns: InputColumns = OWN_NAMES

    @property
    def kind(self) -> Kind:
        """``completion``, ``multiple-choice``, ``classification`` or ``text-to-text``."""
        return self.form.kind

    @property
    def tested(self) -> tuple[Example, ...]:
        """The test examples that can be tested on: those of inputs that stand neither in train nor in dev."""
        known = {example.id for example in (*self.train, *self.dev)}
        return tuple(example for example in self.test if example.id not in known)

    @property
    def usual_shots(self) -> int:
        """Labelled rows where the user does not say how many: what the task asks for, else 30, and no more than there are."""
        return min(self.shots or SHOTS, len(self.train))

    @property
    def tuned_shots(self) -> int | None:
        """The same where one model is tuned: None, all rows, of a task of one file, which is scored by cross-validation."""
        return self.usual_shots if self.dev or self.test else None


def fold_case(text: str) -> str:
    """A text without differences in case and spacing: what makes two heads, or two tails, the same.

    >>> fold_case("  Claw  Hammer ")
    'claw hammer'
    """
    return " ".join(text.split()).casefold()


def head_of(fields: Mapping[str, str]) -> str:
    """The input of a row for a reader: its head, or its texts one behind the other, without relation and choices.

    >>> head_of({"context": "It rained.", "question": "Why?", "relation": "QA", "choice1": "clouds"})
    'It rained. Why?'
    """
    if "head" in fields:
        return fields["head"]
    return " ".join(text for name, text in fields.items() if name != "relation" and name not in CHOICE_FIELDS)


MOST_SHOWN = 60
"""Characters of an input, and of the choices behind it, that a message shows."""


def shown(fields: Mapping[str, str]) -> str:
    """The whole input of a row for a message, shortened: questions may differ in their choices alone.

    >>> shown({"question": "Which makes sense?", "relation": "QA", "choice1": "He ate soup.", "choice2": "He ate a house."})
    'Which makes sense? (He ate soup. / He ate a house.)'
    """
    choices = " / ".join(choices_of(fields))
    return _cut(head_of(fields)) + (f" ({_cut(choices)})" if choices else "")


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def example_id(fields: Mapping[str, str]) -> str:
    """The id of an example: 12 hexadecimal digits, independent of file, split, case and spacing."""
    text = "\x1f".join(f"{name}\x1e{fold_case(fields[name])}" for name in sorted(fields))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
