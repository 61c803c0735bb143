"""`mto ls`: what is known by name."""

from __future__ import annotations

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

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(rows[0] if rows else ("none",)):
        table.add_column(column, overflow="fold", no_wrap=number == 0)  # a name must stay whole
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console().print(table, markup=False)


def _cell(value: Any) -> str:
    from rich.markup import escape

    return "" if value is None else escape(str(value))


list_names.epilog = examples(  # type: ignore[attr-defined]
    "mto ls", "mto ls templates", "mto ls families", "mto ls models", "mto ls metrics --json"
)
