"""What is known of a task and its rows without any checkpoint: chance, and what copying labelled rows scores."""

from __future__ import annotations

import numpy as np

from mto.evaluate.baselines import most_frequent_tail, nearest_head
from mto.evaluate.scores import score
from mto.pipeline.kinds import ALL_OF
from mto.pipeline.option_baselines import RANDOM, option_baselines
from mto.study.every_task.cells import first_metric, split_of
from mto.study.every_task.config import EveryTaskConfig
from mto.study.every_task.results import Baseline, Facts, pack
from mto.tasks import Task
from mto.templates import BASIC, get_family
from mto.tune.cell import OPTIONED

FREQUENT, NEAREST = "most frequent answer", "nearest text"


def families_of(config: EveryTaskConfig, task: Task) -> tuple[str, ...]:
    """The families that a task is tuned with: those of its kind; without a phrase those that need none."""
    named = config.families or (BASIC if task.kind == "completion" else ALL_OF[task.kind])
    return tuple(name for name in named if task.phrases or "phrase" not in get_family(name).source)


def task_facts(config: EveryTaskConfig, task: Task, name: str) -> Facts:
    """A task as it is tested."""
    test = split_of(config, task, name, config.sweep_seed).test
    chance = None
    if task.kind in OPTIONED:
        chance = float(np.mean([100 / len(task.form.names(example.fields)) for example in test]))
    return Facts(
        name=name,
        kind=task.kind,
        metric=first_metric(task),
        shots=config.shots_for(name),
        items=len(test),
        chance=chance,
    )


def baselines(config: EveryTaskConfig, task: Task, name: str, seed: int) -> list[Baseline]:
    """The most frequent answer of the labelled rows, and that of the row with the nearest text (of labels and free text)."""
    split, metric = split_of(config, task, name, seed), first_metric(task)
    if task.kind in OPTIONED:
        told = [
            (FREQUENT if label.startswith("most") else NEAREST, scores.values[metric])
            for label, scores in option_baselines(task.form, split, None, (metric,))
            if label != RANDOM
        ]
        return [Baseline(name=label, task=name, seed=seed, scores=pack(values)) for label, values in told]
    heads, right = [e.head for e in split.test], [e.targets for e in split.test]
    targets = [row.target for row in split.train]
    copied = {
        FREQUENT: [most_frequent_tail(targets)] * len(heads),
        NEAREST: nearest_head([row.head for row in split.train], targets, heads),
    }
    return [
        Baseline(
            name=label, task=name, seed=seed, scores=tuple(score(heads, texts, right, (metric,)).values[metric])
        )
        for label, texts in copied.items()
    ]  # fmt: skip
