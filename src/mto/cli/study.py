"""`mto study`: a grid of runs, and what is learnt from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mto.cli import options
from mto.cli.display import Display, display
from mto.cli.frame import Json, Quiet, changed, emit, examples, guarded

if TYPE_CHECKING:
    from mto.pipeline import RunStatus


@guarded
def study(
    config: Annotated[Path, typer.Argument(help="The study's YAML file, such as configs/studies/matching.yaml.")],
    changes: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes of the configuration, such as seeds=3.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the study. Default: runs/study-NAME.")] = None,
    data: options.Data = None,
    only: Annotated[list[str] | None, typer.Option(help="Work on this checkpoint (of adaptation: this arm) only; several processes or machines can share a study.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Processes of each run. Default: as cores and memory allow.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Also write what the decision of matching learns from the results, for mto match --weights.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Do a study that a YAML file describes: of matching, of adaptation, of soft prompts or of every kind of task (hours), of the task
    classifiers (half an hour), or of the splitters (minutes).

    Of matching: tune every template family on every task and checkpoint, and judge what matching would have chosen before.
    All finished work stays: the same command goes on where it was stopped. A page from its results file: mto report.
    """
    from mto.runs import write_text
    from mto.study.adaptation.config import AdaptationStudyConfig
    from mto.study.classifiers.config import ClassifierStudyConfig
    from mto.study.config import read_study_config
    from mto.study.every_task.config import EveryTaskConfig
    from mto.study.matching.config import MatchingStudyConfig
    from mto.study.prompts.config import PromptStudyConfig
    from mto.study.splitter.config import SplitterStudyConfig

    given = read_study_config(config, tuple(changes or ()))
    folder = out or Path("runs") / f"study-{config.stem}"
    results: Any
    with display(quiet=quiet) as shown:
        if weights is not None and not isinstance(given, MatchingStudyConfig):
            from mto.errors import DataError

            raise DataError(f"the study of {given.study} gives no weights", hint="leave --weights away")
        if isinstance(given, AdaptationStudyConfig):
            from mto.study.adaptation.stages import run_adaptation_study

            given = given.model_copy(update=changed(data=data, workers=workers))
            results = run_adaptation_study(
                given, folder, only=only or (), say=shown.say, progress=_callback(shown)
            )
        elif isinstance(given, SplitterStudyConfig):
            from mto.study.splitter.stages import run_splitter_study

            given = given.model_copy(update=changed(data=data))
            results = run_splitter_study(given, folder, only=only or (), say=shown.say)
        elif isinstance(given, PromptStudyConfig):
            from mto.study.prompts.stages import run_prompt_study

            given = given.model_copy(update=changed(data=data))
            results = run_prompt_study(given, folder, only=only or (), say=shown.say)
        elif isinstance(given, EveryTaskConfig):
            from mto.study.every_task.stages import run_every_task

            given = given.model_copy(update=changed(data=data))
            results = run_every_task(given, folder, only=only or (), say=shown.say)
        elif isinstance(given, ClassifierStudyConfig):
            from mto.study.classifiers.stages import run_classifier_study

            given = given.model_copy(update=changed(data=data))
            results = run_classifier_study(given, folder, only=only or (), say=shown.say)
        else:
            from mto.study.matching.stages import run_study

            given = given.model_copy(update=changed(data=data, workers=workers))
            results = run_study(given, folder, only=only or (), say=shown.say, progress=_callback(shown))
            if weights is not None and results is not None:
                from mto.study.matching.rules import fit_all

                write_text(weights, fit_all(results).model_dump_json() + "\n")
    written = folder / "results.json" if results is not None else None
    if as_json:
        emit({"out": folder, "results": written})
    else:
        typer.echo(
            str(written)
            if written
            else f"{folder}: this part is done; run it without --only to collect the results"
        )


def _callback(shown: Display) -> Any:
    from mto.pipeline import RunCallback

    class Told(RunCallback):
        def on_status(self, status: RunStatus) -> None:
            shown.update(
                status.share, 1.0, f"{status.done}/{status.cells} cells  {status.text}", status.seconds_left
            )

    return Told()


study.epilog = examples(  # type: ignore[attr-defined]
    "mto study configs/studies/matching.yaml --data ../shared/data/atomic2020",
    "mto study configs/studies/matching.yaml --only mini --out runs/matching",
    "mto study configs/studies/classifiers.yaml --out runs/classifiers",
    "mto study configs/studies/splitter.yaml --out runs/splitter",
    "mto study configs/studies/adaptation.yaml --out runs/adaptation",
    "mto study configs/studies/prompt_tuning.yaml --out runs/prompts",
    "mto study configs/studies/every_task.yaml --out runs/every parts=[families]",
)
