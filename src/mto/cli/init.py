"""`mto init`: a task to begin with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mto.cli.frame import Json, emit, examples, guarded


class TaskKind(StrEnum):
    """Kinds of task."""

    completion = "completion"
    multiple_choice = "multiple-choice"
    classification = "classification"
    text_to_text = "text-to-text"


@guarded
def init(
    kind: Annotated[TaskKind, typer.Argument(help="Kind of task.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")] = Path("own"),
    as_json: Json = False,
) -> None:
    """Write a small task to begin with: task.yaml with remarks, train.jsonl and test.jsonl."""
    from mto.tasks.starter import write_starter

    files = write_starter(kind.value, folder)
    if as_json:
        emit({"files": files})
        return
    typer.echo("\n".join(map(str, files)))
    typer.echo(f"next: mto validate {files[0]}; mto run {files[0]} --shots 4")


init.epilog = examples("mto init multiple-choice own", "mto init classification reviews")  # type: ignore[attr-defined]
