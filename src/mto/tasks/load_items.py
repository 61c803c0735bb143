"""Loading tasks of multiple choice, classification and text to text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mto.config import parse
from mto.errors import DataError, TemplateError
from mto.tasks.clean import all_warnings, with_hold_out
from mto.tasks.columns import InputColumns
from mto.tasks.form import Form
from mto.tasks.items import Reading, check_classes, field_names, find_places, read_items
from mto.tasks.kinds import FIELDS, ItemColumns, ItemData, ItemFile, ItemKind
from mto.tasks.schema import Splits
from mto.tasks.shared_heads import keep_shared_heads
from mto.tasks.sources import DataLike, open_tables, tables_in_memory
from mto.tasks.tables import Table, only_rows
from mto.tasks.task import Example, Task, TaskSource, TaskType
from mto.templates import Problem, phrase_problems

CUT_SEED = 0
"""Draws the test rows that stay where a task file says how many."""


def item_task(
    file: ItemFile, path: Path, given: DataLike | None, *, phrases: tuple[str, ...], type: TaskType | None
) -> Task:
    """The task of a file, from the data that are given, those beside it, or the hub.

    Raises:
        DataError: the data are missing or cannot be used.
        TemplateError: a phrase of the user's is wrong.
    """
    reading, origin, tables = _open(file, path, given)
    form = form_of(file.kind, reading.data, file.input, file.verbalizer())
    _check_phrases(phrases, reading, form)
    return _build(
        file.name, origin, tables, reading, form, phrases or file.phrases, type or file.type,
        title=file.title, description=file.description, licence=file.licence, shots=file.shots,
    )  # fmt: skip


def items_from_rows(
    rows: DataLike,
    kind: ItemKind,
    name: str,
    relation: str,
    phrases: tuple[str, ...],
    type: TaskType | None,
    columns: Mapping[str, str],
    labels: Mapping[str, Sequence[str]] | None,
    input: str | None,
) -> Task:
    """A task from rows in memory; see `mto.tasks.load.task_from_rows`."""
    tables = tables_in_memory(rows, None, name)
    # Fields that a kind may have are read where they stand under their own names.
    there = {column for table in tables.values() for column in table.columns}
    own_names = {field: field for field, needed in FIELDS[kind].items() if not needed and field in there}
    named = parse(ItemColumns, {**own_names, **columns}, source="the columns")
    data = ItemData(splits=Splits(train="train"), columns=named, answers="text")
    own = {str(name): tuple(words) or (str(name),) for name, words in (labels or {}).items()}
    reading = Reading(kind, data, relation, {label.casefold(): label for label in own} if own else None)
    form = form_of(kind, data, input, own)
    _check_phrases(phrases, reading, form)
    task = _build(name, name, tables, reading, form, phrases, type)
    if kind == "classification" and not own:
        found = sorted({example.targets[0] for example in (*task.train, *task.dev, *task.test)})
        task = _with_form(task, form_of(kind, data, input, {label: (label,) for label in found}))
    return task


def _with_form(task: Task, form: Form) -> Task:
    from dataclasses import replace

    return replace(task, form=form)


def form_of(kind: ItemKind, data: ItemData, input: str | None, labels: Mapping[str, tuple[str, ...]]) -> Form:
    if kind == "classification":
        names = [name for name in field_names(kind, data) if name != "relation"]
        input = input or " ".join(f"{{{{ {name} }}}}" for name in names)
    return Form(kind=kind, input="{{ source }}" if kind == "text-to-text" else input, labels=dict(labels))


def phrase_problems_of(file: ItemFile, where: Callable[..., str]) -> list[Problem]:
    """What is wrong with the phrases and the input of a task file."""
    fields = (*field_names(file.kind, file.data), "head")
    choices = file.kind == "multiple-choice"
    problems = []
    for number, phrase in enumerate(file.phrases):
        problems += phrase_problems(phrase, fields, where("phrases", number), choices=choices)
    if file.input is not None:
        problems += phrase_problems(file.input, fields[:-1], where("input"))
    return problems


def _check_phrases(phrases: tuple[str, ...], reading: Reading, form: Form) -> None:
    fields = (*field_names(reading.kind, reading.data), "head")
    choices = form.kind == "multiple-choice"
    problems = [
        p
        for phrase in phrases
        for p in phrase_problems(phrase, fields, f"phrase {phrase!r}", choices=choices)
    ]
    if problems:
        raise TemplateError("\n".join(map(str, problems)))


def _open(file: ItemFile, path: Path, given: DataLike | None) -> tuple[Reading, str, dict[str, Table]]:
    """The tables, and the description that their columns fit: the files' own or the hub's."""
    ways = _ways(file, given)
    first: DataError | None = None
    for reading in ways:
        try:
            origin, tables = open_tables(_as_given(reading.data, given), path.parent, given, file.name)
            for table in tables.values():
                find_places(table, reading)
            return reading, origin, tables
        except DataError as error:
            first = first or error
    assert first is not None
    raise first


def _ways(file: ItemFile, given: Any) -> list[Reading]:
    """How the rows may be read: as the user's files, or as the public data set."""
    relation = file.relation or file.name
    labels = file.label_of() if file.kind == "classification" else None
    ways = [Reading(file.kind, data, relation, labels) for data in (file.data, file.hub) if data is not None]
    return ways[1:] if given is None and file.data.folder is None and file.hub is not None else ways


def reading_of(file: ItemFile, given: DataLike | None) -> Reading:
    """How the rows of a task are read first."""
    return _ways(file, given)[0]


def _as_given(data: ItemData, given: Any) -> ItemData:
    """The description as it holds for what a user gives: only a saved data set in a folder is one of the hub's form."""
    if data.format == "huggingface" and isinstance(given, str | Path):
        saved = Path(given)
        if not any(
            (saved / name).is_file() for name in ("dataset_dict.json", "dataset_info.json", "state.json")
        ):
            return data.model_copy(update={"format": None})
    return data


def _build(
    name: str,
    origin: str,
    tables: Mapping[str, Table],
    reading: Reading,
    form: Form,
    phrases: Sequence[str],
    type: TaskType | None,
    **about: Any,
) -> Task:
    cleaned = {
        split: read_items(only_rows(table, reading.data.only), reading) for split, table in tables.items()
    }
    if not cleaned["train"].examples:
        told = len(cleaned["train"].warnings)
        raise DataError(f"no usable row for '{name}' ({told} rows were left out)", where=tables["train"].path)
    splits = {split: part.examples for split, part in cleaned.items()}
    if form.kind == "classification":
        check_classes(splits["train"], tables["train"].path)
    splits = keep_shared_heads(splits, reading.data.shared_heads, tables["train"].path)
    warnings = all_warnings(cleaned, splits, {split: table.path for split, table in tables.items()})
    splits = with_hold_out(splits, reading.data.hold_out, tables["train"].path)
    return Task(
        name=name,
        relation=reading.relation,
        type=type,
        phrases=tuple(phrases),
        fields=field_names(reading.kind, reading.data),
        train=splits["train"],
        dev=splits.get("dev", ()),
        test=cut(splits.get("test", ()), reading.data.max_test),
        source=TaskSource(origin, {split: table.sha256 for split, table in tables.items()}),
        form=form,
        warnings=warnings,
        columns=InputColumns.of(reading.data.columns_for(reading.kind), reading.data.values),
        **about,
    )


def cut(examples: tuple[Example, ...], most: int | None) -> tuple[Example, ...]:
    """At most so many examples, drawn by hashing their ids, in the order of the file."""
    if most is None or len(examples) <= most:
        return examples
    drawn = sorted(examples, key=lambda e: hashlib.sha256(f"{CUT_SEED} cut {e.id}".encode()).hexdigest())
    stay = {example.id for example in drawn[:most]}
    return tuple(example for example in examples if example.id in stay)
