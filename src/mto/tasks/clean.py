"""From rows to examples: columns found, rows of the relation chosen, odd rows dropped and told."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from mto.errors import DataError
from mto.registry import suggest
from mto.tasks.schema import Columns
from mto.tasks.tables import Cell, Table, cell_texts
from mto.tasks.task import DataWarning, Example, example_id, fold_case, shown


@dataclass(frozen=True)
class Selection:
    """What to take out of a table.

    Attributes:
        relation: the relation asked for.
        columns: which column holds which field.
        alone: the data set has this relation only, so that its files need no relation column.
        drop_tails: tails that say "nothing".
    """

    relation: str
    columns: Columns
    alone: bool
    drop_tails: Collection[str] = ()


@dataclass(frozen=True)
class Cleaned:
    """Examples of one split, what was mended, and how many rows each relation of the table has."""

    examples: tuple[Example, ...]
    warnings: tuple[DataWarning, ...]
    relations: Mapping[str, int]


def clean(table: Table, selection: Selection) -> Cleaned:
    """Group the rows of a relation by head; several tails of a head become one example, in the file's order.

    Rows that are the same (case and spacing aside), or that have an empty cell, are dropped with a warning. Only
    rows of the relation asked for are looked at.

    Raises:
        DataError: a column is missing; the message lists those that were found.
    """
    places = find_columns(table, selection)
    nothing = {fold_case(tail) for tail in selection.drop_tails}
    warnings: list[DataWarning] = []
    relations: dict[str, int] = {}
    fields_of: dict[str, dict[str, str]] = {}
    tails_of: dict[str, dict[str, str]] = {}
    where_of: dict[str, str] = {}
    for line, cells in table.rows:
        where = f"{table.path}:{line}"
        if not cells:
            warnings.append(DataWarning("empty-row", where, "empty row, left out"))
            continue
        relation = _one(cells, places, "relation", where) if "relation" in places else selection.relation
        relations[relation] = relations.get(relation, 0) + 1
        if relation and relation != selection.relation:
            continue
        fields = {
            name: _one(cells, places, name, where) for name in places if name not in ("tail", "relation")
        }
        fields["relation"] = relation
        tails = cell_texts(cells[places["tail"]], where)
        empty = [name for name, text in fields.items() if not text] + ["tail"] * (not all(tails))
        if empty:
            warnings.append(DataWarning("empty-cell", where, f"empty {' and '.join(empty)}, row left out"))
            continue
        key = example_id(fields)
        for tail in tails:
            folded = fold_case(tail)
            if folded in nothing:
                continue
            if folded in tails_of.get(key, ()):
                message = f"'{fields['head']}' with '{tail}' stands here again, left out"
                warnings.append(DataWarning("duplicate-row", where, message))
                continue
            fields_of.setdefault(key, fields)
            where_of.setdefault(key, f"{table.name}:{line}")
            tails_of.setdefault(key, {})[folded] = tail
    examples = tuple(
        Example(key, fields, tuple(tails_of[key].values()), where_of[key])
        for key, fields in fields_of.items()
    )
    return Cleaned(examples, tuple(warnings), relations)


def find_columns(table: Table, selection: Selection) -> dict[str, int]:
    """The place of each field's column in a table.

    Raises:
        DataError: all missing columns at once.
    """
    wanted = {"head": selection.columns.head, "tail": selection.columns.tail, **selection.columns.others}
    relation = selection.columns.relation
    if relation is not None and (
        relation in table.columns or selection.columns.relation_is_asked_for or not selection.alone
    ):
        wanted["relation"] = relation
    missing = [(name, column) for name, column in wanted.items() if column not in table.columns]
    if not missing:
        return {name: table.columns.index(column) for name, column in wanted.items()}
    named = " and ".join(f"'{column}'" for _, column in missing)
    found = ", ".join(f"'{column}'" for column in table.columns)
    name, column = missing[0]
    hint = (
        f"the first line must name the columns; {suggest(column, table.columns)}; or say which it is with "
        f"--columns {','.join(f'{one}=COLUMN' for one, _ in missing)} (in a task file: data.columns.{name})"
    )
    if name == "relation":
        hint = "add the column; in a task file, set data.columns.relation to null if all rows belong to one relation"
    elif len(table.columns) == 1 and any(mark in table.columns[0] for mark in ";|\t"):
        hint = (
            "the columns are not separated by commas: say by what with --delimiter "
            "(in a task file: data.delimiter, or data.format: tsv)"
        )
    plural = "s" if len(missing) > 1 else ""
    verb = "are" if len(missing) > 1 else "is"
    raise DataError(
        f"column{plural} {named} {verb} missing (found: {found})", where=f"{table.path}:1", hint=hint
    )


def _one(cells: tuple[Cell, ...], places: Mapping[str, int], name: str, where: str) -> str:
    texts = cell_texts(cells[places[name]], where)
    if len(texts) > 1:
        raise DataError(f"{name} must be one text, found a list of {len(texts)}", where=where)
    return texts[0]


HOLD_OUT_SEED = 0
"""Draws the inputs of a train file that are the test set where a task file asks for it."""


def with_hold_out(
    splits: dict[str, tuple[Example, ...]], count: int | None, path: str
) -> dict[str, tuple[Example, ...]]:
    """The splits with a test set out of the train examples, where there is none and one is asked for.

    Inputs are drawn by a hash of their id, so that the order of the file does not matter and no input stands on both sides.

    Raises:
        DataError: it would leave less than half of the examples to learn from.
    """
    train = splits["train"]
    if count is None or splits.get("test"):
        return splits
    if 2 * count > len(train):
        raise DataError(
            f"{count} inputs to hold out, and the file has {len(train)}", where=path,
            hint=f"set data.hold_out to {len(train) // 2} or less, or leave it out: the score is then k-fold",
        )  # fmt: skip

    def place(example: Example) -> str:
        return hashlib.sha256(f"{HOLD_OUT_SEED} hold out {example.id}".encode()).hexdigest()

    held = {example.id for example in sorted(train, key=place)[:count]}
    return {
        **splits,
        "train": tuple(example for example in train if example.id not in held),
        "test": tuple(example for example in train if example.id in held),
    }


def heads_in_two_splits(
    splits: Mapping[str, tuple[Example, ...]], paths: Mapping[str, str]
) -> list[DataWarning]:
    """A warning for each head of a later split that also stands in an earlier one."""
    seen: dict[str, str] = {}
    warnings = []
    for split, examples in splits.items():
        for example in examples:
            if example.id in seen:
                line = example.where.rsplit(":", 1)[-1]
                message = f"'{shown(example.fields)}' stands in {seen[example.id]} as well as in {split}"
                warnings.append(DataWarning("head-in-two-splits", f"{paths[split]}:{line}", message))
            else:
                seen[example.id] = split
    return warnings


MANY = 0.1
"""Share of the test heads that stand in train or dev as well from which their number is told, and told first."""


def all_warnings(
    parts: Mapping[str, Cleaned], splits: Mapping[str, tuple[Example, ...]], paths: Mapping[str, str]
) -> tuple[DataWarning, ...]:
    """What was mended in each file, and the heads that stand in two of them.

    Only the first warnings of a task are shown, so the one that says how much of the test set is lost comes first.
    """
    mended = [warning for part in parts.values() for warning in part.warnings]
    shared = heads_in_two_splits(splits, paths)
    known = {example.id for split in ("train", "dev") for example in splits.get(split, ())}
    test = splits.get("test", ())
    lost = [example for example in test if example.id in known]
    if len(lost) < 2 or len(lost) < MANY * len(test):
        return (*mended, *shared)
    place = next(n for n, one in enumerate(shared) if one.message.endswith("as well as in test"))
    told = f"; of {len(test)} test heads {len(lost)} stand in train or dev too and are not tested on"
    first = replace(shared[place], message=shared[place].message + told)
    return (first, *mended, *shared[:place], *shared[place + 1 :])
