"""From finished stages to the results file and the table of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.pipeline.cells import MODELS, CellId, scores_from_json
from mto.pipeline.config import slug
from mto.pipeline.results import EACH
from mto.pipeline.whole.aligned import natural_family
from mto.pipeline.whole.systems import MAIN
from mto.prepare.prepared import read_prepared
from mto.report import Cell, Comparison, FamilyInfo, SweepInfo, read_results
from mto.report.examples import pick_examples
from mto.report.matching import match_info
from mto.report.whole.results import (
    SYSTEMS,
    AdaptationInfo,
    AlignedInfo,
    StageInfo,
    SystemCell,
    SystemKey,
    WholeResults,
)
from mto.runs import read_json

if TYPE_CHECKING:
    from mto.evaluate.scores import Scores
    from mto.pipeline.whole.running import Ways
    from mto.report import Shown

PREDICTIONS = "predictions.parquet"
PLACES = {"data", "corpus", "workers", "weights", "adapt_threads", "title"}
"""Settings that say where things lie or how the work was shared out."""


class _Source:
    """Where the cells of one system come from: a family a task, in a comparison a task."""

    def __init__(self, key: SystemKey, folders: Mapping[str, Path], families: Mapping[str, str]) -> None:
        self.key, self.folders, self.families = key, folders, families


def _sources(found: Ways) -> list[_Source]:
    """Every system of the run that it has cells for, in the order of tables."""
    names = found.asked.names
    base = dict.fromkeys(names, found.base.folder)
    compared = {family.name for family in read_results(found.base.folder).families}
    aligned = {name: found.aligned[name].family for name in names}
    natural = natural_family(found.asked.tasks[0].kind)
    beside: tuple[tuple[SystemKey, str], ...] = (("conventional", "mapping"), ("prompting", natural))
    sources = [
        _Source(key, base, dict.fromkeys(names, family)) for key, family in beside if family in compared
    ]
    sources.append(_Source("aligned", base, aligned))
    for kind in dict.fromkeys(unit.kind for unit, _, _ in found.units):
        folders = {
            task: tuned.folder / tuned.result[aligned[task]]
            for unit, _, tuned in found.units
            if unit.kind == kind
            for task in unit.tasks
        }
        if set(folders) == set(names):
            sources.append(_Source(_system(kind), folders, aligned))
    order = list(SYSTEMS)
    return sorted(sources, key=lambda source: order.index(source.key))


def _system(kind: str) -> SystemKey:
    return "adapted" if kind == MAIN else kind  # type: ignore[return-value]


def build_results(found: Ways, path: Path) -> WholeResults:
    """Everything that was found out, as the report reads it."""
    config, sources = found.asked.config, _sources(found)
    base = read_results(found.base.folder)
    comparisons = {folder: read_results(folder) for source in sources for folder in source.folders.values()}
    environment = read_json(path / "environment.json")
    families: dict[str, FamilyInfo] = {}
    for comparison in comparisons.values():
        families |= {family.name: family for family in comparison.families if family.name not in families}
    return WholeResults(
        title=config.title
        or f"The whole way: {', '.join(found.asked.names[:3])} with {Path(config.model).name}",
        command=str(environment.get("command", "")),
        environment=environment,
        settings=base.settings,
        config=config.model_dump(mode="json", exclude=PLACES, exclude_defaults=True),
        model=base.model,
        shots=base.shots or 0,
        seeds=config.seeds,
        metric=config.metric,
        ranking=base.ranking,
        signatures=base.signatures,
        tasks=base.tasks,
        families=tuple(families.values()),
        systems=tuple(source.key for source in sources),
        aligned=tuple(AlignedInfo(**one.to_json()) for one in found.aligned.values()),
        prepared=read_prepared(found.pairs.folder),
        pairs={task: int(found.pairs.result["by_task"][task]) for task in found.asked.names},
        stages=tuple(StageInfo(name=d.name, folder=d.place, seconds=d.seconds) for d in found.stages),
        adaptations=tuple(_adaptation(unit.kind, unit.tasks, done.result) for unit, done, _ in found.units),
        matches=tuple(match_info(match) for match in found.matches.values()),
        cells=tuple(cell for source in sources for cell in _cells(source, comparisons)),
        baselines=base.baselines,
        shown=tuple(one for task in found.asked.names for one in _shown(task, sources, found)),
    )


def _adaptation(kind: str, tasks: Sequence[str], stored: Mapping[str, Any]) -> AdaptationInfo:
    fields = {name: value for name, value in stored.items() if name in AdaptationInfo.model_fields}
    return AdaptationInfo(**{**fields, "system": _system(kind), "tasks": tuple(tasks)})


def _cells(source: _Source, comparisons: Mapping[Path, Comparison]) -> Iterator[SystemCell]:
    for task, folder in source.folders.items():
        comparison, family = comparisons[folder], source.families[task]
        chosen = {
            (sweep.seed, sweep.family): sweep
            for sweep in comparison.sweeps
            if sweep.task == task and sweep.fold is None
        }
        for cell in comparison.cells:
            if (cell.task, cell.family) == (task, family):
                yield _cell(source.key, cell, chosen.get((cell.seed, family)))


def _cell(key: SystemKey, cell: Cell, sweep: SweepInfo | None) -> SystemCell:
    point = sweep.chosen if sweep is not None and cell.stage == "tuned" else None
    return SystemCell(
        system=key,
        rate=point.rate if point else None,
        steps=point.steps if point else None,
        **{name: getattr(cell, name) for name in Cell.model_fields},
    )


def _scores(source: _Source, task: str, seed: int, metrics: Sequence[str]) -> Scores | None:
    """What a system answered to the test heads of a task, from the cell's own file."""
    at = CellId(0, 0, 0, task, seed, source.families[task])
    file = source.folders[task] / "steps" / f"{at.step}.json"
    tuned = read_json(file)["result"]["tuned"]
    return scores_from_json(tuned, metrics) if tuned else None


def _shown(task: str, sources: Sequence[_Source], found: Ways) -> tuple[Shown, ...]:
    """Examples of the first seed; best and worst by the adapted checkpoint."""
    config = found.asked.config
    mine = {source.key: _scores(source, task, config.seeds[0], config.metrics) for source in sources}
    there = {key: scores for key, scores in mine.items() if scores is not None}
    if not there:
        return ()
    first = next(iter(there.values()))
    return pick_examples(
        task, first.heads, first.references,
        {key: scores.predictions for key, scores in there.items()},
        {key: scores.values[config.metric] for key, scores in there.items()},
        by="adapted" if "adapted" in there else next(iter(there)), seed=config.seeds[0], each=EACH,
    )  # fmt: skip


def write_predictions_of(found: Ways, path: Path) -> None:
    """Write ``predictions.parquet``: every tuned answer of every system; its column `family` holds the system."""
    from mto.evaluate.predictions import Scored, write_predictions

    config = found.asked.config
    groups = [
        Scored(source.key, seed, task, scores)
        for source in _sources(found)
        for task in found.asked.names
        for seed in config.seeds
        if (scores := _scores(source, task, seed, config.metrics)) is not None
    ]
    write_predictions(path / PREDICTIONS, groups)


def model_folders(results: WholeResults, path: Path) -> dict[str, Path]:
    """Where the tuned models of the adapted way lie, by task; those of the first seed."""
    first, found = results.seeds[0], {}
    families = {one.task: one.family for one in results.aligned}
    for stage in results.stages:
        if not stage.name.startswith(f"tuned-{MAIN}"):
            continue
        for task, family in families.items():
            models = path / stage.folder / slug(family) / MODELS
            folder = models / slug(task) / f"seed-{first}" / slug(family)
            if folder.is_dir():
                found[task] = folder
    return found
