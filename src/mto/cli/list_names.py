"""`mto ls`: what is known by name."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from mto.cli.frame import Json, emit, examples, guarded


class Kind(StrEnum):
    """What can be listed."""

    tasks = "tasks"
    templates = "templates"
    families = "families"
    models = "models"
    objectives = "objectives"
    metrics = "metrics"


WHOLE = 400  # columns that hold every row on one line
# What a narrow terminal can do without, the first of them first.
_LEAVE_OUT = {Kind.tasks: ("data", "type"), Kind.templates: ("needs a phrase", "tunes")}


@guarded
def list_names(
    kind: Annotated[Kind, typer.Argument(help="What to list.")] = Kind.tasks,
    as_json: Json = False,
) -> None:
    """List what is known by name: tasks, templates and their families, models, objectives or metrics."""
    from mto.pipeline.names import known_names

    rows: list[dict[str, Any]] = known_names(kind.value)
    if as_json:
        emit(rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Into a pipe or file lines are as long as they are.
    console = Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=WHOLE)
    columns = list(rows[0] if rows else ("none",))
    left_out: list[str] = []
    for column in _LEAVE_OUT.get(kind, ()):  # before words break
        if _needed(rows, columns) > console.width:
            columns.remove(column)
            left_out.append(column)
    table = Table(box=None, pad_edge=False, header_style="bold")
    fits = _needed(rows, columns) <= console.width
    for number, column in enumerate(columns):
        table.add_column(
            column, overflow="fold", no_wrap=number == 0, min_width=_longest(rows, column) if fits else None
        )
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    console.print(table)
    if left_out:
        console.print(f"no room for: {', '.join(left_out)} (--json has all)", style="dim")


def _needed(rows: list[dict[str, Any]], columns: list[str]) -> int:
    """Columns of the terminal for a table whose names and words are whole, with room for some words in the last column."""
    last = min(24, max((len(_cell(row[columns[-1]])) for row in rows), default=0))
    widths = [_longest(rows, column) for column in columns]
    widths[0] = max([len(columns[0]), *(len(_cell(row[columns[0]])) for row in rows)])
    return sum(widths[:-1]) + max(last, widths[-1]) + 2 * (len(columns) - 1)


def _longest(rows: list[dict[str, Any]], column: str) -> int:
    words = [word for row in rows for word in _cell(row[column]).split()]
    return max(map(len, [column, *words]))


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


list_names.epilog = examples(  # type: ignore[attr-defined]
    "mto ls", "mto ls templates", "mto ls families", "mto ls models", "mto ls metrics --json"
)
