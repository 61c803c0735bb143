"""`mto run`: which template family wins, by how much, and how sure that is; with raw text the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mto.cli import options
from mto.cli.display import Display, display, duration, odd_rows, size
from mto.cli.frame import Json, Quiet, changed, emit, examples, guarded
from mto.errors import ConfigError

if TYPE_CHECKING:
    from mto.pipeline import Plan, Run


@guarded
def run(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(metavar="TASK... [KEY=VALUE...]", help="Names (mto ls), task files (.yaml) or files of rows (.csv …); values for the configuration."),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A YAML file; options win over it.")] = None,
    corpus: Annotated[list[str] | None, typer.Option("--corpus", help="Raw text without labels: go the whole way, with adaptation to it. A file, folder, glob, hf:NAME, or mto:household; repeatable.")] = None,
    model: options.Model = None,
    shots: options.Shots = None,
    seeds: Annotated[int | None, typer.Option("--seeds", "-s", min=1, help="Number of data seeds. Default: 3; without shots 1.")] = None,
    families: Annotated[str | None, typer.Option("--families", "-f", help="Names or .yaml files, with commas; all: the four basic ones (of multiple choice six), or with --method prompt those with soft prompts; auto (default): Mapping, Prompting (of multiple choice AnswerPrompting; of soft prompts PT) and what matching chooses.")] = None,
    method: options.Method = None,
    vectors: options.Vectors = None,
    encoder: options.Encoder = None,
    choose: Annotated[str | None, typer.Option(help="What names the aligned family: match (default; before tuning) or dev (after).")] = None,
    rates: options.Rates = None,
    steps: options.Steps = None,
    dev: Annotated[int | None, typer.Option(min=0, help="Rows for choosing settings. Default: as many as shots.")] = None,
    max_test: Annotated[int | None, typer.Option(min=1, help="Most test heads a task. Default: 100; of other kinds than completion 500 rows. Of no use where rows are scored by cross-validation.")] = None,
    phrase: options.Phrase = None,
    relation: options.Relation = None,
    data: options.Data = None,
    columns: options.Columns = None,
    delimiter: options.Delimiter = None,
    metrics: Annotated[str | None, typer.Option(help="Metrics (mto ls metrics), with commas; the first decides.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder. Default: runs/ and the names of tasks, model and method, and the shots.")] = None,
    rank_tails: Annotated[int | None, typer.Option("--rank-tails", min=2, max=10, help="Completion: so many tails that each family also ranks, a right one and those of other heads.")] = None,
    keep: Annotated[str | None, typer.Option(help="Weights that stay: chosen, all or none.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Processes. Default: as cores and memory allow.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each process. Default: 1.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    objective: Annotated[str | None, typer.Option(help="With --corpus: auto (default; what the task is matched to), denoising, lm, mixed, spans, prefixes or ul2.")] = None,
    controls: Annotated[str | None, typer.Option(help="With --corpus: random-spans, wrong-objective, general, with commas; all (default) or none.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="With --corpus: epochs of the adaptation. Default: 3.")] = None,
    replay: Annotated[list[Path] | None, typer.Option(help="With --corpus: general text read in between, against forgetting; repeatable.")] = None,
    per_task: Annotated[bool, typer.Option("--per-task", help="With --corpus: an adaptation for each task. Default: one for all.")] = False,
    title: Annotated[str | None, typer.Option(help="Title of the report.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and how long it takes, and stop.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Tune with each template family on a few examples, and report which one wins, by how much, how sure.

    With --corpus: also turn raw text into pairs, adapt the checkpoint to them, tune it again, and compare with the conventional way
    and with controls. Finished work is never done again: the same command goes on where it was stopped.
    """
    from mto.pipeline import compare, default_out, plan, read_compare_config
    from mto.pipeline.whole.config import is_whole_file, read_whole_config

    names, changes = options.split_changes(tasks or [])
    given: dict[str, Any] = {
        "tune": options.tuning(method, vectors, encoder, rates=options.numbers(rates), ladder=options.numbers(steps)),
        **changed(
            tasks=names, model=model, shots=shots, seeds=seeds, choose=choose, dev=dev,
            max_test=max_test, phrase=options.number_or_text(phrase), relation=relation, data=data,
            columns=options.pairs(columns), delimiter=options.delimiter(delimiter),
            metrics=options.words(metrics), rank_tails=rank_tails, keep=keep, workers=workers, threads=threads, device=device, title=title,
        ),
        **_families(families, method),
    }  # fmt: skip
    adapt = changed(
        objective=objective, epochs=epochs, replay=None if not replay else [str(p) for p in replay]
    )
    with_text = changed(corpus=corpus, controls=options.words(controls), per_task=True if per_task else None)
    if corpus or is_whole_file(config) or any(change.startswith("corpus=") for change in changes):
        from mto.cli.whole import run_whole_way

        whole = read_whole_config(config, changes, adapt=adapt, **given, **with_text)
        run_whole_way(whole, out, dry_run=dry_run, quiet=quiet, as_json=as_json)
        return
    if adapt or with_text:
        raise ConfigError(
            f"--{next(iter({**adapt, **with_text})).replace('_', '-')} needs raw text",
            hint="give it with --corpus TEXT",
        )
    settings = read_compare_config(config, changes, **given)
    folder = out or default_out(settings)
    with display(quiet=quiet) as shown:
        if dry_run:
            planned = plan(
                settings, out=folder, progress=_callback(shown, with_plan=False, with_rows=not as_json)
            )
        else:
            result = compare(settings, out=folder, progress=_callback(shown, with_rows=not as_json))
    if dry_run:
        emit(planned) if as_json else typer.echo("\n".join(plan_lines(planned)))
    elif as_json:
        emit(_json(result))
    else:
        _end(result)


def _families(given: str | None, method: str | None) -> dict[str, Any]:
    """``--families`` as values for the configuration; ``auto`` takes those of a file away: matching names them."""
    if given is None:
        return {}
    if given == "auto":
        return {"families": None}
    return {"families": options.words(given)}


def plan_lines(plan: Plan) -> list[str]:
    """What is about to be done, in a few lines."""
    from mto.report.numbers import count

    lines = [
        f"{plan.model}: {plan.parameters / 1e6:.0f} M parameters, weights {plan.revision}, on {plan.device}"
    ]
    for task in plan.tasks:
        scored = f"{task.folds}-fold over {task.test} heads" if task.folds else f"{task.test} test heads"
        dev = f"{task.dev} dev rows, " if task.dev else ""
        lines.append(
            f"{task.name}: {task.train} shots, {dev}{scored}" + (f"; {task.phrase}" if task.phrase else "")
        )
        if task.warnings:
            lines.append(
                f"  {task.warnings} row{'s were' if task.warnings > 1 else ' was'} mended or left out"
            )
    sizes = ((plan.families, "family", "families"), (plan.seeds, "seed", None), (plan.tasks, "task", None))
    product = " x ".join(count(len(several), one, more) for several, one, more in sizes)
    lines.append(f"{product} = {count(plan.cells, 'cell')} ({', '.join(plan.families)})")
    if plan.stands_for is not None:
        lines.append(f"  {plan.stands_for} stands for what matching will choose, for each task and seed anew")
    if (prompt := plan.settings.get("prompt")) is not None:
        vectors = ", ".join(map(str, prompt["vectors"] or ())) or "as many vectors as the template says"
        lines.append(
            f"soft prompts: {vectors}{' vectors' if prompt['vectors'] else ''}; {', '.join(prompt['encoders'])}"
        )
    rates = ", ".join(f"{rate:g}" for rate in plan.settings["rates"])
    steps = ", ".join(map(str, plan.settings["ladder"]))
    lines.append(f"sweep: rates {rates}; steps {steps}; {plan.settings['batch_rows']} rows a step")
    if plan.done:
        lines.append(f"{plan.done} of {plan.cells} cells are done already")
    speed = f"{plan.speed.step:.2g} s a step, {plan.speed.answer:.2g} s an answer"
    many = f"{plan.workers} worker{'s' if plan.workers > 1 else ''}"
    lines.append(f"about {duration(plan.seconds)} with {many} ({speed})")
    stay = f", {size(plan.kept_bytes)} of it stay" if plan.kept_bytes < 0.95 * plan.disk_bytes else ""
    lines.append(f"about {size(plan.disk_bytes)} of disk{stay}; in {plan.out}")
    return lines


def _callback(shown: Display, *, with_plan: bool = True, with_rows: bool = True) -> Any:
    from mto.pipeline import RunCallback, RunStatus

    class Told(RunCallback):
        def on_plan(self, plan: Plan) -> None:
            for line in plan_lines(plan) if with_plan else ():
                shown.say(line)
            for task in plan.tasks if with_rows else ():
                for line in odd_rows(task.name, task.first_warnings, task.warnings):
                    shown.say(line)

        def on_status(self, status: RunStatus) -> None:
            text = f"{status.done}/{status.cells} cells  {status.text}"
            shown.update(status.share, 1.0, text, status.seconds_left)

        def on_event(self, kind: str, message: str) -> None:
            shown.say(message if kind in ("loading", "matching", "finished-before") else f"{kind}: {message}")

    return Told()


def _json(result: Run) -> dict[str, Any]:
    from mto.runs import read_json

    return {
        "out": result.path,
        "worked": result.worked,
        "report": result.path / "report.html",
        "metrics": read_json(result.path / "metrics.json"),
    }


def _end(result: Run) -> None:
    from rich.console import Console

    from mto.report import render_terminal

    console = Console()
    console.print(render_terminal(result.comparison, width=console.width))
    typer.echo(f"report: {result.path / 'report.html'}")
    if result.comparison.choices and (result.path / "models").is_dir():
        typer.echo(f"new rows: mto predict --run {result.path} --input new.csv --output out.csv")


run.epilog = examples(  # type: ignore[attr-defined]
    "mto run household/ObjectUse",
    "mto run household/ObjectUse household/xWant --shots 16 --seeds 3 --dry-run",
    "mto run tools.csv --phrase '{{ head }} is used for' -m google/flan-t5-base",
    "mto run atomic2020/xIntent --data atomic2020 --steps 0,5,20 tune.beams=2",
    "mto run household/ObjectUse --method prompt --vectors 10 --seeds 2",
    "mto run household/xWant --corpus mto:household --controls none",
    "mto run tools.csv --phrase '{{ head }} is used for' --corpus texts",
    "mto run --config configs/demo.yaml --out runs/demo",
)
