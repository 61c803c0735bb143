"""Where the fields of a task stand in a file of new rows, and a row's cells as the model reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mto.errors import ConfigError, DataError
from mto.registry import suggest
from mto.tasks.tables import cell_texts
from mto.templates import CHOICE_FIELDS, MOST_CHOICES

if TYPE_CHECKING:
    from mto.tune import TunedModel

CHOICES = "choices"


@dataclass(frozen=True)
class NewColumns:
    """Columns of a file of new rows.

    Attributes:
        fields: field to column; a dot leads into a nested one.
        choices: columns of the choices of a question: one with a list, or one a choice. Empty for other kinds.
        values: per field, what stands for what.
        optional: fields that a row may lack.
        listed: fields whose cell may hold a list, which is written with commas.
    """

    fields: Mapping[str, str]
    choices: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    optional: tuple[str, ...] = ("relation",)
    listed: tuple[str, ...] = ("source",)

    def read(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The fields of a row.

        Raises:
            DataError: a cell is empty or no text, or the choices are not 2 to 10 different texts; with file and line.
        """
        found: dict[str, Any] = {}
        for name, column in self.fields.items():
            text = self._text(name, _cell(row, column), column, where)
            if text:
                found[name] = self.values.get(name, {}).get(text, text)
        if self.choices:
            found[CHOICES] = _choices(row, self.choices, where)
        return found

    def _text(self, name: str, cell: Any, column: str, where: str) -> str:
        texts = cell_texts(cell, where)
        if len(texts) > 1 and name not in self.listed:
            raise DataError(f"expected one text under '{column}', found a list of {len(texts)}", where=where)
        text = ", ".join(texts)
        if not text and name not in self.optional:
            raise DataError(
                f"expected text under '{column}', found an empty cell", where=where,
                hint="fill it in, or leave such rows without an answer: --odd-rows blank",
            )  # fmt: skip
        return text


def looked_for(model: TunedModel, given: Mapping[str, str] | None) -> set[str]:
    """All columns that may stand in a file of new rows, for telling what stands between its cells."""
    kept = (
        one
        for found in model.columns.columns.values()
        for one in ([found] if isinstance(found, str) else found)
    )
    asked = (column for text in (given or {}).values() for column in text.split("+"))
    choices = (CHOICES, *CHOICE_FIELDS) if model.form.kind == "multiple-choice" else ()
    return {*model.fields, *choices, *kept, *asked}


def find_columns(
    columns: Sequence[str], model: TunedModel, given: Mapping[str, str] | None, where: str
) -> NewColumns:
    """The column of each field: as the user says, else under the field's name, else where the labelled rows had it.

    Args:
        columns: of the file.
        given: field to column; of the choices several, joined by ``+``, or each for itself under ``choice1`` ….

    Raises:
        ConfigError: `given` names a field that the task has not.
        DataError: a column is missing.
    """
    asked, known = dict(given or {}), [name for name in model.fields if name not in CHOICE_FIELDS]
    choosing = model.form.kind == "multiple-choice"
    allowed = [*known, *((CHOICES, *CHOICE_FIELDS) if choosing else ())]
    for name in asked:
        if name not in allowed:
            told = ", ".join([*known, *((f"{CHOICES} (or choice1, choice2, …)",) if choosing else ())])
            raise ConfigError(
                f"--columns: '{name}' is no field of '{model.task}'",
                hint=f"its fields are {told}; {suggest(name, allowed)}",
            )
    found = {name: _one(name, columns, asked, model) for name in known}
    missing = [column for name, column in found.items() if name != "relation" and not _there(column, columns)]
    if missing:
        needed = ", ".join(column for name, column in found.items() if name != "relation")
        example = next(name for name, column in found.items() if column == missing[0])
        raise DataError(
            f"column '{missing[0]}' is missing (found: {', '.join(columns) or 'none'})",
            where=where,
            hint=f"the file needs the columns: {needed}; say which they are with --columns {example}=COLUMN, "
            "and what stands between cells with --delimiter",
        )
    fields = {name: column for name, column in found.items() if _there(column, columns)}
    choices = _choice_columns(columns, asked, model, where) if choosing else ()
    return NewColumns(fields, choices, model.columns.values)


def _one(name: str, columns: Sequence[str], asked: Mapping[str, str], model: TunedModel) -> str:
    if name in asked:
        return asked[name]
    kept = model.columns.columns.get(name)
    return kept if isinstance(kept, str) and name not in columns and _there(kept, columns) else name


def _choice_columns(
    columns: Sequence[str], asked: Mapping[str, str], model: TunedModel, where: str
) -> tuple[str, ...]:
    kept = model.columns.columns.get(CHOICES, ())
    ways = (
        tuple(asked[CHOICES].split("+")) if CHOICES in asked else (),
        tuple(asked[name] for name in CHOICE_FIELDS if name in asked),
    )
    told = next((way for way in ways if way), ())
    if told:
        absent = [column for column in told if not _there(column, columns)]
        if absent:
            raise DataError(
                f"column '{absent[0]}' is missing (found: {', '.join(columns) or 'none'})", where=where,
                hint=suggest(absent[0], columns),
            )  # fmt: skip
        return told
    if CHOICES in columns:
        return (CHOICES,)
    own = tuple(name for name in CHOICE_FIELDS if name in columns)
    before = (kept,) if isinstance(kept, str) else tuple(kept)
    # A row may have fewer choices than the labelled rows had.
    kept_here = tuple(column for column in before if _there(column, columns))
    if len(own) < 2 and (len(kept_here) > 1 or (kept_here and kept_here == before)):
        return kept_here
    if len(own) < 2:
        raise DataError(
            f"there are no choices (found: {', '.join(columns) or 'none'})", where=where,
            hint="give a list under 'choices' (JSONL), the columns choice1, choice2, …, or say which they are: "
            "--columns choices=A+B+C",
        )  # fmt: skip
    return own


def _choices(row: Mapping[str, Any], columns: tuple[str, ...], where: str) -> list[str]:
    """The choices of a row; columns of their own may be empty behind the last one."""
    cells = [_cell(row, column) for column in columns]
    if len(columns) == 1 and not isinstance(cells[0], list):
        raise DataError(f"expected a list of texts under '{columns[0]}', found {cells[0]!r}", where=where)
    given = [text for cell in cells for text in cell_texts(cell, where)]
    while len(columns) > 1 and given and not given[-1]:
        given.pop()
    if "" in given or not 2 <= len(given) <= MOST_CHOICES or len(set(given)) < len(given):
        what = "a choice that is no text" if "" in given else f"{len(given)} choices"
        what = "a choice twice" if "" not in given and len(set(given)) < len(given) else what
        raise DataError(f"found {what}", where=where, hint=f"give 2 to {MOST_CHOICES} different texts")
    return given


def _there(column: str, columns: Sequence[str]) -> bool:
    return column in columns or column.split(".")[0] in columns


def _cell(row: Mapping[str, Any], column: str) -> Any:
    if column in row:
        return row[column]
    value: Any = row
    for key in column.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
