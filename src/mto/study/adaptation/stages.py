"""The work of the study, stage by stage; each is done once and goes on where it was stopped.

1. *pairs*: raw text to pairs, for all tasks together (`mto.prepare`), once for each set of files.
2. *adapted*: one checkpoint for each arm (`mto.adapt`).
3. *sweep*: rate and steps of every family on every arm, on the dev data of a few tasks (`mto.compare`).
4. *grid*: every arm and family with these settings (`mto.compare`), on the tasks of the matrix; some arms on all tasks.
5. *collect*: the results file; the checkpoint as it is and the decisions of matching come from the study of matching.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mto.adapt import AdaptConfig, adapt
from mto.config import parse
from mto.errors import DataError
from mto.pipeline.comparing import compare
from mto.pipeline.progress import RunCallback
from mto.prepare.config import PrepareConfig
from mto.prepare.run import prepare_config
from mto.runs import RunFolder
from mto.study.adaptation.collect import collect
from mto.study.adaptation.config import AdaptationStudyConfig, Arm
from mto.study.adaptation.plan import (
    adapted_folder,
    agreeing,
    agreeing_folder,
    grid_folder,
    matched,
    pairs_folder,
    settings_of,
    sweep_folder,
    tasks_of,
)
from mto.study.adaptation.results import AdaptationResults, Setting
from mto.study.matching.results import MatchingResults
from mto.tune.config import TuneConfig

Say = Callable[[str], None]
RESULTS = "results.json"


def run_adaptation_study(
    config: AdaptationStudyConfig,
    out: str | Path,
    *,
    only: Sequence[str] = (),
    say: Say | None = None,
    progress: RunCallback | None = None,
) -> AdaptationResults | None:
    """Do what is left of a study.

    Args:
        config: what is studied.
        out: folder of the study; its runs lie under it.
        only: arms to work on now, so that several machines or processes can share a study; the results file is then
            written by a later call without it.
        say: is told each stage in a line.
        progress: of the runs.

    Returns:
        The results, or None where only a part was asked for.

    Raises:
        DataError: `only` names an arm that is not in the study; the study of matching was made with other settings.
        MtoError: as `mto.prepare`, `mto.adapt` and `mto.compare` raise.
    """
    names = [arm.name for arm in config.arms]
    if unknown := sorted(set(only) - set(names)):
        raise DataError(f"'{unknown[0]}' is no arm of this study", hint="in it: " + ", ".join(names))
    folder = RunFolder.create(out, {"command": "study adaptation", **config.fixed()})
    study = _Study(config, folder, matched(config), say or (lambda _: None), progress)
    for name in only or names:
        study.work(config.arm(name))
    if only:
        return None
    results = collect(config, folder, study.before)
    results.write(folder.path / RESULTS)
    return results


class _Study:
    """One study at work."""

    def __init__(
        self,
        config: AdaptationStudyConfig,
        folder: RunFolder,
        before: MatchingResults,
        say: Say,
        progress: RunCallback | None,
    ) -> None:
        self.config, self.before = config, before
        self._path, self._say, self._progress = folder.path, say, progress

    def work(self, arm: Arm) -> None:
        """Do what is left of one arm."""
        self._prepare(arm.pairs)
        self._adapt(arm)
        family, further = agreeing(self.config, self.before, arm)
        for setting in self._sweep(arm):
            tasks = tasks_of(self.config, self.before, arm, setting.family)
            self._tune(arm, setting, tasks, grid_folder(self._path, arm, setting.family))
            if further and setting.family == family:
                self._tune(arm, setting, further, agreeing_folder(self._path, arm, family))

    def _prepare(self, name: str) -> None:
        config = self.config
        self._say(f"pairs '{name}' from {len(config.pairs[name])} files or globs")
        given = {
            "tasks": config.tasks, "corpus": config.pairs[name], "data": config.data, "shots": config.shots, **config.prepare,
        }  # fmt: skip
        prepare_config(parse(PrepareConfig, given, source="prepare"), pairs_folder(self._path, name))

    def _adapt(self, arm: Arm) -> None:
        self._say(f"{arm.name}: adapting {self.config.model} with {arm.objective} on the set {arm.set}")
        given = {
            **self.config.adapt, "model": self.config.model, "pairs": str(pairs_folder(self._path, arm.pairs)), "set": arm.set,
            "objective": arm.objective,
        }  # fmt: skip
        adapt(parse(AdaptConfig, given, source="adapt"), adapted_folder(self._path, arm))

    def _sweep(self, arm: Arm) -> tuple[Setting, ...]:
        config = self.config
        self._say(f"{arm.name}: choosing rate and steps on the dev data of {len(config.sweep_tasks)} tasks")
        run = compare(
            list(config.sweep_tasks),
            out=sweep_folder(self._path, arm),
            progress=self._progress,
            model=adapted_folder(self._path, arm) / "model",
            seeds=config.sweep_seeds,
            families=arm.families or config.families,
            max_test=1,
            tune=TuneConfig(
                rates=config.rates, ladder=config.ladder, metric=config.metric, precision=config.precision
            ),
            **self._common(),
        )
        return settings_of(run.comparison, arm)

    def _tune(self, arm: Arm, one: Setting, tasks: tuple[str, ...], out: Path) -> None:
        config = self.config
        how = f"{one.steps} steps at {one.rate:g}" if one.steps else "untuned"
        self._say(f"{arm.name}: {one.family} on {len(tasks)} tasks, {how}")
        compare(
            list(tasks),
            out=out,
            progress=self._progress,
            model=adapted_folder(self._path, arm) / "model",
            seeds=config.seeds,
            families=(one.family,),
            max_test=config.max_test,
            tune=TuneConfig(
                rates=(one.rate,) if one.rate else None,
                ladder=(one.steps,),
                extend=False,
                metric=config.metric,
                precision=config.precision,
            ),
            **self._common(),
        )

    def _common(self) -> dict[str, Any]:
        config = self.config
        return {
            "data": config.data, "shots": config.shots, "metrics": (config.metric,), "choose": "dev", "keep": "none",
            "zero_shot": False, "workers": config.workers,
        }  # fmt: skip
