"""The schema of a task's YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from mto.config import Strict, parse
from mto.tasks.task import TaskType
from mto.templates import RESERVED

Format = Literal["tsv", "csv", "jsonl", "parquet", "huggingface"]
Keeper = Literal["train", "test"]
Text = Annotated[str, Field(min_length=1)]
TAKEN = RESERVED | {"head", "relation", "tail"}


class Columns(Strict):
    """Which column of the files holds which field.

    `relation` null says that all rows belong to the one relation asked for; left out, the column is used where
    the file has it. `others` adds fields of the user's own: field name to column.
    """

    head: Text = "head"
    relation: Text | None = "relation"
    tail: Text = "tail"
    others: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Text] = Field(default_factory=dict)

    @field_validator("others")
    @classmethod
    def _names_are_free(cls, others: dict[str, str]) -> dict[str, str]:
        taken = sorted(set(others) & TAKEN)
        if taken:
            raise ValueError(f"the name '{taken[0]}' is taken; choose another for this field")
        return others

    def named(self, given: Mapping[str, str]) -> Columns:
        """These columns with those that a user names; other fields than head, relation and tail are their own.

        Raises:
            ConfigError: a name is empty, taken, or cannot be a field's.

        >>> Columns().named({"head": "QUESTION", "place": "room"}).others
        {'place': 'room'}
        """
        main = {field: given[field] for field in ("head", "relation", "tail") if field in given}
        others = {field: column for field, column in given.items() if field not in main}
        values = {**self.model_dump(exclude_unset=True), **main, "others": {**self.others, **others}}
        return parse(Columns, values, source="the columns")

    @property
    def relation_is_asked_for(self) -> bool:
        """Whether the file says itself that it has a relation column."""
        return "relation" in self.model_fields_set and self.relation is not None


class Splits(Strict):
    """The files (or the splits of a Hugging Face data set). One file is enough: dev and test may be missing."""

    train: Text
    dev: Text | None = None
    test: Text | None = None

    def named(self) -> dict[str, str]:
        """The splits that are given."""
        return {
            name: value for name in ("train", "dev", "test") if (value := getattr(self, name)) is not None
        }


class Source(Strict):
    """Where the rows of a task of any kind are.

    Attributes:
        folder: relative to the YAML file; null when the user gives it each time with ``data=``.
        format: by each file's ending when left out.
        delimiter: of CSV files.
        dataset: for ``huggingface``: a folder saved with ``save_to_disk``, or a name on the hub.
        config, revision: of a data set on the hub.
        only: rows with these values alone are read, in files that have the column, such as ``{label: "1"}``.
        hold_out: where there is no test file: so many inputs of the train file are the test set, drawn by a fixed seed.
        shared_heads: which side keeps an input that stands in several files. ``train``: train and dev keep it, and it is not
            tested on. ``test``: the rows of train and dev with it are left out (of train those with inputs of dev as well), so
            that the test set is whole: for data that were not cut by input.
    """

    folder: str | None = "."
    format: Format | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    dataset: Text | None = None
    config: str | None = None
    revision: str | None = None
    splits: Splits
    only: dict[str, str] = Field(default_factory=dict)
    hold_out: Annotated[int, Field(ge=1)] | None = None
    shared_heads: Keeper = "train"

    def looked_for(self) -> tuple[str, ...]:
        """Columns by which the delimiter of a file of rows is known."""
        return ()


class Data(Source):
    """Where the rows of a completion task are and how to read them.

    Attributes:
        drop_tails: tails that say "nothing" (case ignored); their rows are left out without a warning.
    """

    columns: Columns = Columns()
    drop_tails: tuple[str, ...] = ()

    def looked_for(self) -> tuple[str, ...]:
        """Columns by which the delimiter of a file of rows is known."""
        return (self.columns.head, self.columns.tail)


class Relation(Strict):
    """One relation: its type where it is known, its natural phrases, the default first, and its wordings.

    Wordings are other ways in which text says the relation ("{{ head }} is used for"). Examples are never written with them;
    preparation looks for them in raw text, beside the phrases.
    """

    type: TaskType | None = None
    description: str = ""
    phrases: tuple[Text, ...] = ()
    wordings: tuple[Text, ...] = ()


class TaskFile(Strict):
    """A data set with one relation or more; each relation is a task."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    kind: Literal["completion"] = "completion"
    title: str = ""
    licence: str = ""
    source: str = ""
    data: Data
    relations: Annotated[dict[Text, Relation], Field(min_length=1)]
