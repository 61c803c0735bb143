"""`mto init`: a task file from a file of rows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from mto.cli import options
from mto.cli.display import odd_rows
from mto.cli.frame import Json, emit, examples, guarded
from mto.errors import ConfigError, Interrupted

if TYPE_CHECKING:
    from mto.pipeline.initial import Initial
    from mto.tasks.guess import Said, Unclear


@guarded
def init(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL or Parquet with your rows.")],
    kind: Annotated[str | None, typer.Option(help="completion, multiple-choice, classification or text-to-text. Default: guessed from the columns.")] = None,
    columns: Annotated[str | None, typer.Option(help="Which column holds which field, where it cannot be guessed: text=REVIEW,label=STARS; choices, or references of a text, in columns of their own: choices=A+B+C, target=REF1+REF2.")] = None,
    labels: Annotated[str | None, typer.Option(help="What labels in the data mean: 0=negative,1=positive.")] = None,
    answers: Annotated[str | None, typer.Option(help="How the right choice is given: index, number, letter or text.")] = None,
    phrase: Annotated[list[str] | None, typer.Option("--phrase", help="A natural phrase up to where the answer begins: '{{ head }} is used for'; repeatable. Default: two are made up.")] = None,
    dev: Annotated[Path | None, typer.Option(help="A file of rows for choosing settings.")] = None,
    test: Annotated[Path | None, typer.Option(help="A file of rows to score on. Default: drawn from the data, or cross-validation.")] = None,
    delimiter: options.Delimiter = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The task file. Default: the data file's name with .yaml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the task file where there is one.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Look at a file of rows, guess what kind of task it is, and write a commented task file with two phrasings.

    On a terminal it asks what it cannot guess; elsewhere that is an error that names the option to give.
    """
    from mto.pipeline.initial import init_task
    from mto.tasks.guess import Said

    said = Said(
        kind=_one_of(kind, "--kind", _kinds()),  # type: ignore[arg-type]
        columns=options.pairs(columns) or {},
        labels=options.pairs(labels, option="--labels", form="VALUE=NAME") or {},
        answers=_one_of(answers, "--answers", _ways()),  # type: ignore[arg-type]
    )

    def work(known: Said) -> Initial:
        return init_task(
            data, said=known, dev=dev, test=test, phrases=phrase or (), delimiter=options.delimiter(delimiter),
            out=out, force=force,
        )  # fmt: skip

    done = _asking(work, said) if sys.stdin.isatty() and not as_json else work(said)
    if as_json:
        emit(done)
        return
    _tell(done)


def _kinds() -> tuple[str, ...]:
    from mto.tasks import Kind

    return get_args(Kind)


def _ways() -> tuple[str, ...]:
    from mto.tasks.kinds import Answers

    return get_args(Answers)


def _one_of(value: str | None, flag: str, known: tuple[str, ...]) -> str | None:
    from mto.registry import suggest

    if value is not None and value not in known:
        raise ConfigError(f"'{value}' is none of these", where=flag, hint=suggest(value, known))
    return value


def _asking(work: Callable[[Said], Initial], said: Said) -> Initial:
    """Try, and ask for what is unclear until nothing is."""
    from mto.tasks.guess import Unclear

    while True:
        try:
            return work(said)
        except Unclear as question:
            typer.echo(question.message, err=True)
            said = _answered(question, said)


def _answered(question: Unclear, said: Said) -> Said:
    """What the user says, with one more answer; asks again where an answer is none of those that fit."""
    if question.flag == "--labels":
        names = {value: _prompt(f"what does '{value}' mean?") for value in question.options}
        return replace(said, labels={**said.labels, **names})
    name = question.flag.removeprefix("--").removesuffix("=")
    given = _prompt(f"{name} ({', '.join(question.options)})", question.options)
    if name.startswith("columns "):
        return replace(said, columns={**said.columns, name.removeprefix("columns "): given})
    changed: dict[str, Any] = {name: given}
    return replace(said, **changed)


def _prompt(text: str, known: tuple[str, ...] = ()) -> str:
    from mto.registry import suggest

    while True:
        try:
            given = str(typer.prompt(f"  {text}", err=True)).strip()
        except typer.Abort:  # Ctrl-C, or no more input
            raise Interrupted(
                "stopped before the task file was written",
                hint="run it again, or give the answers as options",
            ) from None
        if given and (not known or given in known):
            return given
        typer.echo(f"  '{given}' is none of these; {suggest(given, known)}", err=True)


def _tell(done: Initial) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for reason in done.reasons:
        typer.echo(reason, err=True)
    if done.unread:
        typer.echo(f"not read: {', '.join(done.unread)}", err=True)
    for line in odd_rows(str(done.path), done.warnings, len(done.warnings)):
        typer.echo(line, err=True)
    told = f"{done.path}: {done.kind}, {done.inputs} inputs, scored on: {done.scored}"
    console.print(Text(told, style="bold"), soft_wrap=True)
    for where, written in done.examples:
        console.print(Text(f"\n[{where}]", style="bold cyan"))
        for one in written:
            console.print(Text(one.family, style="bold"))
            for label, text in (("encoder reads ", one.source), ("decoder writes", one.target)):
                shown = text if len(text) <= 400 else f"{text[:399]}…"
                console.print(Text(f"  {label}  "), Text(shown, style="green"), sep="", soft_wrap=True)
    if done.blocked:
        typer.echo(f"\nit cannot be run yet: mend these rows, or set odd_rows: drop in {done.path}", err=True)
    if done.kind == "multiple-choice":
        typer.echo(
            f"\nnext: mto validate {done.path} (no family of a default run reads its phrases; --families prompting does)"
        )
    else:
        typer.echo(f"\nreword the phrases in {done.path}, then: mto validate {done.path}")


init.epilog = examples(  # type: ignore[attr-defined]
    "mto init reviews.csv",
    "mto init films.csv --columns text=REVIEW,label=STARS --labels 0=negative,1=positive",
    "mto init tools.csv --phrase 'The {{ head }} is used for' --test more-tools.csv --out tasks/tools.yaml",
)
