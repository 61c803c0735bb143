"""`mto tune`: one task, one template family, one tuned model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mto.cli import options
from mto.cli.display import Display, display, say_odd_rows
from mto.cli.frame import Json, Quiet, changed, emit, examples, guarded
from mto.errors import ConfigError

if TYPE_CHECKING:
    from mto.pipeline.tuning import Tuning


@guarded
def tune(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK... [KEY=VALUE...]", help="A name (mto ls), a task file (.yaml) or a file of rows (.csv …); several with --method prompt; settings of the sweep, such as batch_rows=4.")],
    family: Annotated[str | None, typer.Option("--family", "-f", help="Template family or its .yaml file; auto: what matching chooses. Default: masked-prompting (masked-mapping where the task has no phrase), or masked-post-pt for a soft prompt.")] = None,
    method: options.Method = None,
    vectors: options.Vectors = None,
    encoder: options.Encoder = None,
    shared: Annotated[int | None, typer.Option(min=1, help="Several tasks: vectors that all of them share. Default: 10, or the named ones of the family.")] = None,
    match: Annotated[Path | None, typer.Option(help="With --family auto: the match.json to go by. Default: match anew.")] = None,
    model: options.Model = None,
    shots: options.Shots = None,
    seed: Annotated[int, typer.Option("--seed", "-s", min=0, help="Data seed: which rows are drawn.")] = 0,
    rates: options.Rates = None,
    steps: options.Steps = None,
    phrase: options.Phrase = None,
    relation: options.Relation = None,
    data: options.Data = None,
    columns: options.Columns = None,
    delimiter: options.Delimiter = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the tuned model. Default: runs/tuned-TASK-MODEL.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the tuned model that is there.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Tune a checkpoint, or a soft prompt of it, to a task with one template family; rate and steps are chosen on dev data.

    A task of one file is scored by cross-validation, and the model is then tuned on all of its rows. Soft prompts of several
    tasks are trained together: some vectors are shared, the others are each task's own.
    """
    names, changes = options.split_changes(tasks)
    sweep = options.tuning(
        method, vectors, encoder, rates=options.numbers(rates), ladder=options.numbers(steps)
    )
    if len(names) != 1:
        if shared is None and not names:
            raise ConfigError("no task is named", hint="give one, such as household/ObjectUse")
        _together(
            names, changes, sweep, quiet, as_json,
            **changed(family=family, model=model, shots=shots, seed=seed, shared=shared, out=out, overwrite=overwrite, data=data,
                      columns=options.pairs(columns), delimiter=options.delimiter(delimiter)),
        )  # fmt: skip
        return
    if shared is not None:
        raise ConfigError("one task alone shares nothing", where="--shared", hint="give two tasks or more")
    from mto.pipeline.tuning import tune_to_folder

    with display(quiet=quiet) as shown:
        done = tune_to_folder(
            names[0], family=family, model=model or "mini", shots=shots, seed=seed, changes=changes,
            out=out, overwrite=overwrite, progress=_callback(shown),
            phrase=options.number_or_text(phrase), relation=relation, data=data, match=match,
            columns=options.pairs(columns), delimiter=options.delimiter(delimiter),
            told=lambda signal, _: shown.say(f"matching: {signal}"), noted=shown.say,
            odd_rows=None if as_json else say_odd_rows(shown),
            **sweep,
        )  # fmt: skip
    if as_json:
        emit(_json(done))
        return
    for line in _lines(done):
        typer.echo(line)
    typer.echo(f"{done.folder}\nnew rows: mto predict --run {done.folder} --input new.csv --output out.csv")


def _together(
    names: list[str], changes: list[str], sweep: dict[str, Any], quiet: bool, as_json: bool, **given: Any
) -> None:
    from mto.pipeline.tuning_together import tune_tasks_to_folders

    with display(quiet=quiet) as shown:
        done = tune_tasks_to_folders(
            names, changes=changes, progress=_callback(shown), odd_rows=None if as_json else say_odd_rows(shown), **given, **sweep
        )  # fmt: skip
    tuned = list(done.values())
    if as_json:
        emit(
            {
                "family": tuned[0].family.name,
                "rate": tuned[0].rate,
                "steps": tuned[0].steps,
                "encoder": tuned[0].prompt.encoder,
                "tasks": [
                    {"task": one.task, "out": folder, "vectors": one.prompt.numbers_of_vectors}
                    for folder, one in done.items()
                ],
            }
        )
        return
    if tuned[0].sweep is not None:
        typer.echo(tuned[0].sweep.reason)
    for folder, one in done.items():
        told = ", ".join(
            f"{n} {'own' if name.startswith('#') else name}"
            for name, n in one.prompt.numbers_of_vectors.items()
        )
        typer.echo(f"{one.task}: {told}; {folder}")


def _callback(shown: Display) -> Any:
    from mto.tune import SweepPoint, TuneCallback, TuneStatus

    class Told(TuneCallback):
        def on_rung(self, status: TuneStatus, point: SweepPoint) -> None:
            fold = f"fold {status.fold}, " if status.fold else ""
            at = f"rate {point.rate:g}, {point.steps} steps" if point.steps else "untuned"
            text = f"{fold}{at}: {point.nats_per_byte:.3f} nats a byte, {point.metric:.1f} points on dev"
            shown.update(status.rungs, status.of_rungs, text)

        def on_extend(self, status: TuneStatus, rate: float) -> None:
            shown.say(f"the best rate lies at the edge of the grid, so {rate:g} is tried as well")

    return Told()


def _lines(done: Tuning) -> list[str]:
    from mto.tune import TunedPrompt

    tuned = done.tuned
    lines = [f"{tuned.task}, {tuned.family.title}, {tuned.shots} labelled rows"]
    if done.match is not None:
        lines.append(f"matching: {done.match.model(tuned.base_ref).family.says}")
    if isinstance(tuned, TunedPrompt):
        lines.append(
            f"soft prompt: {sum(tuned.prompt.numbers_of_vectors.values())} vectors, {tuned.prompt.encoder}"
        )
    if tuned.sweep is not None:
        lines.append(tuned.sweep.reason)
    elif tuned.steps:
        lines.append(f"{tuned.steps} steps at {tuned.rate:g}, the best over all folds")
    if tuned.scores:
        told = ", ".join(f"{name} {value:.1f}" for name, value in tuned.scores.items())
        lines.append(f"cross-validation: {told}")
        if done.match is not None:
            lines.append("the family was chosen on the same rows, which may flatter this score a little")
    return lines


def _json(done: Tuning) -> dict[str, Any]:
    from mto.tune import TunedPrompt

    tuned = done.tuned
    prompt = tuned.prompt if isinstance(tuned, TunedPrompt) else None
    return {
        "vectors": prompt.numbers_of_vectors if prompt else None,
        "encoder": prompt.encoder if prompt else None,
        "out": done.folder,
        "task": tuned.task,
        "family": tuned.family.name,
        "match": done.folder / "match.json" if done.match is not None else None,
        "rate": tuned.rate,
        "steps": tuned.steps,
        "shots": tuned.shots,
        "sweep": tuned.sweep.to_json() if tuned.sweep else None,
        "scores": dict(tuned.scores) if tuned.scores else None,
    }


tune.epilog = examples(  # type: ignore[attr-defined]
    "mto tune household/ObjectUse",
    "mto tune household/xWant --family auto --shots 16 --out runs/want",
    "mto tune household/xWant --method prompt --vectors 10,20 --out runs/soft",
    "mto tune household/xWant household/xNeed --method prompt --shared 10",
    "mto tune tools.csv --phrase '{{ head }} is used for' --steps 0,5,20",
)
