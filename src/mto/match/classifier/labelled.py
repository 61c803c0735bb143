"""Rows of relations whose task type is known: what a task classifier learns from and is judged on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mto.errors import DataError
from mto.tasks import Row, Task, TaskType, draw_split, load_task, read_task_file, task_files

TRAIN_HEADS = 60  # of a relation, for training
TEST_HEADS = 100  # of a relation, for judging


@dataclass(frozen=True)
class Labelled:
    """Rows of one relation with its task type.

    Attributes:
        relation: its name, such as ``atomic2020/ObjectUse``. What stands behind the last ``/`` says what it means: two
            data sets may hold the same relation, and it is left out of both together.
        type: what its examples are.
        rows: its rows.
        phrase: its natural phrase, for a classifier that reads one.
    """

    rows: tuple[Row, ...]
    type: TaskType
    relation: str
    phrase: str | None = None

    @property
    def meaning(self) -> str:
        """The relation's name without its data set."""
        return meaning(self.relation)

    @property
    def mask_filling(self) -> bool:
        """Whether its examples are mask-filling."""
        return self.type == "mask-filling"


def meaning(relation: str) -> str:
    """What a relation is called apart from its data set.

    >>> meaning("atomic2020/ObjectUse"), meaning("ObjectUse")
    ('ObjectUse', 'ObjectUse')
    """
    return relation.rsplit("/", 1)[-1]


def leave_out(labelled: Iterable[Labelled], relations: Collection[str]) -> tuple[Labelled, ...]:
    """The relations that are not among these, whatever data set either comes from.

    >>> some = [Labelled((), "mask-filling", "household/ObjectUse"), Labelled((), "map-phrasal", "household/xWant")]
    >>> [one.relation for one in leave_out(some, ["atomic2020/ObjectUse"])]
    ['household/xWant']
    """
    gone = {meaning(name) for name in relations}
    return tuple(one for one in labelled if one.meaning not in gone)


def training_rows(
    library: str = "household", data: str | None = None, *, heads: int = TRAIN_HEADS
) -> tuple[Labelled, ...]:
    """One row a head from the train and dev data of every relation of a task library; never test data.

    Args:
        library: such as ``household`` (44 heads a relation) or ``atomic2020``.
        data: where its rows are, as for `load_task`.
        heads: most heads of a relation; train heads first.

    Raises:
        DataError: the data are missing.
    """
    found = []
    for task in _tasks(library, data):
        split = draw_split(task, shots=min(heads, len(task.train)), seed=0)
        found.append(_labelled(task, (*split.train, *split.dev)[:heads]))
    return tuple(found)


def held_out_rows(library: str, data: str | None = None, *, heads: int = TEST_HEADS) -> tuple[Labelled, ...]:
    """Test heads of every relation with their first tail: for judging a classifier, never for a decision.

    Raises:
        DataError: the data are missing.
    """
    found = []
    for task in _tasks(library, data):
        split = draw_split(task, shots=0, seed=0, max_test=heads)
        rows = (Row(e.id, e.fields, e.targets[0], e.targets, e.where) for e in split.test)
        found.append(_labelled(task, tuple(rows)))
    return tuple(found)


def check_labelled(labelled: Sequence[Labelled]) -> None:
    """What a classifier can be trained on.

    Raises:
        DataError: an empty relation, one type only, or fewer than two relations of a type, so that nothing could be
            said about a relation that was not seen.
    """
    empty = next((one.relation for one in labelled if not one.rows), None)
    if empty is not None:
        raise DataError(f"relation '{empty}' has no rows", hint="leave it out")
    for wanted in (True, False):
        names = {one.meaning for one in labelled if one.mask_filling == wanted}
        if len(names) < 2:
            kind = "mask-filling" if wanted else "map-phrasal"
            raise DataError(
                f"{len(names)} relations are {kind}: {', '.join(sorted(names)) or 'none'}",
                hint="a task classifier needs two or more relations of each type",
            )


def _tasks(library: str, data: str | None) -> list[Task]:
    file, _ = read_task_file(task_files.get(library))
    return [load_task(f"{library}/{name}", data=data) for name, spec in file.relations.items() if spec.type]


def _labelled(task: Task, rows: tuple[Row, ...]) -> Labelled:
    assert task.type is not None  # `_tasks` takes no others
    return Labelled(rows, task.type, task.name, task.phrases[0] if task.phrases else None)
