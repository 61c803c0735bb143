"""`mto validate`: whether a task file and its rows hold together."""

from __future__ import annotations

from typing import Annotated

import typer

from mto.cli import options
from mto.cli.frame import Json, emit, examples, guarded


@guarded
def validate(
    task: Annotated[str, typer.Argument(help="A name (mto ls), a task file (.yaml) or a file of rows (.csv …).")],
    data: options.Data = None,
    relation: options.Relation = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Checkpoint whose tokenizer is asked.")] = "mini",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check a task: its file, its rows, and whether each template family can write it. Nothing is trained."""
    from mto.pipeline.validating import validate_task

    found = validate_task(task, data=data, relation=relation, model=model)
    if as_json:
        emit(found)
        return
    typer.echo(f"{found.name}: {found.kind}, fields {', '.join(found.fields)}")
    typer.echo("rows: " + ", ".join(f"{split} {count}" for split, count in found.splits.items()))
    if found.answers:
        typer.echo("right answers in train: " + ", ".join(f"{name} {n}" for name, n in found.answers.items()))
    if found.guessing is not None:
        typer.echo(f"guessing scores {found.guessing:g}")
    for line in found.first_odd:
        typer.echo(f"odd row: {line}")
    if found.odd > len(found.first_odd):
        typer.echo(f"and {found.odd - len(found.first_odd)} odd rows more")
    for check in found.families:
        told = (
            f"sources of {check.longest} ids at most"
            if check.longest
            else f"cannot be written: {check.reason}"
        )
        typer.echo(f"{check.family}: {told}")
    typer.echo(f"metrics: {', '.join(found.metrics)}")


validate.epilog = examples(  # type: ignore[attr-defined]
    "mto validate household/ObjectUse",
    "mto validate own/task.yaml",
    "mto validate commonsenseqa --data commonsenseqa --json",
)
