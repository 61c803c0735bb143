"""`mto adapt`: unsupervised training of a checkpoint on prepared pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mto.cli import options
from mto.cli.display import display, duration
from mto.cli.frame import Json, Quiet, changed, emit, examples, guarded
from mto.cli.training import told

if TYPE_CHECKING:
    from mto.adapt import AdaptResult


@guarded
def adapt(
    changes: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Any other setting, such as accumulate=2 or lora.rank=8.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Folder that mto prepare made.")] = None,
    model: options.Model = None,
    objective: Annotated[str | None, typer.Option(help="auto, denoising, lm or mixed over the pairs; spans, prefixes or ul2 over whole sentences. Default: auto.")] = None,
    which: Annotated[str | None, typer.Option("--set", help="task, or a control: random-spans, random-prefixes, general. Default: task.")] = None,
    match: Annotated[list[Path] | None, typer.Option(help="Answer of mto match for auto and for the spans; may be given several times, each for its task.")] = None,
    mix: Annotated[float | None, typer.Option(help="Share of denoising for mixed. Default: the router's choice for each pair.")] = None,
    replay: Annotated[list[Path] | None, typer.Option(help="General text read in between, a sentence a line; may be given several times.")] = None,
    replay_share: Annotated[float | None, typer.Option(help="Share of general sentences. Default: 0.2.")] = None,
    retention: Annotated[Path | None, typer.Option(help="General held-out text, a sentence a line. Default: held-out.txt of the pairs.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Default: 3.")] = None,
    rate: Annotated[float | None, typer.Option(help="Peak learning rate. Default: 1e-4, with LoRA 1e-3.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adafactor, adamw or muon. Default: adafactor.")] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Most pairs. Default: all.")] = None,
    lora: Annotated[int | None, typer.Option(min=1, metavar="RANK", help="Train low-rank updates and merge them (needs the extra 'peft').")] = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", min=0)] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A YAML file of settings; options win over it.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder. Default: runs/MODEL-PAIRS-OBJECTIVE.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Training processes; accumulate must be a multiple. Default: 1.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each process.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again, whatever is there.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Adapt a checkpoint to task-related pairs, without labels. Goes on when interrupted; finished work is not done again."""
    from mto.pipeline import adapting
    from mto.pipeline import team as teams

    settings = adapting.read_adapt_config(
        config, changes or (),
        **changed(
            pairs=_text(pairs), model=model, objective=objective, set=which, match=_texts(match), mix=mix, replay=_texts(replay),
            replay_share=replay_share, retention=_text(retention), epochs=epochs, rate=rate, optimizer=optimizer, limit=limit,
            lora=None if lora is None else {"rank": lora}, seed=seed,
        ),
    )  # fmt: skip
    folder = out or adapting.default_out(settings)
    helper = teams.is_helper()
    if not teams.is_launched():
        team = adapting.choose_team(settings, processes, threads)
        if team.processes > 1:
            words = [*adapting.as_words(settings), "--out", str(folder)]
            words += [
                flag for flag, on in (("--fresh", fresh), ("--quiet", quiet), ("--json", as_json)) if on
            ]
            raise typer.Exit(teams.launch_team(["adapt", *words], team))
    with display(quiet=quiet or helper) as shown:
        result = adapting.run_adaptation(
            settings,
            folder,
            threads=threads,
            resume=not fresh,
            callbacks=[told(shown, folder.name)],
            say=shown.say,
        )
    if helper:
        return
    emit(result) if as_json else _show(result)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _texts(paths: list[Path] | None) -> list[str] | None:
    return None if paths is None else [str(path) for path in paths]


def _show(result: AdaptResult) -> None:
    if not result.worked:
        typer.echo("finished before; nothing was done")
    for name, before in result.before.items():
        if "/" in name and "bits" not in name:
            typer.echo(f"{name:20} {before:6.3f} -> {result.after[name]:6.3f} nats a token")
    stopped = ", stopped early" if result.stopped_because == "patience" else ""
    typer.echo(
        f"{result.model}\n{result.tokens:,} tokens in {duration(result.seconds)} ({result.tokens_per_second:,.0f} a second), "
        f"weights of step {result.kept_step:,} of {result.steps:,}{stopped}"
    )


adapt.epilog = examples(  # type: ignore[attr-defined]
    "mto adapt --pairs prepared/use",
    "mto adapt -m google/flan-t5-base --pairs prepared/use --match match.json --out runs/adapted",
    "mto adapt --pairs prepared/use --objective mixed --mix 0.5 --replay general.txt",
    "mto adapt --pairs prepared/use --objective spans --set general --lora 16",
    "mto adapt --pairs prepared/use --processes 2 accumulate=2 batch_tokens=256",
)
