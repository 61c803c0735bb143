"""`mto match`: what a task looks like, before anything is tuned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mto.cli import options
from mto.cli.display import display, say_odd_rows
from mto.cli.frame import Json, Quiet, changed, emit, examples, guarded

if TYPE_CHECKING:
    from mto.cli.display import Display
    from mto.match import Match
    from mto.match.guidelines import Guidelines
    from mto.match.probe import ProbeStatus

_UNDER_WAY = {
    "guidelines": "looking at the shape of the data",
    "depthrank": "scoring every template family",
    "depthrank after tuning": "tuning each family on a few rows and scoring the others",
    "classifier": "asking the task classifier",
    "denoiser": "trying denoisers on the task's sentences",
    "probe": "running the tournament of families; Ctrl-C ends it with the best answer so far",
}


@guarded
def match(
    task: Annotated[str, typer.Argument(help="A name (mto ls), a task file (.yaml) or a file of rows (.csv …).")],
    changes: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings of matching, such as probe.folds=4.")] = None,
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="Candidate checkpoint; give it several times to choose among several. Default: mini.")] = None,
    signals: Annotated[str | None, typer.Option(help="guidelines, depthrank, classifier, probe, with commas. Default: all but the probe, which trains.")] = None,
    families: Annotated[str | None, typer.Option("--families", "-f", help="Names or .yaml files, with commas. Default: all four, of multiple choice six.")] = None,
    shots: options.Shots = None,
    seed: Annotated[int, typer.Option("--seed", "-s", min=0, help="Data seed: which rows are drawn.")] = 0,
    tuned_shots: Annotated[int | None, typer.Option(min=1, help="DepthRank also after tuning on so many rows.")] = None,
    probe_steps: Annotated[int | None, typer.Option(min=1, help="Run the probe too, with so many steps in all.")] = None,
    probe_seconds: Annotated[float | None, typer.Option(min=1, help="Run the probe too, within so many seconds.")] = None,
    weights: Annotated[Path | None, typer.Option(help="What the decision knows, from a study of your own (mto study --weights). Default: the package's.")] = None,
    phrase: options.Phrase = None,
    relation: options.Relation = None,
    data: options.Data = None,
    columns: options.Columns = None,
    delimiter: options.Delimiter = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for the whole answer, such as match.json.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say which task type, objective and template family a task matches, how sure that is, and why.

    Reads labelled few-shot and dev rows only, never test rows. Takes seconds; the probe, which trains, takes what you give it.
    """
    from mto.pipeline.matching import guidelines_of, match_task

    asked = options.words(signals)
    if (probe_steps is not None or probe_seconds is not None) and "probe" not in (asked or ()):
        asked = [*(asked or ("guidelines", "depthrank", "classifier")), "probe"]
    if asked == ["guidelines"] and tuned_shots is None:
        _without_checkpoint(model=model, families=families, weights=weights, out=out)
        with display(quiet=quiet) as shown:
            shape = guidelines_of(
                task, shots=shots, seed=seed, changes=changes or (), phrase=options.number_or_text(phrase),
                relation=relation, data=data, columns=options.pairs(columns), delimiter=options.delimiter(delimiter),
                odd_rows=None if as_json else say_odd_rows(shown),
            )  # fmt: skip
        emit(shape) if as_json else _show_guidelines(shape, task)
        return
    with display(quiet=quiet) as shown:

        def told(signal: str, name: str) -> None:
            shown.say(_UNDER_WAY.get(signal, signal) + (f" ({name})" if name else ""))

        found = match_task(
            task, models=model or ["mini"], shots=shots, seed=seed, changes=changes or (),
            phrase=options.number_or_text(phrase), relation=relation, data=data, progress=told, noted=shown.say,
            odd_rows=None if as_json else say_odd_rows(shown),
            columns=options.pairs(columns), delimiter=options.delimiter(delimiter),
            probing=_Rounds(shown, probe_steps, probe_seconds).tell,
            **changed(signals=asked, families=options.words(families), tuned_shots=tuned_shots, weights=weights),
            probe=changed(budget_steps=probe_steps, budget_seconds=probe_seconds),
        )  # fmt: skip
    if out is not None:
        found.write(out)
    if as_json:
        emit(found)
        return
    _show(found)
    if out is not None:
        typer.echo(f"everything: {out}")
    again = ["-m", found.best.model] if model else []
    # More rows than there are cannot be drawn by the commands that follow.
    there = shots is None or shots <= found.train_rows
    again += _given(data=data, relation=relation, phrase=phrase, shots=shots if there else None)
    for line in _next(task, found, again, seed, out):
        typer.echo(line)


def _given(**options: object) -> list[str]:
    """The options that were given, as words of a command."""
    return [
        word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))
    ]


def _next(task: str, found: Match, again: list[str], seed: int, out: Path | None) -> list[str]:
    """The two commands that may follow: all families against each other, and the one model with the chosen family."""
    import shlex

    family = ["--family", "auto", "--match", str(out)] if out is not None else ["--family", found.family]
    drawn = ["--seed", str(seed)] if seed else []
    return [
        f"compare families: {shlex.join(['mto', 'run', task, *again])}",
        f"tune a model:     {shlex.join(['mto', 'tune', task, *family, *drawn, *again])}",
    ]


class _Rounds:
    """Tells where a probe stands: a line for each round, and every training where there is a bar.

    Args:
        shown: where it is told.
        steps, seconds: its budget, as far as it was given; without one the bar shows the trainings of the round.
    """

    def __init__(self, shown: Display, steps: int | None, seconds: float | None) -> None:
        self._shown, self._steps, self._seconds, self._round = shown, steps, seconds, -1

    def tell(self, status: ProbeStatus) -> None:
        if status.rung != self._round:
            self._round = status.rung
            self._shown.say(
                f"round {status.rung}: {status.of} trainings of {status.steps} steps, as far as the budget goes"
                if status.rung
                else f"round 0: {status.of} families are scored untrained"
            )
        best = f"; best so far: {status.best}" if status.best else ""
        text = f"round {status.rung}, {status.arm}, {status.done} of {status.of}{best}"
        spent = [
            part / whole
            for part, whole in ((status.steps_made, self._steps), (status.seconds, self._seconds))
            if whole
        ]
        self._shown.update(min(max(spent, default=status.done / status.of), 1.0), 1.0, text)


def _without_checkpoint(**given: object) -> None:
    """Raise `DataError` for an option that means nothing where the guidelines alone are asked: they read no checkpoint."""
    from mto.errors import DataError

    idle = [name for name, value in given.items() if value is not None and value != []]
    if idle:
        raise DataError(
            f"--{idle[0]} has no say where the guidelines alone are asked: they read no checkpoint and choose no family",
            hint="leave it out, or ask another signal too: --signals guidelines,depthrank",
        )


def _show_guidelines(found: Guidelines, task: str) -> None:
    from rich.console import Console

    from mto.report.guidelines import render_guidelines

    Console().print(render_guidelines(found, task))


def _show(found: Match) -> None:
    from rich.console import Console

    from mto.report.matching import render_match

    console = Console()
    console.print(render_match(found, width=console.width))


match.epilog = examples(  # type: ignore[attr-defined]
    "mto match household/ObjectUse",
    "mto match household/xWant --probe-seconds 60 --out match.json",
    "mto match tools.csv --phrase '{{ head }} is used for' -m mini -m google/flan-t5-base",
)
