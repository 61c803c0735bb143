"""Regret: how much a way of choosing loses against the family that turned out best.

In: test scores of all families on every task and checkpoint, and what each rule chose before. Out: how often the choice was the best
family and what it cost, with intervals over relations, beside the noise floor. Nothing here knows how rules choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mto.config import Strict
from mto.errors import DataError
from mto.match.evidence import Span

Floats = NDArray[np.float64]
RESAMPLES = 4000
HALVES = 200


@dataclass(frozen=True, eq=False)
class Outcome:
    """All families on one task and checkpoint.

    Attributes:
        group: the relation; relations are what is resampled.
        model: the checkpoint.
        seeds: data seeds.
        families: names, in the order of the scores.
        scores: ``[families, seeds, heads]``, 0 to 100.
    """

    group: str
    model: str
    seeds: tuple[int, ...]
    families: tuple[str, ...]
    scores: Floats

    def means(self) -> Floats:
        """Mean over seeds and heads: ``[families]``. The best of these is the best family of this task and checkpoint."""
        means: Floats = self.scores.mean(axis=(1, 2))
        return means


Choices = Mapping[tuple[str, str, int], str]
"""(group, model, seed) to the family that a rule chose from the labelled rows of that seed."""


class RuleResult(Strict):
    """How a rule did.

    Attributes:
        name: of the rule.
        best: share of choices that were the best family.
        regret: points lost against the best family, mean over tasks, checkpoints and seeds.
        share: the same as a share of the best family's score, in percent: a ratio of means.
        tasks: how many tasks and checkpoints were judged.
    """

    name: str
    best: Span
    regret: Span
    share: Span
    tasks: int


def judge_rule(name: str, outcomes: Sequence[Outcome], choices: Choices, *, seed: int = 0) -> RuleResult:
    """Regret of one rule over all tasks, checkpoints and seeds.

    A family counts with its mean over seeds and heads, so that the luck of one seed makes no best family: with means
    20 and 18, a rule that chose the second in one seed of two has a regret of 1 point and was right in half.

    Raises:
        DataError: a choice is missing, or names a family that was not tested.
    """
    if not outcomes:
        raise DataError("there is nothing to judge a rule on")
    rows = []
    for task in outcomes:
        means = task.means()
        lost, hit = 0.0, 0.0
        for data_seed in task.seeds:
            chosen = choices.get((task.group, task.model, data_seed))
            if chosen not in task.families:
                raise DataError(
                    f"{name}: no tested family was chosen for {task.group}, {task.model}, seed {data_seed}: {chosen}"
                )
            place = task.families.index(chosen)
            lost += float(means.max() - means[place])
            hit += float(means[place] >= means.max())
        rows.append([hit / len(task.seeds), lost / len(task.seeds), float(means.max())])
    return _result(name, outcomes, np.array(rows), seed)


def noise_floor(outcomes: Sequence[Outcome], *, seed: int = 0) -> RuleResult:
    """What choosing on half of the test heads loses on the other half, over `HALVES` random halvings.

    No rule that reads other data can be expected to lose much less: so large is the chance in the scores themselves.
    """
    rows = []
    for number, task in enumerate(outcomes):
        rng = np.random.default_rng([seed, 31, number])
        by_head = task.scores.mean(axis=1)
        heads = by_head.shape[1]
        if heads < 2:
            raise DataError(f"{task.group}: one test head cannot be halved")
        found = np.zeros(3)
        for _ in range(HALVES):
            order = rng.permutation(heads)
            one, other = by_head[:, order[: heads // 2]].mean(1), by_head[:, order[heads // 2 :]].mean(1)
            chosen = int(one.argmax())
            found += [
                float(other[chosen] >= other.max()),
                float(other.max() - other[chosen]),
                float(other.max()),
            ]
        rows.append(found / HALVES)
    return _result("noise floor", outcomes, np.array(rows), seed)


def _result(name: str, outcomes: Sequence[Outcome], rows: Floats, seed: int) -> RuleResult:
    """Means of ``[tasks, (hit, lost, best)]`` with a bootstrap over relations."""
    groups = sorted({task.group for task in outcomes})
    place = np.array([groups.index(task.group) for task in outcomes])
    sums = np.stack([rows[place == g].sum(0) for g in range(len(groups))])
    counts = np.bincount(place, minlength=len(groups)).astype(float)
    picks = np.random.default_rng([seed, 37]).integers(len(groups), size=(RESAMPLES, len(groups)))
    drawn = sums[picks].sum(1) / counts[picks].sum(1)[:, None]
    whole = rows.mean(0)

    def span(value: float, values: Floats) -> Span:
        low, high = np.quantile(values, [0.025, 0.975])
        return Span(value=round(value, 4), low=round(float(low), 4), high=round(float(high), 4))

    share = lambda hit_lost_best: 100 * hit_lost_best[..., 1] / np.maximum(hit_lost_best[..., 2], 1e-9)  # noqa: E731
    return RuleResult(
        name=name,
        best=span(float(whole[0]), drawn[:, 0]),
        regret=span(float(whole[1]), drawn[:, 1]),
        share=span(float(share(whole)), share(drawn)),
        tasks=len(outcomes),
    )


def always(outcomes: Sequence[Outcome], family: str) -> Choices:
    """The rule that chooses the same family everywhere."""
    return {(t.group, t.model, s): family for t in outcomes for s in t.seeds}
