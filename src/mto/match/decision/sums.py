"""All that the decision learns from tested tasks, as sums over each relation: small enough to ship, and enough to fit any weights.

A ridge regression needs its data only as sums of products. Kept relation by relation, they give the weights without any one of
them, the weights for any choice of known features, and resampled weights, all in a millisecond.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mto.config import Strict
from mto.errors import DataError
from mto.match.decision.evidence import FEATURES, Floats, TaskEvidence, feature_matrix, relative_scores
from mto.match.decision.weights import Weights

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


class GroupSums(Strict):
    """One group's part; a row is one family of one case, y its relative score and x its features.

    A row counts by the square of the case's mean score, so that a squared error is one in points, as regret counts it: of two tasks
    with means 5 and 30, a tenth more is half a point on one and three points on the other.

    Attributes:
        group: its name.
        rows, cases: how many.
        weight: sum over the rows of the squared mean score.
        xx, xy, yy: sums over the rows of ``x[i] x[j]``, ``x[i] y`` and ``y y``, each by that weight.
    """

    group: str
    rows: int
    cases: int
    weight: float
    xx: tuple[tuple[float, ...], ...]
    xy: tuple[float, ...]
    yy: float


class Sums(Strict):
    """What was learnt from tested tasks.

    Attributes:
        features: names, in the order of the sums.
        groups: one entry a relation.
        made_from: in words.
    """

    features: tuple[str, ...]
    groups: tuple[GroupSums, ...]
    made_from: str = ""

    def weights(
        self, *, known: Collection[str] | None = None, without: str | None = None, seed: int = 0
    ) -> Weights:
        """Fit the decision.

        Ridge regression of the relative score on the features, each divided by its spread, with squared errors in points. The penalty is the one whose
        predictions are best for groups that were left out; groups, not cases, are resampled for the doubt, because the seeds and
        checkpoints of one relation say much the same.

        Args:
            known: features that may be weighed; the others get a weight of 0, and what they tell in the data goes to those that
                go along with them. None: all.
            without: a group to leave out, so that it can be judged.
            seed: of resampling.

        Raises:
            DataError: fewer than 3 groups; or other features than this version's.
        """
        if self.features != tuple(FEATURES):
            raise DataError("these sums belong to other features", hint="make them again with this version")
        groups = [g for g in self.groups if g.group != without]
        if len(groups) < 3:
            raise DataError(
                f"{len(groups)} groups of tasks are too few to fit a decision on", hint="give 3 or more"
            )
        keep = [n for n, name in enumerate(FEATURES) if known is None or name in known]
        rows, cases = sum(g.rows for g in groups), sum(g.cases for g in groups)
        # Weights are brought to a mean of 1 a row, so that penalties mean the same whatever the scores.
        one = rows / max(sum(g.weight for g in groups), 1e-12)
        xx = one * np.array([g.xx for g in groups])[:, keep][:, :, keep]
        xy = one * np.array([g.xy for g in groups])[:, keep]
        yy = one * sum(g.yy for g in groups)
        # Features are centred within each case, so their mean over all rows is 0.
        spread = np.sqrt(np.einsum("gii->i", xx) / rows)
        scale = np.where(spread > 1e-9, spread, 1.0)
        xx, xy = xx / scale[:, None] / scale, xy / scale
        ridge = min(RIDGES, key=lambda r: _left_out(xx, xy, yy, r))
        rng = np.random.default_rng([seed, 17])
        picks = [rng.integers(len(groups), size=len(groups)) for _ in range(RESAMPLES)]
        # Scores were centred within each case, which hides a part of their scatter: one degree of freedom a case.
        hidden = rows / max(1, rows - cases)
        return Weights(
            features=self.features,
            scale=_spread_out(scale, keep, 1.0),
            values=_spread_out(_solve(xx.sum(0), xy.sum(0), ridge), keep),
            drawn=tuple(_spread_out(_solve(xx[pick].sum(0), xy[pick].sum(0), ridge), keep) for pick in picks),
            noise=float(np.sqrt(_left_out(xx, xy, yy, ridge) / rows * hidden)),
            ridge=ridge,
            made_from=self.made_from + (f", without {without}" if len(groups) < len(self.groups) else ""),
        )


def collect_sums(cases: Sequence[Case], made_from: str = "") -> Sums:
    """Sums over tested tasks, group by group. Raises `DataError` for a case without a score for every family."""
    parts: dict[str, list[tuple[Floats, Floats, Floats]]] = {}
    for case in cases:
        if len(case.scores) != len(case.evidence.families):
            raise DataError(
                f"{case.group}: {len(case.scores)} scores for {len(case.evidence.families)} families"
            )
        x, y = feature_matrix(case.evidence), relative_scores(case.scores)
        mean = np.full(len(y), float(np.mean(case.scores)))
        parts.setdefault(case.group, []).append((x * mean[:, None], y * mean, mean))
    groups = []
    for group in sorted(parts):
        x, y, mean = (np.concatenate(column) for column in zip(*parts[group], strict=True))
        groups.append(
            GroupSums(
                group=group, rows=len(y), cases=len(parts[group]), weight=float(mean @ mean),
                xx=tuple(map(tuple, (x.T @ x).tolist())), xy=tuple((x.T @ y).tolist()), yy=float(y @ y),
            )
        )  # fmt: skip
    return Sums(features=tuple(FEATURES), groups=tuple(groups), made_from=made_from)


def fit_weights(cases: Sequence[Case], *, seed: int = 0, made_from: str = "") -> Weights:
    """Fit the decision on tasks that were tested, with all features; see `Sums.weights`.

    Raises:
        DataError: fewer than 3 groups, or families without scores.
    """
    return collect_sums(cases, made_from).weights(seed=seed)


def _spread_out(values: Floats, keep: Sequence[int], other: float = 0.0) -> tuple[float, ...]:
    whole = np.full(len(FEATURES), other)
    whole[list(keep)] = values
    return tuple(whole.tolist())


def _solve(xx: Floats, xy: Floats, ridge: float) -> Floats:
    solved: Floats = np.linalg.solve(xx + ridge * np.eye(len(xx)), xy).astype(np.float64)
    return solved


def _left_out(xx: Floats, xy: Floats, yy: float, ridge: float) -> float:
    """Sum of squared errors on groups that the fit did not see."""
    total = yy
    for group in range(len(xx)):
        w = _solve(xx.sum(0) - xx[group], xy.sum(0) - xy[group], ridge)
        total += float(w @ xx[group] @ w - 2 * w @ xy[group])
    return max(total, 0.0)
