"""What the user wants done: a task with its examples, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TaskType = Literal["mask-filling", "map-phrasal"]


@dataclass(frozen=True)
class DataWarning:
    """Something odd in the data that was mended; never printed here.

    Attributes:
        kind: ``duplicate-row``, ``empty-cell`` (the row was dropped), ``empty-row``, or ``head-in-two-splits``.
        where: ``file:line``.
    """

    kind: Literal["duplicate-row", "empty-cell", "empty-row", "head-in-two-splits"]
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True)
class Example:
    """One head with all its tails.

    Attributes:
        id: a hash of the fields (case and spacing aside): the same wherever the head stands.
        fields: ``head``, ``relation`` and what else the task has.
        targets: the tails, in the order of the file.
        where: ``file:line`` of the first row, the file as named in its data folder.
    """

    id: str
    fields: Mapping[str, str]
    targets: tuple[str, ...]
    where: str

    @property
    def head(self) -> str:
        """The input."""
        return self.fields["head"]


@dataclass(frozen=True)
class Row:
    """One labelled row of a few-shot split: a head and one tail.

    Attributes:
        id: the id of its `Example`.
        target: the tail to learn.
        references: the tails that a prediction is scored against; for a training row only `target`.
    """

    id: str
    fields: Mapping[str, str]
    target: str
    references: tuple[str, ...]
    where: str

    @property
    def head(self) -> str:
        """The input."""
        return self.fields["head"]


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
    """One relation of a data set, ready to draw splits from.

    Attributes:
        name: such as ``household/ObjectUse``.
        relation: the relation's name, as the Mapping family writes it.
        type: ``mask-filling``, ``map-phrasal``, or None where it is not known.
        phrases: natural phrases as template texts, the default first; empty when there is none.
        wordings: other ways in which text says the relation; only looked for in raw text.
        fields: names of the fields of every example.
        train, dev, test: one `Example` a head; dev and test are empty when the task has one file only.
        warnings: what was mended while loading.
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
    kind: Literal["completion"] = "completion"
    title: str = ""
    description: str = ""
    licence: str = ""
    wordings: tuple[str, ...] = ()
    warnings: tuple[DataWarning, ...] = field(default=(), repr=False)


def fold_case(text: str) -> str:
    """A text without differences in case and spacing: what makes two heads, or two tails, the same.

    >>> fold_case("  Claw  Hammer ")
    'claw hammer'
    """
    return " ".join(text.split()).casefold()


def example_id(fields: Mapping[str, str]) -> str:
    """The id of an example: 12 hexadecimal digits, independent of file, split, case and spacing."""
    text = "\x1f".join(f"{name}\x1e{fold_case(fields[name])}" for name in sorted(fields))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
