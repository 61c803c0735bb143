"""`mto show`: what the encoder sees and what the decoder must write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mto.cli import options
from mto.cli.display import odd_rows
from mto.cli.frame import Json, emit, examples, guarded


@guarded
def show(
    task: Annotated[str, typer.Argument(help="A name (mto ls), a task file (.yaml), a file of rows (.csv …), or the folder of a run.")],
    family: Annotated[
        list[str] | None, typer.Option("--family", "-f", help="Template family or its .yaml file; repeatable. Default: all four.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Checkpoint whose masks and ids are shown.")] = "mini",
    head: Annotated[str | None, typer.Option(help="Show the example with this head. Default: the first.")] = None,
    n: Annotated[int, typer.Option("-n", "--examples", min=1, help="How many examples.")] = 1,
    phrase: options.Phrase = None,
    relation: options.Relation = None,
    data: options.Data = None,
    columns: options.Columns = None,
    delimiter: options.Delimiter = None,
    ids: Annotated[bool, typer.Option("--ids/--no-ids", help="Show token ids too.")] = True,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show how a task is written for a model: what the encoder reads, what the decoder must write. Of a run: what it found out."""
    if (Path(task) / "results.json").is_file():
        _show_run(Path(task), as_json=as_json)
        return
    from mto.pipeline.inputs import GIVE_PHRASE
    from mto.pipeline.show import show_task

    shown = show_task(
        task, families=family or None, model=model, head=head, n=n,
        phrase=options.number_or_text(phrase) or 0, relation=relation, data=data,
        columns=options.pairs(columns), delimiter=options.delimiter(delimiter),
    )  # fmt: skip
    if as_json:
        emit(shown)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(f"{shown.task} · {shown.model} ({shown.adapter})", style="bold"))
    if shown.phrase:
        console.print(Text(f"phrase: {shown.phrase}"))
    for line in odd_rows(shown.task, shown.warnings, len(shown.warnings)):
        typer.echo(line, err=True)
    if shown.left_out:
        typer.echo(
            f"no natural phrase, so without {' and '.join(shown.left_out)}; give one with {GIVE_PHRASE}",
            err=True,
        )
    for example in shown.examples:
        console.print(Text(f"\nhead: {example.head}   [{example.where}]", style="bold cyan"))
        for one in example.families:
            console.print(Text(one.family.title, style="bold"), _objective(one))
            for label, side in (("encoder reads ", one.source), ("decoder writes", one.target)):
                console.print(Text(f"  {label}  "), Text(side.text, style="green"), sep="")
                if ids:
                    console.print(Text(f"  {'ids':14}  {' '.join(side.shown_ids)}", style="dim"))
            for warning in one.warnings:
                console.print(Text(f"  warning: {warning}", style="yellow"))


def _show_run(path: Path, *, as_json: bool) -> None:
    """The report of a run on the terminal, from its results; nothing is written."""
    from mto.report.whole import is_whole_results

    if as_json:
        from mto.runs import read_json

        emit(read_json(path / "metrics.json"))
    elif is_whole_results(path):
        from mto.cli.whole import show_whole

        show_whole(path)
    else:
        from rich.console import Console

        from mto.report import read_results, render_terminal

        console = Console()
        console.print(render_terminal(read_results(path), width=console.width))


def _objective(one: Any) -> Any:
    from rich.text import Text

    known = {"denoising": "looks like denoising", "lm": "looks like prefix language modelling"}
    text = known.get(one.family.objective, "looks like no pre-training objective")
    return Text(f"({text})", style="dim")


show.epilog = examples(  # type: ignore[attr-defined]
    "mto show household/ObjectUse",
    "mto show runs/demo",
    "mto show household/xWant --family masked-prompting --examples 3",
    "mto show tools.csv -f mapping -f own-family.yaml -m google/flan-t5-base",
)
