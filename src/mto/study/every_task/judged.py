"""What the study says: gains with tests, whether a checkpoint is above chance, bits of the right answer, and regret of ways to choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from mto.evaluate.statistics import Gain, Interval, crossed_bootstrap, gain, holm, paired_sign_flip
from mto.study.every_task.choosing import best_by_dev
from mto.study.every_task.results import EveryTaskResults, Facts, Matrix, Method, Tuned
from mto.study.matching.regret import Outcome, RuleResult, always, judge_rule, noise_floor

System = Literal["conventional", "aligned", "first by dev", "second by dev"]
SYSTEMS: tuple[System, ...] = ("conventional", "aligned", "first by dev", "second by dev")
CONVENTIONAL: dict[Method, str] = {"finetune": "mapping", "prompt": "pt"}


class TaskGain(NamedTuple):
    """Gain of the aligned family over the conventional one, of one task or of all of a metric, with a paired test over items."""

    name: str
    found: Gain
    p: float
    corrected: float
    """By Holm over the rows of the table."""


def family_of(
    results: EveryTaskResults, system: System, model: str, task: str, seed: int, method: Method = "finetune"
) -> str | None:
    """The family of a system; None where it has none."""
    if system == "conventional":
        return CONVENTIONAL[method]
    if system == "aligned":
        choice = results.choice(model, task, seed)
        return None if choice is None else choice.soft if method == "prompt" else choice.family
    best = results.best_of(task, method)
    number = SYSTEMS.index(system) - 2
    return best[number] if number < len(best) else None


def side(
    results: EveryTaskResults, system: System, model: str, task: str, method: Method = "finetune"
) -> list[Tuned]:
    """The cells of a system, one a seed; empty where one is not in the study."""
    found = []
    for seed in results.config["seeds"]:
        family = family_of(results, system, model, task, seed, method)
        cells = results.cells(model=model, method=method, task=task, seed=seed, family=family)
        if not cells:
            return []
        found.append(cells[0])
    return found


def sides(
    results: EveryTaskResults, system: System, model: str, tasks: Sequence[Facts], method: Method = "finetune"
) -> list[Matrix]:
    """Points ``[seeds, items]`` of each task; empty where a task has none."""
    found = [side(results, system, model, task.name, method) for task in tasks]
    return [points(cells) for cells in found] if all(found) else []


def points(cells: Sequence[Tuned]) -> Matrix:
    """Points ``[seeds, items]``."""
    return np.array([cell.points for cell in cells])


def of_metric(results: EveryTaskResults, metric: str) -> list[Facts]:
    """The tasks whose first metric this is."""
    return [task for task in results.tasks if task.metric == metric]


def done_by(
    results: EveryTaskResults, model: str, tasks: Sequence[Facts], method: Method = "finetune"
) -> list[Facts]:
    """The tasks that a checkpoint was tuned on: a part of the study may take only some."""
    done = {cell.task for cell in results.cells(model=model, method=method)}
    return [task for task in tasks if task.name in done]


def done_by_all(results: EveryTaskResults, tasks: Sequence[Facts], method: Method) -> list[Facts]:
    """The tasks on which all checkpoints can be compared that were tuned by a method."""
    for model in {cell.model for cell in results.cells(method=method)}:
        tasks = done_by(results, model, tasks, method)
    return list(tasks)


def first_model(results: EveryTaskResults) -> str:
    """The checkpoint of the part *families*."""
    return str(results.config["models"][0])


def tested_families(results: EveryTaskResults, model: str, task: str) -> list[str]:
    """Families that were fine-tuned on all seeds of a task."""
    cells = results.cells(model=model, method="finetune", task=task)
    seeds = len(results.config["seeds"])
    names = [cell.family for cell in cells]
    return [name for name in dict.fromkeys(names) if names.count(name) == seeds]


def near_chance(results: EveryTaskResults, model: str, task: Facts) -> bool:
    """Whether the interval of every tested family holds what guessing scores."""
    found, chance = _intervals(results, model, task), task.chance
    return bool(found) and chance is not None and all(one.low <= chance <= one.high for one in found)


def below_chance(results: EveryTaskResults, model: str, task: Facts) -> bool:
    """Whether the interval of every tested family ends below what guessing scores: something else than sense decides between options."""
    found, chance = _intervals(results, model, task), task.chance
    return bool(found) and chance is not None and all(one.high < chance for one in found)


def _intervals(results: EveryTaskResults, model: str, task: Facts) -> list[Interval]:
    """Of every tested family, tuned."""
    families = tested_families(results, model, task.name)
    cells = (results.cells(model=model, method="finetune", task=task.name, family=f) for f in families)
    return [crossed_bootstrap(points(own)) for own in cells]


def gains(
    results: EveryTaskResults, model: str, tasks: Sequence[Facts], method: Method = "finetune"
) -> list[TaskGain]:
    """Of each task, and of all together where there are several; empty where a system is not in the study."""
    aligned, plain = (sides(results, name, model, tasks, method) for name in ("aligned", "conventional"))
    if not aligned or not plain:
        return []
    names = [task.name for task in tasks]
    parts = [([a], [b]) for a, b in zip(aligned, plain, strict=True)]
    if len(tasks) > 1:
        names, parts = [*names, f"all {len(tasks)}"], [*parts, (aligned, plain)]
    ps = [paired_sign_flip(a, b).p_value for a, b in parts]
    return [
        TaskGain(name, gain(a, b), p, float(corrected))
        for name, (a, b), p, corrected in zip(names, parts, ps, holm(ps), strict=True)
    ]


def bits_gap(
    results: EveryTaskResults, model: str, task: str, *, after: bool, what: Literal["bits", "doubt"] = "bits"
) -> Interval | None:
    """Aligned minus conventional, in bits: below 0 the right answer is better understood in the aligned form. Paired: seeds and items are
    resampled for both alike.

    Args:
        after: after tuning, or before.
        what: bits a byte of the right answer, or bits of the right option among the options.

    Returns:
        None where something is not in the study.
    """
    rows = []
    for seed in results.config["seeds"]:
        pair = []
        for system in ("aligned", "conventional"):
            family = family_of(results, system, model, task, seed)
            cells = results.cells(model=model, method="finetune", task=task, seed=seed, family=family)
            tuned = cells[0] if cells else None
            found = tuned if after else results.before(model, family or "", task)
            values = None if found is None else getattr(found, what)
            if values is None:
                return None
            pair.append(np.array(values) / 100)
        rows.append(pair[0] - pair[1])
    return crossed_bootstrap([np.array(rows)])


def doubt_of(results: EveryTaskResults, system: System, model: str, task: str) -> Interval | None:
    """Bits of the right option among the options after tuning; None where a task has no options or the system is not in the study."""
    found = [cell.doubt for cell in side(results, system, model, task)]
    return crossed_bootstrap([np.array(found) / 100]) if found and None not in found else None


def worse_than_guessing(results: EveryTaskResults, model: str, task: Facts) -> bool:
    """Whether both forms need more bits for the right option than guessing does, so that fewer bits only say less wrong."""
    each = [doubt_of(results, system, model, task.name) for system in SYSTEMS[:2]]
    if task.chance is None:
        return False
    return all(one is not None and one.low > np.log2(100 / task.chance) for one in each)


def outcomes(results: EveryTaskResults, kind: str) -> list[Outcome]:
    """All families of a kind on each of its tasks, with the first checkpoint, as ways of choosing are judged on them."""
    model, seeds = first_model(results), tuple(int(seed) for seed in results.config["seeds"])
    found = []
    for task in results.tasks:
        families = tested_families(results, model, task.name)
        if task.kind != kind or len(families) < 2:
            continue
        own = [
            points(results.cells(model=model, method="finetune", task=task.name, family=f)) for f in families
        ]
        found.append(Outcome(task.name, model, seeds, tuple(families), np.array(own)))
    return found


def rules(results: EveryTaskResults, kind: str) -> list[RuleResult]:
    """Regret of matching, of dev data after tuning all families, and of always the same family, the smallest first; then the noise.

    Empty unless all families were tuned (part *families*).
    """
    judged = outcomes(results, kind) if "families" in results.parts else []
    if not judged:
        return []
    common = [f for f in judged[0].families if all(f in one.families for one in judged)]
    found = [judge_rule(f"always {name}", judged, always(judged, name)) for name in common]
    matched = {(c.task, c.model, c.seed): c.family for c in results.chosen}
    if all(matched.get((o.group, o.model, seed)) in o.families for o in judged for seed in o.seeds):
        found.append(judge_rule("matching", judged, matched))
    dev = {}
    for one in judged:
        for seed in one.seeds:
            cells = results.cells(model=one.model, method="finetune", task=one.group, seed=seed)
            at = {c.family: [(c.dev_bits, c.dev_metric)] for c in cells if c.family in one.families}
            dev[one.group, one.model, seed] = best_by_dev(at, 1)[0]
    found.append(judge_rule("dev, after tuning all", judged, dev))
    found.sort(key=lambda rule: rule.regret.value)
    enough = all(one.scores.shape[2] > 1 for one in judged)
    return [*found, noise_floor(judged)] if enough else found
