"""From finished cells to what reports are made of: the results file and the table of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.evaluate.baselines import distinct_share, most_frequent_tail, nearest_head
from mto.evaluate.metrics import metrics as known_metrics
from mto.evaluate.options import WRITTEN
from mto.evaluate.scores import Scores, first_ranking, score
from mto.pipeline.aligned import choices as find_choices
from mto.pipeline.aligned import match_infos
from mto.pipeline.cells import CellId, scores_from_json
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import Inputs, TaskInput
from mto.pipeline.option_baselines import guessing, option_baselines
from mto.report import (
    Baseline,
    Cell,
    Choice,
    Comparison,
    FamilyInfo,
    ModelInfo,
    Shown,
    SweepInfo,
    SweepPoint,
    TaskInfo,
    Trained,
)
from mto.report.examples import pick_examples
from mto.tasks import Row, Split, folds

if TYPE_CHECKING:
    from mto.evaluate.predictions import Scored

Results = Mapping[CellId, Mapping[str, Any]]
EACH = 2
"""Examples of each kind (good, bad, drawn) a task in the report."""


def build_comparison(
    config: CompareConfig,
    inputs: Inputs,
    results: Results,
    *,
    command: str = "",
    environment: Mapping[str, Any] | None = None,
    hours: float = 0.0,
) -> Comparison:
    """Everything that was found out, as the report reads it; cells that are missing are left out."""
    choices = find_choices(config, inputs, results)
    # A run of a file without test data has as many shots as rows.
    drawn = max(len(split.train) for split in inputs.splits.values())
    return Comparison(
        title=config.title or _title(inputs),
        command=command,
        environment=dict(environment or {}),
        settings={k: list(v) if isinstance(v, tuple) else v for k, v in inputs.settings.items()},
        hours=hours,
        model=ModelInfo(**{k: v for k, v in inputs.model.items() if k in ModelInfo.model_fields}),
        shots=drawn if config.shots is None else min(config.shots, drawn),
        seeds=config.seeds,
        zero_shot=config.with_zero_shot,
        metric=config.metric,
        ranking=first_ranking(config.metrics),
        signatures={name: known_metrics.get(name).signature() for name in config.metrics},
        tasks=tuple(_task_info(task, inputs) for task in inputs.tasks),
        families=tuple(
            FamilyInfo(
                name=f.name, title=f.title, objective=f.objective, conventional=f.conventional,
                source=f.source, target=f.target,
            )
            for f in inputs.families
        ),
        cells=tuple(cell for at, result in results.items() for cell in _cells(at, result, config.metrics, inputs)),
        baselines=tuple(
            baseline
            for task in inputs.tasks
            for seed in config.seeds
            for baseline in _baselines(task, inputs.splits[task.name, seed], config)
        ),
        sweeps=tuple(sweep for at, result in results.items() for sweep in _sweeps(at, result)),
        choices=choices,
        matches=match_infos(inputs),
        shown=tuple(one for task in inputs.tasks for one in _shown(task, config, inputs, results, choices)),
    )  # fmt: skip


def all_predictions(config: CompareConfig, inputs: Inputs, results: Results) -> list[Scored]:
    """What ``predictions.parquet`` holds: every family tuned and zero-shot, and the baselines.

    The column `relation` holds the task's name; a zero-shot family is called ``NAME (zero-shot)``.
    """
    from mto.evaluate.predictions import Scored

    groups = []
    for at, result in results.items():
        for stage, label in (("tuned", at.family), ("zero_shot", f"{at.family} (zero-shot)")):
            if result[stage] is not None:
                groups.append(
                    Scored(label, at.seed, at.task, scores_from_json(result[stage], config.metrics))
                )
    for task in inputs.tasks:
        for seed in config.seeds:
            for name, scores in baseline_scores(task, inputs.splits[task.name, seed], config):
                groups.append(Scored(name, seed, task.name, scores))
    return groups


def baseline_scores(task: TaskInput, split: Split, config: CompareConfig) -> list[tuple[str, Scores]]:
    """What copying few-shot rows scores; under cross-validation only rows of the other folds are copied."""
    if not split.train:  # nothing to copy; where options are ranked there is still chance
        return _chance(task, split, config)
    if task.form.kind in ("multiple-choice", "classification"):
        return option_baselines(task.form, split, task.folds, config.metrics)
    if split.test:
        parts = [(split.train, split.test)]
    else:
        heads = len({row.id for row in split.train})
        parts = [(part.train, part.test) for part in folds(split, min(task.folds or 2, heads))]
    answers: dict[str, dict[str, str]] = {"most frequent tail": {}, "nearest head": {}}
    for train, test in parts:
        tails = [row.target for row in train]
        near = nearest_head([row.head for row in train], tails, [example.head for example in test])
        answers["most frequent tail"] |= {example.id: most_frequent_tail(tails) for example in test}
        answers["nearest head"] |= {example.id: tail for example, tail in zip(test, near, strict=True)}
    ids, heads_, references = _items(split)
    written = [name for name in config.metrics if known_metrics.get(name).reads == "text"]
    if config.metric not in written:  # copies of tails are written, so a ranking says nothing of them
        return _chance(task, split, config)
    copies = [
        (name, score(heads_, [found[i] for i in ids], references, written)) for name, found in answers.items()
    ]
    return [*copies, *_chance(task, split, config)]


def _chance(task: TaskInput, split: Split, config: CompareConfig) -> list[tuple[str, Scores]]:
    """Guessing, by the metrics that look at options, where each test row has some: it writes no text."""
    names = [name for name in config.metrics if known_metrics.get(name).reads != "text"]
    has_options = split.test and all(task.form.names(row.fields) for row in split.test)
    return [guessing(task.form, split.test, names)] if names and has_options else []


def _items(split: Split) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Ids, heads and references of what is scored, in the order of the scores."""
    if split.test:
        return (
            [example.id for example in split.test],
            [example.head for example in split.test],
            [example.targets for example in split.test],
        )
    rows: dict[str, list[Row]] = {}
    for row in split.train:
        rows.setdefault(row.id, []).append(row)
    return (
        list(rows),
        [several[0].head for several in rows.values()],
        [tuple(row.target for row in several) for several in rows.values()],
    )


def _title(inputs: Inputs) -> str:
    names = [task.name for task in inputs.tasks]
    return f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''} with {Path(str(inputs.model['ref'])).name}"


def _task_info(task: TaskInput, inputs: Inputs) -> TaskInfo:
    split = next(split for (name, _), split in inputs.splits.items() if name == task.name)
    return TaskInfo(
        name=task.name,
        relation=task.relation,
        type=task.type,
        phrase=task.phrase or "",
        kind=task.form.kind,
        train_rows=len(split.train),
        dev_rows=len(split.dev),
        test_heads=tuple(_items(split)[1]),
        folds=None if split.test else min(task.folds or 2, len({row.id for row in split.train})),
        warnings=len(task.warnings),
    )


def _cells(at: CellId, result: Mapping[str, Any], metrics: Sequence[str], inputs: Inputs) -> list[Cell]:
    cells = []
    for stage, label in (("tuned", "tuned"), ("zero_shot", "zero-shot")):
        if result[stage] is None:
            continue
        scores = scores_from_json(result[stage], metrics)
        cells.append(
            Cell(
                task=at.task,
                family=at.family,
                seed=at.seed,
                stage=label,  # type: ignore[arg-type]
                scores={name: tuple(values.tolist()) for name, values in scores.values.items()},
                empty=float(scores.empty.mean()),
                unasked=float(scores.unasked_sentinel.mean()),
                distinct=distinct_share(scores.predictions),
                words_lost=result["words_lost"],
                seconds=result["seconds"] if stage == "tuned" or result["tuned"] is None else 0.0,
                dev=result["dev"] if stage == "tuned" else None,
                trained=_trained(result) if stage == "tuned" else None,
                corpus=_measures(scores, inputs.task(at.task)),
            )
        )
    return cells


def _measures(scores: Scores, task: TaskInput) -> dict[str, float]:
    """Without what nobody asked for: free answers, beside which tails were ranked, need not be one of these tails."""
    free = task.form.kind == "completion"
    return {name: value for name, value in scores.measures().items() if not (free and name in WRITTEN)}


def _trained(result: Mapping[str, Any]) -> Trained | None:
    """What was trained in place of all weights."""
    if result.get("trained") is None:
        return None
    told = result.get("prompt")
    what = f"{told['vectors']} vectors, {told['encoder']}" if told else "low-rank updates"
    return Trained(what=what, numbers=result["trained"], kept=told["kept"] if told else None)


def _baselines(task: TaskInput, split: Split, config: CompareConfig) -> list[Baseline]:
    return [
        Baseline(
            task=task.name,
            name=name,  # type: ignore[arg-type]
            seed=split.seed,
            scores={metric: tuple(values.tolist()) for metric, values in scores.values.items()},
            distinct=distinct_share(scores.predictions),
            corpus=scores.measures(),
        )
        for name, scores in baseline_scores(task, split, config)
    ]


def _sweeps(at: CellId, result: Mapping[str, Any]) -> list[SweepInfo]:
    several = len(result["sweeps"]) > 1
    return [
        SweepInfo(
            task=at.task,
            family=at.family,
            seed=at.seed,
            points=tuple(SweepPoint(**point) for point in sweep["points"]),
            chosen=SweepPoint(**sweep["points"][sweep["chosen"]]),
            extended=tuple(sweep["extended"]),
            fold=number if several else None,
            reason=sweep["reason"],
        )
        for number, sweep in enumerate(result["sweeps"])
    ]


def _said(scores: Scores, metric: str) -> Sequence[str]:
    """What the metric looks at: what was written, or the option that was taken."""
    reads = known_metrics.get(metric).reads
    return scores.predictions if reads == "text" or scores.options is None else scores.options.picks(reads)


def _shown(
    task: TaskInput, config: CompareConfig, inputs: Inputs, results: Results, choices: Sequence[Choice]
) -> tuple[Shown, ...]:
    """Examples of the first seed; best and worst by the aligned family."""
    seed = config.seeds[0]
    mine = {
        at.family: scores_from_json(result["tuned"] or result["zero_shot"], config.metrics)
        for at, result in results.items()
        if (at.task, at.seed) == (task.name, seed) and (result["tuned"] or result["zero_shot"])
    }
    if not mine:
        return ()
    aligned = next((c.family for c in choices if (c.task, c.seed) == (task.name, seed)), None)
    first = next(iter(mine.values()))
    return pick_examples(
        task.name,
        first.heads,
        first.references,
        {family: _said(scores, config.metric) for family, scores in mine.items()},
        {family: scores.values[config.metric] for family, scores in mine.items()},
        by=aligned or next(iter(mine)),
        seed=seed,
        each=EACH,
    )
