"""The schema of a task file of another kind than completion: one file is one task."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mto.config import Strict
from mto.tasks.schema import Source, Text
from mto.tasks.task import TaskType

Answers = Literal["index", "number", "letter", "text"]
ItemKind = Literal["multiple-choice", "classification", "text-to-text"]


class ItemColumns(Strict):
    """Which column of the files holds which field. A dot leads into a nested column: ``choices.text``.

    Multiple choice has question, choices (one column with a list, or one column a choice), answer, and perhaps context and
    fact; classification text, perhaps text2, and label; text to text source and target (one column, or one a reference).
    """

    question: Text | None = None
    choices: Text | tuple[Text, ...] | None = None
    answer: Text | None = None
    context: Text | None = None
    fact: Text | None = None
    text: Text | None = None
    text2: Text | None = None
    label: Text | None = None
    source: Text | None = None
    target: Text | tuple[Text, ...] | None = None

    def given(self) -> dict[str, str | tuple[str, ...]]:
        """Field to column, those that are named."""
        return {name: value for name, value in self if value is not None}


FIELDS: dict[ItemKind, dict[str, bool]] = {
    "multiple-choice": {"question": True, "choices": True, "answer": True, "context": False, "fact": False},
    "classification": {"text": True, "text2": False, "label": True},
    "text-to-text": {"source": True, "target": True},
}
"""The fields of each kind, and whether it needs them."""


class ItemData(Source):
    """Where the rows are and how to read them.

    Attributes:
        answers: how the answer of a multiple-choice row is given: ``index`` (from 0), ``number`` (from 1), ``letter`` (A, B,
            …) or ``text`` (of the right choice).
        values: per field, what stands for what: ``{question: {cause: "What was the cause?"}}``; others stay.
        drop: answers and labels that say "not known", such as ``-1``; their rows are left out without a warning.
        odd_rows: whether a row that cannot be used (a choice twice, an answer that is no choice, one question with two
            answers) is an error, or is mended or left out with a warning.
        max_test: test rows that stay, drawn by a fixed seed; None: all.
    """

    columns: ItemColumns = ItemColumns()
    answers: Answers = "index"
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()
    odd_rows: Literal["error", "drop"] = "error"
    max_test: Annotated[int, Field(ge=1)] | None = None

    def columns_for(self, kind: ItemKind) -> dict[str, str | tuple[str, ...]]:
        """Field to column of a kind: those that are named, and fields that it needs under their own names."""
        own = {name: name for name, needed in FIELDS[kind].items() if needed}
        return {**own, **self.columns.given()}

    def looked_for(self) -> tuple[str, ...]:
        """Columns by which a delimiter is known."""
        named = self.columns.given().values()
        return tuple(c for value in named for c in ((value,) if isinstance(value, str) else value))


class Label(Strict):
    """One label: what stands for it in the data (its name where left out), and its words, the one to train on first."""

    data: tuple[str, ...] = ()
    words: tuple[Text, ...] = ()


class ItemFile(Strict):
    """A task of multiple choice, classification or text to text.

    Attributes:
        relation: what Mapping writes before the input; the name where left out.
        input: of a classification: how its texts are laid out, such as ``premise: {{ text }} hypothesis: {{ text2 }}``.
        labels: of a classification: name to `Label`.
        data: files that the user has (``data=``), or that lie beside the task file.
        hub: the same task as a public data set; read where no files are given, and where the given rows have its columns.
        shots: labelled rows of a run where nobody says how many, for small data.
        notes: for people: which file serves as what, and what to know about the data.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    kind: ItemKind
    title: str = ""
    description: str = ""
    licence: str = ""
    source: str = ""
    notes: str = ""
    relation: Text | None = None
    type: TaskType | None = None
    phrases: tuple[Text, ...] = ()
    shots: Annotated[int, Field(ge=1)] | None = None
    input: Text | None = None
    labels: dict[Text, Label] = Field(default_factory=dict)
    data: ItemData
    hub: ItemData | None = None

    @field_validator("labels")
    @classmethod
    def _words_are_ones_own(cls, labels: dict[str, Label]) -> dict[str, Label]:
        seen: dict[str, str] = {}
        for name, label in labels.items():
            for word in label.words:
                if seen.setdefault(word.casefold(), name) != name:
                    raise ValueError(
                        f"the word '{word}' stands for '{seen[word.casefold()]}' and for '{name}'"
                    )
        return labels

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        classes = self.kind == "classification"
        if classes and len(self.labels) < 2:
            raise ValueError(
                "a classification has two labels or more: labels: {positive: {words: [great]}, …}"
            )
        if not classes and (self.labels or self.input):
            raise ValueError("labels and input belong to the kind classification")
        for data in filter(None, (self.data, self.hub)):
            wrong = sorted(set(data.columns.given()) - set(FIELDS[self.kind]))
            if wrong:
                raise ValueError(
                    f"columns.{wrong[0]}: {self.kind} has the fields {', '.join(FIELDS[self.kind])}"
                )
        return self

    def verbalizer(self) -> dict[str, tuple[str, ...]]:
        """Name of each label to its words; its name where no words are given."""
        return {name: label.words or (name,) for name, label in self.labels.items()}

    def label_of(self) -> dict[str, str]:
        """What stands in the data (case aside) to the name of its label."""
        return {
            value.casefold(): name for name, label in self.labels.items() for value in label.data or (name,)
        }
