"""The weights of the decision: a ridge regression from evidence to how much better a family scores, with its doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.config import Strict
from mto.errors import DataError
from mto.match.decision.evidence import FEATURES, Floats, TaskEvidence, feature_matrix, relative_scores

RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
RESAMPLES = 64


@dataclass(frozen=True)
class Case:
    """One task whose families were all tuned and tested.

    Attributes:
        group: what is left out together when judging (the relation, over all checkpoints and seeds).
        evidence: what was known before.
        scores: test score of each family, in the order of the evidence.
    """

    group: str
    evidence: TaskEvidence
    scores: tuple[float, ...]


class Weights(Strict):
    """A fitted decision.

    Attributes:
        features: names, in the order of the numbers below.
        scale: what each feature is divided by.
        values: weight of each scaled feature, in shares of the mean score.
        drawn: the same fitted on resampled groups, one tuple a draw: how far the weights can be trusted.
        noise: standard deviation of what the features do not explain.
        ridge: the penalty that leaving groups out chose.
        made_from: in words.
    """

    version: int = 1
    features: tuple[str, ...]
    scale: tuple[float, ...]
    values: tuple[float, ...]
    drawn: tuple[tuple[float, ...], ...]
    noise: float
    ridge: float
    made_from: str = ""

    def predict(self, evidence: TaskEvidence) -> Floats:
        """Expected share above or below the families' mean score: float64 ``[families]``."""
        return self._scaled(evidence) @ np.asarray(self.values)

    def sample(self, evidence: TaskEvidence) -> Floats:
        """The same under every resampled weight: float64 ``[draws, families]``."""
        drawn: Floats = np.asarray(self.drawn) @ self._scaled(evidence).T
        return drawn

    def _scaled(self, evidence: TaskEvidence) -> Floats:
        if self.features != tuple(FEATURES):
            raise DataError("these weights belong to other features", hint="fit them again with this version")
        scaled: Floats = feature_matrix(evidence) / np.asarray(self.scale)
        return scaled


def fit_weights(cases: Sequence[Case], *, seed: int = 0, made_from: str = "") -> Weights:
    """Fit the decision on tasks that were tested.

    Ridge regression of the relative score (`relative_scores`) on the scaled features, every case weighing the same. The penalty is
    the one whose predictions are best for groups that were left out; groups, not cases, are resampled for the doubt, because the
    seeds and checkpoints of one relation say much the same.

    Raises:
        DataError: fewer than 3 groups, or families without scores.
    """
    groups = sorted({case.group for case in cases})
    if len(groups) < 3:
        raise DataError(
            f"{len(groups)} groups of tasks are too few to fit a decision on", hint="give 3 or more"
        )
    for case in cases:
        if len(case.scores) != len(case.evidence.families):
            raise DataError(
                f"{case.group}: {len(case.scores)} scores for {len(case.evidence.families)} families"
            )
    x = np.concatenate([feature_matrix(case.evidence) for case in cases])
    y = np.concatenate([relative_scores(case.scores) for case in cases])
    place = np.concatenate([[groups.index(c.group)] * len(c.scores) for c in cases])
    scale = np.where((spread := x.std(0)) > 1e-9, spread, 1.0)
    x = x / scale
    # Sums by group: leaving one out or drawing some twice is then an addition.
    xx = np.stack([x[place == g].T @ x[place == g] for g in range(len(groups))])
    xy = np.stack([x[place == g].T @ y[place == g] for g in range(len(groups))])
    ridge = min(RIDGES, key=lambda r: _left_out_error(x, y, place, xx, xy, r))
    whole = _solve(xx.sum(0), xy.sum(0), ridge)
    rng = np.random.default_rng([seed, 17])
    drawn = []
    for _ in range(RESAMPLES):
        pick = rng.integers(len(groups), size=len(groups))
        drawn.append(_solve(xx[pick].sum(0), xy[pick].sum(0), ridge))
    # Scores were centred within each case, which hides a part of their scatter: one degree of freedom a case.
    hidden = len(y) / max(1, len(y) - len(cases))
    noise = float(np.sqrt(_left_out_error(x, y, place, xx, xy, ridge) * hidden))
    return Weights(
        features=tuple(FEATURES),
        scale=tuple(scale.tolist()),
        values=tuple(whole.tolist()),
        drawn=tuple(tuple(w.tolist()) for w in drawn),
        noise=noise,
        ridge=ridge,
        made_from=made_from,
    )


def _solve(xx: Floats, xy: Floats, ridge: float) -> Floats:
    solved: Floats = np.linalg.solve(xx + ridge * np.eye(len(xx)), xy).astype(np.float64)
    return solved


def _left_out_error(x: Floats, y: Floats, place: np.ndarray, xx: Floats, xy: Floats, ridge: float) -> float:
    """Mean squared error on groups that the fit did not see."""
    total = 0.0
    for group in range(len(xx)):
        w = _solve(xx.sum(0) - xx[group], xy.sum(0) - xy[group], ridge)
        own = place == group
        total += float(((y[own] - x[own] @ w) ** 2).sum())
    return total / len(y)
