"""`mto pretrain`: a checkpoint of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mto.cli.display import display, duration
from mto.cli.frame import Json, Quiet, emit, examples, guarded
from mto.cli.training import told


@guarded
def pretrain(
    config: Annotated[Path, typer.Argument(help="A YAML file, such as configs/pretrain/mini.yaml.")],
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Values in place of those of the file, such as train.steps=100.")
    ] = None,
    corpus: Annotated[Path | None, typer.Option(help="Folder of the text files.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder. Default: runs/NAME.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the tokenised text; runs may share it. Default: OUT/data.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Training processes. Default: measured once.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each process. Default: measured once.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again, whatever checkpoints are there.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Train a checkpoint: tokenizer, text shards, training, validation, model card. Goes on when interrupted."""
    from mto.pipeline import pretraining
    from mto.pipeline import team as teams

    settings = pretraining.read_pretrain_config(config, changes or (), corpus=corpus)
    folder = out or Path("runs") / settings.name
    helper = teams.is_helper()
    if not teams.is_launched():
        team = pretraining.choose_team(settings, folder, processes=processes, threads=threads)
        threads = team.threads
        if team.processes > 1:
            if not quiet:
                typer.echo(
                    f"{team.processes} processes, {team.threads or 'all'} threads each: {team.reason}",
                    err=True,
                )
            words = ["pretrain", str(config), *(changes or ()), "--out", str(folder)]
            words += ["--corpus", str(corpus)] if corpus else []
            words += ["--data", str(data)] if data else []
            words += [
                flag for flag, on in (("--fresh", fresh), ("--quiet", quiet), ("--json", as_json)) if on
            ]
            raise typer.Exit(teams.launch_team(words, team))
    with display(quiet=quiet or helper) as shown:
        result = pretraining.run_pretraining(
            settings, folder, data=data, threads=threads, resume=not fresh,
            callbacks=[told(shown, settings.name)], say=shown.say,
        )  # fmt: skip
    if helper:
        return
    if as_json:
        emit(result)
    else:
        typer.echo(
            f"{result.model}\n{result.tokens:,} tokens in {duration(result.seconds)} "
            f"({result.tokens_per_second:,.0f} a second, {result.precision})"
        )


pretrain.epilog = examples(  # type: ignore[attr-defined]
    "mto pretrain configs/pretrain/mini-trunk.yaml --corpus ../shared/corpus",
    "mto pretrain own.yaml --out runs/own --processes 2 train.steps=200",
)
