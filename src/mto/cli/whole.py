"""What `mto run` does with raw text: the whole way, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mto.cli.display import Display, display, duration, odd_rows, size
from mto.cli.frame import emit

if TYPE_CHECKING:
    from mto.pipeline import Plan
    from mto.pipeline.whole import WholeConfig, WholePlan, WholeRun

_STAGES = {
    "match": "matching",
    "base": "tuning without adaptation",
    "pairs": "preparing the text",
    "report": "writing the report",
}
_SHOWN = ("loading", "matching", "adapting", "finished-before")


def told_as(name: str) -> str:
    """What a stage is called while it runs.

    >>> told_as("adapt-main"), told_as("tuned-random-spans")
    ('adapting', 'tuning on the control random-spans')
    """
    what, _, unit = name.partition("-")
    if name in _STAGES or not unit:
        return _STAGES.get(name, name)
    verb = "adapting" if what == "adapt" else "tuning"
    if unit.startswith("main"):
        return f"{verb}{' on the adapted checkpoint' if what == 'tuned' else ''}{unit.removeprefix('main').replace('-', ' ', 1)}"
    return f"{verb} {'as' if what == 'adapt' else 'on'} the control {unit}"


def run_whole_way(
    config: WholeConfig, out: Path | None, *, dry_run: bool, quiet: bool, as_json: bool
) -> None:
    """The command: plan or run, and show what came of it."""
    from mto.pipeline.whole import plan_whole, run_whole, whole_out

    folder = out or whole_out(config)
    with display(quiet=quiet) as shown:
        if dry_run:
            planned = plan_whole(config, out=folder, progress=_callback(shown, with_rows=not as_json))
        else:
            result = run_whole(config, out=folder, progress=_callback(shown, with_rows=not as_json))
    if dry_run:
        emit(planned) if as_json else typer.echo("\n".join(plan_lines(planned)))
    elif as_json:
        emit(_json(result))
    else:
        _end(result)


def plan_lines(plan: WholePlan) -> list[str]:
    """What is about to be done, stage by stage."""
    base = plan.base
    lines = [
        f"{base.model}: {base.parameters / 1e6:.0f} M parameters, weights {base.revision}, on {base.device}"
    ]
    for task in base.tasks:
        scored = f"{task.folds}-fold over {task.test} heads" if task.folds else f"{task.test} test heads"
        dev = f"{task.dev} dev rows, " if task.dev else ""
        lines.append(f"{task.name}: {task.train} shots, {dev}{scored}")
        if (known := plan.aligned.get(task.name)) is not None:
            lines.append(
                f"  aligned: {known.family}, {known.objective or 'objective by the router'} ({known.reason})"
            )
    pieces = (
        f"{plan.text['files']} file{'s' if plan.text['files'] != 1 else ''} in {plan.text['pieces']} piece"
    )
    lines.append(f"raw text: {pieces}{'s' if plan.text['pieces'] != 1 else ''}")
    rates = ", ".join(f"{rate:g}" for rate in base.settings["rates"])
    lines.append(
        f"sweep, the same for every system: rates {rates}; steps {', '.join(map(str, base.settings['ladder']))}"
    )
    wide = max(len(stage.name) for stage in plan.stages)
    for stage in plan.stages:
        told = "done" if stage.done else f"about {duration(stage.seconds)}"
        lines.append(f"  {stage.name:{wide}}  {told}")
    if not plan.aligned:
        lines.append(
            "what is aligned will be known after matching (without test data: after the stage base, from dev data); denoising stands for "
            "it here, which costs most"
        )
    many = f"{base.workers} worker{'s' if base.workers > 1 else ''}"
    lines.append(f"about {duration(plan.seconds)} in all with {many}, very roughly; in {plan.out}")
    checkpoints = 1 + len(plan.controls)
    lines.append(f"about {size(checkpoints * (2 * base.parameters + 3e6) + 2 * base.disk_bytes)} of disk")
    return lines


def _callback(shown: Display, *, with_rows: bool) -> Any:
    from mto.pipeline import RunStatus
    from mto.pipeline.whole import WholeCallback
    from mto.pipeline.whole.progress import StageStatus

    class Told(WholeCallback):
        def __init__(self) -> None:
            self.stage = ""
            self.odd: set[str] = set()

        def on_stage(self, status: StageStatus) -> None:
            self.stage = f"{status.number}/{status.stages} {told_as(status.name)}"
            if status.state == "begins":
                shown.say(self.stage)
            elif status.state == "kept":
                shown.say(f"{self.stage}: done before")

        def on_plan(self, plan: Plan) -> None:
            for task in plan.tasks if with_rows else ():
                if task.name not in self.odd:
                    self.odd.add(task.name)
                    for line in odd_rows(task.name, task.first_warnings, task.warnings):
                        shown.say(line)

        def on_status(self, status: RunStatus) -> None:
            shown.update(status.share, 1.0, f"{self.stage}  {status.text}", status.seconds_left)

        def on_event(self, kind: str, message: str) -> None:
            shown.say(message if kind in _SHOWN else f"{kind}: {message}")

    return Told()


def _json(result: WholeRun) -> dict[str, Any]:
    from mto.runs import read_json

    return {
        "out": result.path,
        "worked": list(result.worked),
        "report": result.path / "report.html",
        "metrics": read_json(result.path / "metrics.json"),
    }


def show_whole(path: Path) -> None:
    """Print the report of a whole run, from its results."""
    from rich.console import Console

    from mto.report.whole import read_whole_results, render_whole_terminal

    console = Console()
    console.print(render_whole_terminal(read_whole_results(path), width=console.width))


def _end(result: WholeRun) -> None:
    show_whole(result.path)
    typer.echo(f"report: {result.path / 'report.html'}")
    if any(result.path.glob("stages/tuned-main*/*/models")):
        typer.echo(f"new rows: mto predict --run {result.path} --input new.csv --output out.csv")
