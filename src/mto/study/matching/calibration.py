"""Whether the decision is as sure as it should be: what it said of its confidence, beside what came of it.

In: results and the decisions made without the relation that they judge. Out: rows of a table, one a range of confidence and one for
"too close to call" and its opposite. Nothing here chooses anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mto.match.decision.decide import WORTH, Decision
from mto.study.matching.results import MatchingResults, relation

RANGES = ((0.0, 0.4), (0.4, 0.55), (0.55, 0.7), (0.7, 0.85), (0.85, 1.01))
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Reliability:
    """Choices of one kind.

    Attributes:
        title: which choices.
        choices: how many.
        said: their mean confidence, 0 to 1.
        held: share that were the best family, or within 1 % of the mean score of it: what confidence speaks of.
        regret: mean points lost against the best family.
    """

    title: str
    choices: int
    said: float
    held: float
    regret: float


def reliability(results: MatchingResults, made: dict[Key, Decision]) -> tuple[Reliability, ...]:
    """One row a range of confidence that any choice fell in, then those that were too close to call and those that were clear.

    Args:
        results: tell how every family did, as the mean over seeds and heads.
        made: the decision for each relation, checkpoint and seed.
    """
    means = {(o.group, o.model): dict(zip(o.families, o.means(), strict=True)) for o in results.outcomes()}
    outcome = []
    for signals in results.signals:
        decision = made[relation(signals.task), signals.model, signals.seed]
        scores = means[relation(signals.task), signals.model]
        lost = max(scores.values()) - scores[decision.family]
        held = lost <= WORTH * float(np.mean(list(scores.values())))
        outcome.append((decision, held, lost))

    def row(title: str, which: Callable[[Decision], bool]) -> Reliability | None:
        chosen = [(d.confidence, held, lost) for d, held, lost in outcome if which(d)]
        if not chosen:
            return None
        said, held, lost = np.array(chosen, dtype=np.float64).mean(0).tolist()
        return Reliability(title, len(chosen), said, held, lost)

    def within(low: float, high: float) -> Callable[[Decision], bool]:
        return lambda decision: low <= decision.confidence < high

    rows: Sequence[Reliability | None] = [
        *(row(f"{100 * low:.0f} to {100 * min(high, 1):.0f} %", within(low, high)) for low, high in RANGES),
        row("too close to call", lambda decision: decision.too_close),
        row("clear", lambda decision: not decision.too_close),
    ]
    return tuple(found for found in rows if found is not None)
