"""Tasks of examples that were read already: to be looked at. Their sources have no hashes, so that no run is made of them."""

from __future__ import annotations

from collections.abc import Mapping

from mto.tasks.items import Reading, field_names
from mto.tasks.kinds import ItemFile
from mto.tasks.load_items import form_of
from mto.tasks.read_file import fields_of
from mto.tasks.schema import TaskFile
from mto.tasks.task import Example, Task, TaskSource


def task_of_relation(file: TaskFile, relation: str, splits: Mapping[str, tuple[Example, ...]]) -> Task:
    """The task of a relation with rows that were read already."""
    spec = file.relations[relation]
    return Task(
        name=f"{file.name}/{relation}",
        relation=relation,
        type=spec.type,
        phrases=spec.phrases,
        fields=fields_of(file.data.columns),
        train=splits["train"],
        dev=splits.get("dev", ()),
        test=splits.get("test", ()),
        source=TaskSource(file.name, {}),
    )


def task_of_items(file: ItemFile, reading: Reading, splits: Mapping[str, tuple[Example, ...]]) -> Task:
    """The task of a file with rows that were read already."""
    return Task(
        name=file.name,
        relation=reading.relation,
        type=file.type,
        phrases=file.phrases,
        fields=field_names(file.kind, reading.data),
        train=splits["train"],
        dev=splits.get("dev", ()),
        test=splits.get("test", ()),
        source=TaskSource(file.name, {}),
        form=form_of(file.kind, reading.data, file.input, file.verbalizer()),
    )
