"""The work of the study, stage by stage; each is done once and goes on where it was stopped.

1. *sweep*: rate and steps of every family on every checkpoint, on the dev data of a few tasks (`mto.compare`).
2. *grid*: every family on every task and seed with these settings (`mto.compare`, one run a checkpoint and family).
3. *signals*: what matching sees in the labelled rows of the same splits. It reads no test row and knows nothing of the grid.
4. *collect*: the results file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mto.errors import DataError
from mto.families import LoadedModel, load_model
from mto.match.config import MatchConfig
from mto.match.depthrank.mask_index import MaskabilityReport
from mto.match.probe.config import ProbeConfig
from mto.match.result import Match
from mto.match.rows import match_rows
from mto.match.run import draw_labelled
from mto.pipeline.comparing import compare
from mto.pipeline.config import slug
from mto.pipeline.progress import RunCallback
from mto.report import Comparison, read_results
from mto.runs import RunFolder, environment
from mto.study.matching.config import MatchingStudyConfig
from mto.study.matching.results import (
    CellScores,
    MatchingResults,
    Settings,
    Signals,
    StudiedModel,
    StudiedTask,
)
from mto.tasks import load_task
from mto.tune.config import TuneConfig

Say = Callable[[str], None]
RESULTS = "results.json"


def run_study(
    config: MatchingStudyConfig,
    out: str | Path,
    *,
    only: Sequence[str] = (),
    say: Say | None = None,
    progress: RunCallback | None = None,
) -> MatchingResults | None:
    """Do what is left of a study.

    Args:
        config: what is studied.
        out: folder of the study; its runs lie under it.
        only: checkpoints to work on now, so that several machines or processes can share a study; the results file is then
            written by a later call without it.
        say: is told each stage in a line.
        progress: of the runs.

    Returns:
        The results, or None where only a part was asked for.

    Raises:
        DataError: `only` names a checkpoint that is not in the study.
        MtoError: as `mto.compare` and `mto.match` raise.
    """
    tell = say or (lambda _: None)
    unknown = sorted(set(only) - set(config.models))
    if unknown:
        raise DataError(
            f"'{unknown[0]}' is no checkpoint of this study", hint="in it: " + ", ".join(config.models)
        )
    folder = RunFolder.create(out, {"command": "study matching", **config.fixed()})
    for model in only or config.models:
        settings = sweep(config, folder, model, tell, progress)
        grid(config, folder, model, settings, tell, progress)
        watch(config, folder, model, tell)
    if only:
        return None
    results = collect(config, folder)
    results.write(folder.path / RESULTS)
    return results


def sweep(
    config: MatchingStudyConfig, folder: RunFolder, model: str, say: Say, progress: RunCallback | None
) -> tuple[Settings, ...]:
    """Choose rate and steps of each family once, on dev data of `sweep_tasks`."""
    say(f"{model}: choosing rate and steps on the dev data of {len(config.sweep_tasks)} tasks")
    run = compare(
        list(config.sweep_tasks),
        out=folder.path / "sweep" / slug(model),
        progress=progress,
        model=model,
        seeds=config.sweep_seeds,
        max_test=1,
        tune=TuneConfig(
            rates=config.rates, ladder=config.ladder, metric=config.metric, precision=config.precision
        ),
        **_common(config),
    )
    return choose_settings(run.comparison, model)


def choose_settings(comparison: Comparison, model: str) -> tuple[Settings, ...]:
    """The point of the sweep with the best mean rank by likelihood and by metric over all its tasks and seeds, for each family.

    Only points that every sweep of the family has are looked at: a grid that was extended for one task is not taken for all.

    Raises:
        DataError: a family has no common point.
    """
    chosen = []
    for family in comparison.families:
        sweeps = [s for s in comparison.sweeps if s.family == family.name]
        tables = [{(p.rate, p.steps): p for p in s.points} for s in sweeps]
        common = sorted(set.intersection(*(set(t) for t in tables))) if tables else []
        if not common:
            raise DataError(f"{family.name}: the sweeps have no point in common")
        ranks = np.zeros(len(common))
        for table in tables:
            nats = np.array([table[point].nats_per_byte for point in common])
            score = np.array([table[point].metric for point in common])
            ranks += _ranks(nats) + _ranks(-score)
        rate, steps = common[int(ranks.argmin())]
        chosen.append(Settings(model=model, family=family.name, rate=rate, steps=steps))
    return tuple(chosen)


def _ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    ranks: np.ndarray = rankdata(values)
    return ranks


def grid(
    config: MatchingStudyConfig,
    folder: RunFolder,
    model: str,
    settings: Sequence[Settings],
    say: Say,
    progress: RunCallback | None,
) -> None:
    """Tune and test every family on every task and seed."""
    for one in settings:
        how = f"{one.steps} steps at {one.rate:g}" if one.steps else "untuned"
        say(f"{model}: {one.family} on {len(config.tasks)} tasks, {how}")
        compare(
            list(config.tasks),
            out=_grid_folder(folder, one),
            progress=progress,
            model=model,
            seeds=config.seeds,
            max_test=config.max_test,
            tune=TuneConfig(
                rates=(one.rate,) if one.rate else None,
                ladder=(one.steps,),
                extend=False,
                metric=config.metric,
                precision=config.precision,
            ),
            **_common(config) | {"families": (one.family,)},
        )


def _common(config: MatchingStudyConfig) -> dict[str, Any]:
    return {
        "data": config.data, "families": config.families, "shots": config.shots, "metrics": (config.metric,),
        "choose": "dev", "keep": "none", "zero_shot": False, "workers": config.workers,
    }  # fmt: skip


def _grid_folder(folder: RunFolder, one: Settings) -> Path:
    return folder.path / "grid" / slug(one.model) / one.family


def watch(config: MatchingStudyConfig, folder: RunFolder, model: str, say: Say) -> None:
    """Write down what matching sees, before and apart from all scores."""
    loaded: LoadedModel | None = None
    for number, name in enumerate(config.tasks):
        waiting = [seed for seed in config.seeds if _stored(folder, config, model, name, seed) is None]
        if not waiting:
            continue
        loaded = loaded or load_model(model)
        task = load_task(name, data=config.data)
        say(f"{model}: signals of {name} ({number + 1} of {len(config.tasks)})")
        for seed in waiting:
            split = draw_labelled(task, config.shots, seed)
            probes = config.probe_steps > 0 and seed in config.probe_seeds
            found = match_rows(
                loaded, task, split.train, dev=split.dev, data_seed=seed,
                config=MatchConfig(
                    signals=("guidelines", "depthrank", "classifier", *(("probe",) if probes else ())),
                    tuned_shots=config.tuned_shots,
                    probe=ProbeConfig(budget_steps=config.probe_steps or None),
                    families=config.families,
                    denoiser=False,
                ),
            )  # fmt: skip
            value = to_signals(found, name, model, seed).model_dump(mode="json")
            folder.finish(
                _step(model, name, seed),
                _key(config, loaded.revision),
                {"revision": loaded.revision, "signals": value},
            )


def to_signals(found: Match, task: str, model: str, seed: int) -> Signals:
    """What the study keeps of one matching."""
    one = found.best
    return Signals(
        task=task,
        model=model,
        seed=seed,
        evidence=one.evidence,
        leans=dict(one.type.leans),
        index=_index(one.maskability),
        tuned_index=_index(one.tuned_maskability),
        probe=found.probe.best.family if found.probe else None,
        seconds=found.seconds,
    )


def _index(report: MaskabilityReport | None) -> float | None:
    for pair in report.pairs if report else ():
        if pair.plain == "prompting" and pair.index is not None:
            return pair.index.value
    return None


def _stored(
    folder: RunFolder, config: MatchingStudyConfig, model: str, task: str, seed: int
) -> Mapping[str, Any] | None:
    path = folder.path / "steps" / f"{_step(model, task, seed)}.json"
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    result: Mapping[str, Any] = stored["result"]
    return result if stored["key"] == _key(config, result["revision"]) else None


def _step(model: str, task: str, seed: int) -> str:
    return f"signals/{slug(model)}-{slug(task)}-{seed}"


def _key(config: MatchingStudyConfig, revision: str) -> str:
    text = json.dumps([config.fixed(), revision], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def collect(config: MatchingStudyConfig, folder: RunFolder) -> MatchingResults:
    """The results file from finished runs and signals.

    Raises:
        DataError: something is not finished, or the signals belong to other weights than the scores.
    """
    models: list[StudiedModel] = []
    settings: list[Settings] = []
    cells: list[CellScores] = []
    signals: list[Signals] = []
    heads: dict[str, int] = {}
    kinds: dict[str, Any] = {}
    hours = 0.0
    for model in config.models:
        swept = read_results(folder.path / "sweep" / slug(model))
        own = choose_settings(swept, model)
        settings += own
        hours += swept.hours
        for one in own:
            run = read_results(_grid_folder(folder, one))
            hours += run.hours
            for task in run.tasks:
                heads[task.name], kinds[task.name] = len(task.test_heads), task.type
            for cell in run.cells:
                if cell.stage == "tuned":
                    cells.append(
                        CellScores(
                            task=cell.task, model=model, family=cell.family, seed=cell.seed,
                            scores=cell.scores[config.metric],
                            dev_nats=cell.dev["nats_per_byte"] if cell.dev else None,
                        )
                    )  # fmt: skip
        info = read_results(_grid_folder(folder, own[0])).model
        models.append(
            StudiedModel(
                name=model,
                revision=info.revision,
                objectives=dict(info.latest or info.objectives),
                tokens_seen=info.tokens_seen,
            )
        )
        for name in config.tasks:
            for seed in config.seeds:
                stored = _stored(folder, config, model, name, seed)
                if stored is None:
                    raise DataError(
                        f"the signals of {name}, seed {seed}, with {model} are missing",
                        where=str(folder.path),
                    )
                if stored["revision"] != info.revision:
                    raise DataError(
                        f"the signals of {name} were taken with other weights of {model} than its scores",
                        where=str(folder.path),
                        hint="delete the folder steps/signals and run the study again",
                    )
                signals.append(Signals.model_validate(stored["signals"]))
                hours += signals[-1].seconds / 3600
    found = environment()
    return MatchingResults(
        title=config.title,
        command=str(found.pop("command")),
        environment=found,
        hours=hours,
        config=config.fixed(),
        metric=config.metric,
        tasks=tuple(StudiedTask(name=n, type=kinds[n], heads=heads[n]) for n in config.tasks),
        models=tuple(models),
        families=config.families,
        seeds=config.seeds,
        settings=tuple(settings),
        cells=tuple(cells),
        signals=tuple(signals),
    )
