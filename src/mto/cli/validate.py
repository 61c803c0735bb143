"""`mto validate`: all that is wrong or odd with a task, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mto.cli import options
from mto.cli.frame import USER_ERROR, Json, emit, examples, guarded

if TYPE_CHECKING:
    from mto.pipeline.validating import Validated, Validation
    from mto.tasks.inspecting import Finding

SHOWN = 10
NONE = "none"


@guarded
def validate(
    task: Annotated[str, typer.Argument(help="A task file (.yaml), a file of rows (.csv …) or a name (mto ls).")],
    model: Annotated[str, typer.Option("--model", "-m", help="Checkpoint that measures the lengths; none: leave them out (faster).")] = "mini",
    max_source: Annotated[int, typer.Option(min=8, help="Most tokens of an input that a run will read.")] = 512,
    phrase: Annotated[str | None, typer.Option(help="For a file of rows: its phrase, '{{ head }} is used for'.")] = None,
    relation: options.Relation = None,
    data: options.Data = None,
    columns: options.Columns = None,
    delimiter: options.Delimiter = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding. Default: ten of each sort.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Load, lint, render and tokenise a task, and say everything that is wrong or odd, with file and line.

    Exit code 0: it can be run, perhaps with warnings. 2: there are errors.
    """
    from mto.pipeline.validating import validate_task

    found = validate_task(
        task, data=data, model=None if model == NONE else model, max_source=max_source, strict=strict,
        relation=relation, phrases=(phrase,) if phrase else (), columns=options.pairs(columns),
        delimiter=options.delimiter(delimiter),
    )  # fmt: skip
    if as_json:
        emit(found)
    else:
        _tell(found, len(found.errors) + len(found.warnings) if everything else SHOWN)
    if found.errors:
        many = len(found.errors)
        typer.secho(
            f"error: {task}: {many} error{'s' if many > 1 else ''}, so it cannot be run", fg="red", err=True
        )
        raise typer.Exit(USER_ERROR)


def _tell(found: Validation, most: int) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for task in found.tasks:
        console.print(Text(_line(task, found.model), style="bold"), soft_wrap=True)
        if task.example is not None:
            for label, text in zip(("encoder reads ", "decoder writes"), task.example, strict=True):
                shown = text if len(text) <= 400 else f"{text[:399]}…"
                console.print(Text(f"  {label}  "), Text(shown, style="green"), sep="", soft_wrap=True)
    for label, style, findings in (("error", "red", found.errors), ("warning", "yellow", found.warnings)):
        sorts: dict[str, list[Finding]] = {}
        for one in findings:
            sorts.setdefault(one.check, []).append(one)
        for check, several in sorts.items():
            many = f" ({len(several)})" if len(several) > 1 else ""
            console.print(Text(f"{label}: {check.replace('-', ' ')}{many}", style=style), soft_wrap=True)
            for one in several[:most]:
                text = f"{one.where}: {one.message}" if one.where else one.message
                console.print(Text(f"  {_short(text)}"), soft_wrap=True)
            hints = list(dict.fromkeys(one.hint for one in several if one.hint))
            for hint in hints[:3]:
                console.print(Text(f"    -> {hint}", style="dim"), soft_wrap=True)
            if len(several) > most:
                console.print(Text(f"  and {len(several) - most} more (--all, or --json)"))
    if not found.errors and not found.warnings:
        console.print(Text("nothing to complain of", style="green"))
    elif not found.errors:
        count = len(found.warnings)
        console.print(Text(f"no errors, {count} warning{'s' if count > 1 else ''}: it can be run"))


def _short(text: str) -> str:
    return text if len(text) <= 2000 else f"{text[:1999]}…"


def _line(task: Validated, model: str | None) -> str:
    sizes = ", ".join(f"{split} {count}" for split, count in task.sizes.items() if count)
    told = f"{task.task}: {task.kind}; {sizes}"
    if task.tested != task.sizes["test"]:
        told += f" ({task.tested} of them {'is' if task.tested == 1 else 'are'} tested on)"
    if task.labels:
        told += f"; {', '.join(f'{name} {count}' for name, count in task.labels.items())}"
    if task.lengths is not None:
        n = task.lengths
        told += (
            f"; sources of {n.source_median} tokens in the middle and {n.source_most} at most ({model} reads {n.limit}), "
            f"targets of {n.target_median} and {n.target_most}"
        )
    return told


validate.epilog = examples(  # type: ignore[attr-defined]
    "mto validate reviews.yaml",
    "mto validate reviews.yaml --model google/flan-t5-base --strict",
    "mto validate tools.csv --phrase '{{ head }} is used for' --model none --json",
)
