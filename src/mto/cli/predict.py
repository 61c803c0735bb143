"""`mto predict`: the tuned model on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mto.cli import options
from mto.cli.display import display
from mto.cli.frame import Json, Quiet, emit, examples, guarded


@guarded
def predict(
    run: Annotated[Path, typer.Option("--run", "-r", help="Folder that mto run or mto tune made.")],
    source: Annotated[str, typer.Option("--input", "-i", help="CSV, TSV or JSONL with a column for each field of the task, such as 'head'; '-' for standard input.")],
    target: Annotated[str, typer.Option("--output", "-o", help="File to write; '-' for standard output.")] = "-",
    task: Annotated[str | None, typer.Option("--task", "-t", help="Which task, where the run has several.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="csv, tsv or jsonl, where no file name tells it.")] = None,
    column: Annotated[str, typer.Option(help="Name of the new column.")] = "prediction",
    columns: Annotated[str | None, typer.Option(help="Which column holds which field of the task, such as head=QUESTION. Default: the fields' names.")] = None,
    delimiter: Annotated[str, typer.Option(help="Between the cells of CSV, in and out, such as ';' or tab.")] = ",",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Answer new rows with the model of a run; the answers stand in one more column.

    Where a task has choices or labels the answer is the likeliest one, and two more columns hold probabilities.
    """
    from mto.pipeline import load
    from mto.pipeline.predicting import predict_file
    from mto.pipeline.streams import Collected

    kept = Collected() if as_json and target == "-" else None
    loaded = load(run, device=device)
    with display(quiet=quiet) as shown:
        rows = predict_file(
            loaded, source, target if kept is None else kept, task=task, form=form, column=column,
            columns=options.pairs(columns), delimiter=options.delimiter(delimiter) or ",",
            progress=lambda done: shown.say(f"{done:,} rows"),
        )  # fmt: skip
    if as_json:
        emit({"rows": rows, "output": target} if kept is None else {"rows": rows, "answers": kept.rows})
    elif target != "-":
        typer.echo(f"{rows:,} rows: {target}")


predict.epilog = examples(  # type: ignore[attr-defined]
    "mto predict --run runs/demo --task xWant --input new.csv --output out.csv",
    "printf 'head\\nhammer\\n' | mto predict --run runs/want --input -",
)
