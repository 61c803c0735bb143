"""What the page of the study of adaptation says in numbers: gains over tasks, regret of choosing an objective, heads that were never met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mto.evaluate.statistics import Gain, PairedTest, gain, holm, paired_sign_flip
from mto.study.adaptation.config import NONE
from mto.study.adaptation.results import AdaptationResults, Floats
from mto.study.matching.regret import Outcome, RuleResult, judge_rule, noise_floor
from mto.study.matching.results import relation

CONVENTIONAL, NATURAL = "mapping", "prompting"
Scored = Callable[[str], Floats]
"""Task to scores ``[seeds, heads]``."""


@dataclass(frozen=True)
class Way:
    """One way of doing all tasks.

    Attributes:
        title: as the page calls it.
        scored: its scores.
    """

    title: str
    scored: Scored


@dataclass(frozen=True)
class Judged:
    """A way against the conventional one.

    Attributes:
        p_value: of the paired test over heads, with Holm's correction among all ways of the table.
    """

    title: str
    gain: Gain
    test: PairedTest
    p_value: float


def fixed(results: AdaptationResults, arm: str, family: str) -> Scored:
    """The same checkpoint and family for every task."""

    def scored(task: str) -> Floats:
        found = results.scores(task, arm, family)
        if found is None:
            raise KeyError(f"{family} was not tuned on {arm} for {task}")
        return found

    return scored


def aligned(results: AdaptationResults, arm: str) -> Scored:
    """The same checkpoint, in each seed with the family that matching decided on."""
    return lambda task: results.aligned(task, arm)


def ways(results: AdaptationResults) -> list[Way]:
    """The ways that all tasks were done in: the conventional one first, the whole way last."""
    found = [
        Way("conventional: Mapping, not adapted", fixed(results, NONE, CONVENTIONAL)),
        Way("Prompting, not adapted", fixed(results, NONE, NATURAL)),
        Way("the family of matching, not adapted", aligned(results, NONE)),
    ]
    found += [
        Way(f"the family of matching, adapted with {arm.name}", aligned(results, arm.name))
        for arm in results.arms
        if results.has_aligned(arm.name)
    ]
    if all(results.agreeing_way(task.name) is not None for task in results.tasks):
        found.append(Way("the objective of matching, and the family that looks like it", _agreeing(results)))
    for other in results.prepared[1:]:
        if all(results.by_objective(task.name, other.name, NATURAL) is not None for task in results.tasks):
            title = f"Prompting, adapted with the objective of matching, pairs '{other.name}'"
            found.append(Way(title, _by_objective(results, other.name)))
    return [*found, Way("the whole way: family and objective of matching", results.whole_way)]


def _agreeing(results: AdaptationResults) -> Scored:
    def scored(task: str) -> Floats:
        found = results.agreeing_way(task)
        assert found is not None  # asked for only where all are there
        return found

    return scored


def _by_objective(results: AdaptationResults, pairs: str) -> Scored:
    def scored(task: str) -> Floats:
        found = results.by_objective(task, pairs, NATURAL)
        assert found is not None  # asked for only where all are there
        return found

    return scored


def judge(some: Sequence[Way], tasks: Sequence[str]) -> list[Judged]:
    """Each way against the first one."""
    base = [some[0].scored(task) for task in tasks]
    found = []
    for way in some[1:]:
        scores = [way.scored(task) for task in tasks]
        found.append((way.title, gain(scores, base), paired_sign_flip(scores, base)))
    corrected = holm([test.p_value for _, _, test in found])
    return [Judged(title, gained, test, p) for (title, gained, test), p in zip(found, corrected, strict=True)]


def objective_rules(results: AdaptationResults) -> list[RuleResult]:
    """Regret of choosing the objective of adaptation, the family being that of matching; the noise floor last.

    The checkpoints to choose among are those that all tasks were tuned on, and the one that is not adapted.
    """
    arms = (NONE, *(arm.name for arm in results.arms if results.has_aligned(arm.name)))
    outcomes = [
        Outcome(
            group=relation(task.name), model=results.model, seeds=results.seeds, families=arms,
            scores=np.stack([results.aligned(task.name, arm) for arm in arms]),
        )
        for task in results.tasks
    ]  # fmt: skip
    rules = {
        f"always {arm}" if arm != NONE else "no adaptation": {
            (o.group, o.model, s): arm for o in outcomes for s in o.seeds
        }
        for arm in arms
    }
    if {"denoising", "lm"} <= set(arms):
        rules["the objective of matching"] = {
            (relation(d.task), results.model, d.seed): d.objective for d in results.decided
        }
        rules["the paper's task type"] = {
            (relation(task.name), results.model, seed): "denoising" if task.type == "mask-filling" else "lm"
            for task in results.tasks
            for seed in results.seeds
        }
        votes = {
            one.task: "denoising" if one.denoising >= 0.5 else "lm"
            for one in next(p for p in results.prepared if p.name == "all").tasks
        }
        rules["the router's vote"] = {
            (relation(task), results.model, seed): vote
            for task, vote in votes.items()
            for seed in results.seeds
        }
    judged = [judge_rule(name, outcomes, choices) for name, choices in rules.items()]
    return [*sorted(judged, key=lambda rule: rule.regret.value), noise_floor(outcomes)]


def met_heads(results: AdaptationResults, name: str, *, met: bool) -> dict[str, np.ndarray]:
    """Task to the numbers of its test heads that stand (or do not stand) in a pair of that preparation; tasks without one are left out."""
    prepared = next(one for one in results.prepared if one.name == name)
    found = {one.task: np.flatnonzero(np.array(one.met) == met) for one in prepared.tasks}
    return {task: heads for task, heads in found.items() if len(heads)}


def some_heads(way: Way, heads: dict[str, np.ndarray]) -> Way:
    """A way on some of the heads."""
    return Way(way.title, lambda task: way.scored(task)[:, heads[task]])


def interaction(results: AdaptationResults, tasks: Sequence[str]) -> tuple[float, float, float] | None:
    """What agreement is worth: (masked minus plain family after denoising) minus (the same after LM), in points, with its 95 % interval over tasks.

    Prompting and MaskedPrompting; positive where each family does best after its own objective. None where one of the four was not tuned.
    """
    rows = []
    for task in tasks:
        cells = [
            results.scores(task, arm, family)
            for arm in ("denoising", "lm")
            for family in ("masked-prompting", "prompting")
        ]
        if any(cell is None for cell in cells):
            return None
        means = [float(cell.mean()) for cell in cells if cell is not None]
        rows.append((means[0] - means[1]) - (means[2] - means[3]))
    values = np.array(rows)
    picks = np.random.default_rng([43, len(values)]).integers(len(values), size=(4000, len(values)))
    low, high = np.quantile(values[picks].mean(1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)
