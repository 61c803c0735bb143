"""The commands under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from mto.cli.adapt import adapt
from mto.cli.init import init
from mto.cli.list_names import list_names
from mto.cli.match import match
from mto.cli.predict import predict
from mto.cli.prepare import prepare
from mto.cli.pretrain import pretrain
from mto.cli.report import report
from mto.cli.run import run
from mto.cli.show import show
from mto.cli.study import study
from mto.cli.tune import tune
from mto.cli.validate import validate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Match a task to a pre-training objective, and learn it from few examples.",
    epilog="Each command explains itself: mto run --help",
)


def _version(asked: bool) -> None:
    if asked:
        from mto import __version__

        typer.echo(f"mto {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


for _name, _command in (
    ("init", init),
    ("validate", validate),
    ("run", run),
    ("match", match),
    ("tune", tune),
    ("predict", predict),
    ("report", report),
    ("show", show),
    ("ls", list_names),
    ("study", study),
    ("prepare", prepare),
    ("adapt", adapt),
    ("pretrain", pretrain),
):
    app.command(_name, epilog=getattr(_command, "epilog", None))(_command)
