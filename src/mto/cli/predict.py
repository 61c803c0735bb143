"""`mto predict`: the tuned model on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mto.cli import options
from mto.cli.display import display
from mto.cli.frame import Json, Quiet, emit, examples, guarded

if TYPE_CHECKING:
    from mto.tune import TunedModel

SHOWN = 10
"""Rows left empty that are told one by one."""


@guarded
def predict(
    run: Annotated[Path, typer.Option("--run", "-r", help="Folder that mto run or mto tune made.")],
    source: Annotated[str, typer.Option("--input", "-i", help="CSV, TSV or JSONL with a column for each field of the task, such as 'head'; '-' for standard input.")],
    target: Annotated[str, typer.Option("--output", "-o", help="File to write; '-' for standard output.")] = "-",
    task: Annotated[str | None, typer.Option("--task", "-t", help="Which task, where the run has several.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="csv, tsv or jsonl, where no file name tells it.")] = None,
    column: Annotated[str, typer.Option(help="Name of the new column.")] = "prediction",
    columns: Annotated[str | None, typer.Option(help="Which column holds which field of the task, such as head=QUESTION or choices=A+B+C. Default: the fields' names, or the columns of the labelled rows.")] = None,
    odd_rows: Annotated[Literal["error", "blank"], typer.Option(help="A row that cannot be read (an empty cell, one choice alone): stop, or leave its answer empty and say so.")] = "error",
    delimiter: Annotated[str | None, typer.Option(help="Between the cells of CSV, in and out, such as ';' or tab. Default: found from the first line.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Answer new rows with the model of a run; the answers stand in one more column.

    Where a task has choices or labels the answer is the likeliest one, and two more columns hold probabilities. When it was interrupted,
    the same command goes on where it stopped.
    """
    from mto.pipeline import load
    from mto.pipeline.predicting import predict_file
    from mto.pipeline.streams import Collected

    kept = Collected() if as_json and target == "-" else None
    loaded = load(run, device=device)
    model, odd = loaded.model(task), list[str]()
    with display(quiet=quiet) as shown:

        def tell(text: str) -> None:
            odd.append(text)
            if len(odd) <= SHOWN:
                shown.say(f"left empty: {text}")

        rows = predict_file(
            loaded, source, target if kept is None else kept, task=task, form=form, column=column,
            columns=options.pairs(columns), delimiter=options.delimiter(delimiter),
            progress=lambda done: shown.say(f"{done:,} rows"), odd=tell if odd_rows == "blank" else None,
            resumed=lambda done: shown.say(f"going on behind {done:,} rows that were answered before"),
        )  # fmt: skip
    told: dict[str, Any] = {"rows": rows, **({"left_empty": odd} if odd else {})}
    if model.form.has_options:
        told |= {
            "ranking": model.ranking,
            "calibrated_on": model.calibration.rows if model.calibration else 0,
        }
    if as_json:
        emit({**told, "output": target} if kept is None else {**told, "answers": kept.rows})
    elif target != "-":
        empty = f", {len(odd):,} of them left empty" if odd else ""
        typer.echo(f"{rows:,} row{'' if rows == 1 else 's'}{empty}: {target}{_chances(model)}")


def _chances(model: TunedModel) -> str:
    """What probabilities are worth."""
    if not model.form.has_options:
        return ""
    if model.calibration is None:
        return "; probabilities are not calibrated (that takes ten labelled rows for dev)"
    return f"; probabilities are calibrated on {model.calibration.rows} labelled rows"


predict.epilog = examples(  # type: ignore[attr-defined]
    "mto predict --run runs/demo --task xWant --input new.csv --output out.csv",
    "printf 'head\\nhammer\\n' | mto predict --run runs/want --input -",
)
