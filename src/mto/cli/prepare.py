"""`mto prepare`: raw text to task-related pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mto.cli import options
from mto.cli.display import Display, display
from mto.cli.frame import Json, Quiet, changed, emit, examples, guarded

if TYPE_CHECKING:
    from mto.prepare import Prepared

_PASSES = {
    "set-up": "setting up the maker of pairs",
    "clean": "cleaning the text",
    "duplicates": "looking for duplicates",
    "select": "selecting sentences",
    "merge": "merging, looking for near-duplicates",
    "make": "making pairs",
}


@guarded
def prepare(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(metavar="TASK... [KEY=VALUE...]", help="Names (mto ls), task files (.yaml) or files of rows (.csv …); values for the configuration."),
    ] = None,
    corpus: Annotated[list[str] | None, typer.Option("--corpus", help="Raw text: a file, a folder, a glob, or hf:NAME[:SPLIT]; give it several times for several.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the pairs. Default: runs/prepared-TASKS.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A YAML file; options win over it.")] = None,
    shots: options.Shots = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", min=0, help="Draws the labelled rows and the general sentences. Default: 0.")] = None,
    data: options.Data = None,
    relation: options.Relation = None,
    phrase: Annotated[str | None, typer.Option(help="Your own phrase, such as '{{ head }} is used for'. Default: the task's.")] = None,
    column: Annotated[str | None, typer.Option(help="Column of the text in JSONL, Parquet and data sets. Default: text.")] = None,
    per_task: Annotated[int | None, typer.Option(min=1, help="Most sentences a task. Default: 1000.")] = None,
    retrieval: Annotated[str | None, typer.Option(help="Nearness to the labelled rows: bm25 (default), embedding or none.")] = None,
    general_share: Annotated[float | None, typer.Option(min=0, max=0.99, help="Share of general sentences in the task's set. Default: 0.")] = None,
    no_controls: Annotated[bool, typer.Option("--no-controls", help="No control sets (random spans, random prefixes, general text).")] = False,
    licence: Annotated[str | None, typer.Option(help="Licence of the raw text, for the datasheet.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Processes of one thread. Default: one a core. The pairs do not depend on it.")] = None,
    engine: Annotated[str | None, typer.Option(help="local (default) or ray.")] = None,
    address: Annotated[str | None, typer.Option(help="Address of a Ray cluster, such as ray://head:10001. Default: Ray on this machine.")] = None,
    keep_work: Annotated[bool, typer.Option("--keep-work", help="Keep the intermediate files.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check tasks and text, say what would be done, and stop.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Turn raw text without labels into task-related pairs for mto adapt: sentences are cleaned, selected and split.

    Sentences that hold a dev or test example are left out. Finished work is never done again: the same command goes on where it was stopped.
    """
    from mto.prepare import prepare_config, read_prepare_config

    names, changes = options.split_changes(tasks or [])
    settings = read_prepare_config(
        config, changes,
        select=changed(per_task=per_task, retrieval=retrieval, general_share=general_share),
        **changed(
            tasks=names, corpus=corpus, shots=shots, seed=seed, data=data, relation=relation, phrase=phrase, column=column,
            licence=licence, workers=workers, engine=engine, address=address,
            controls=False if no_controls else None, keep_work=True if keep_work else None,
        ),
    )  # fmt: skip
    folder = out or _default_out(settings.tasks)
    if dry_run:
        _plan(settings, folder, as_json=as_json)
        return
    with display(quiet=quiet) as shown:
        prepared = prepare_config(settings, folder, progress=_told(shown))
    if as_json:
        emit({"out": folder, "prepared": prepared})
    else:
        _end(prepared, folder)


def _default_out(tasks: tuple[str, ...]) -> Path:
    first = Path(tasks[0]).stem if Path(tasks[0]).exists() else tasks[0].replace("/", "-")
    more = f"-and-{len(tasks) - 1}-more" if len(tasks) > 1 else ""
    return Path("runs") / f"prepared-{first}{more}"


def _plan(settings: Any, folder: Path, *, as_json: bool) -> None:
    from mto.prepare.run import plan

    planned = plan(settings)
    if as_json:
        emit({"out": folder, **planned})
        return
    for task in planned["tasks"]:
        typer.echo(f"{task['name']}: {task['rows']} labelled rows, {task['phrases']} phrases")
    typer.echo(f"{planned['files']} files or data sets in {planned['pieces']} pieces")
    typer.echo(f"{planned['guarded']} dev and test examples are looked for; in {folder}")


def _told(shown: Display) -> Any:
    said: set[str] = set()

    def told(stage: str, done: int, units: int) -> None:
        text = _PASSES.get(stage, stage)
        if stage not in said:
            said.add(stage)
            shown.say(text)
        passes = list(_PASSES)
        before = passes.index(stage) if stage in passes else 0
        share = (before + done / max(1, units)) / len(passes)
        shown.update(share, 1.0, f"{text}  {done}/{units}")

    return told


def _end(prepared: Prepared, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, count in prepared.steps.items():
        if count:
            table.add_row(name, f"{count:,}")
    for name, count in prepared.pairs.items():
        table.add_row(f"pairs: {name}", f"{count:,}")
    console = Console()
    console.print(table)
    for leak in prepared.leaks:
        typer.echo(
            f"{leak.task}: {leak.found:,} of {leak.triples:,} dev and test examples stood in the text "
            f"({100 * leak.share_found:.0f} %); {leak.dropped:,} sentences were dropped for them"
        )
    sheet = folder / "datasheet.html"
    typer.echo(f"datasheet: {sheet}" if sheet.exists() else f"summary: {folder / 'prepared.json'}")
    typer.echo(f"next: mto adapt --pairs {folder}")


prepare.epilog = examples(  # type: ignore[attr-defined]
    "mto prepare household/ObjectUse --corpus text.txt --out runs/pairs",
    "mto prepare household/ObjectUse household/xWant --corpus 'texts/*.txt.gz' --corpus more.jsonl --per-task 2000",
    "mto prepare atomic2020/xIntent --data atomic2020 --corpus hf:ag_news:train --licence 'not known'",
    "mto prepare household/xWant --corpus texts --engine ray --address ray://head:10001",
)
