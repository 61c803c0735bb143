"""Fitting the table of thresholds: a cut half-way between the types, weights by a ridge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError
from mto.match.guidelines.features import measure
from mto.match.guidelines.rules import RULES, side
from mto.match.guidelines.tagger import Tagger, get_tagger
from mto.match.guidelines.thresholds import Cut, Thresholds
from mto.tasks import Row, TaskType, draw_split, list_tasks, load_task

PART = 30
"""Rows in one part of a relation: as many as a few-shot task usually has (docs/method.md 8)."""
STRENGTH = 0.1
"""Weight of the ridge: the relations are few and the types part cleanly, so without it the weights have no bound."""
LEAST_SCALE = {"length": 0.5, "spread": 0.25}
SHARE_SCALE = 0.05
"""Smaller differences than these mean nothing in 30 rows: half a word, a quarter of a word, one row in twenty."""
FITTED = tuple(rule for rule in RULES if rule.name != "question")

Array = NDArray[np.float64]


def fit_thresholds(
    labelled: Sequence[tuple[Sequence[Row], TaskType]],
    *,
    tagger: str | Tagger = "small",
    strength: float = STRENGTH,
) -> Thresholds:
    """Fit cut, scale and weight of every rule on relations of known type.

    Each relation is cut into parts of up to 30 rows, which are measured apart; its parts count as one relation
    together, and both types count alike. Then, with ``m1`` and ``m0`` the medians of the two types (over relations):

    * cut = ``(m1 + m0) / 2``;
    * scale = the larger of ``|m1 - m0| / 2`` and the standard deviation of parts within a type, with a least value;
    * bias and weights: logistic regression of the type on the leans of the rules, weights not below 0 (a rule keeps
      the direction that the method gives it), with ``strength / 2 * sum of squared weights`` added to the mean loss.

    The rule on questions is not fitted: household holds no question. Its cut is 0 (as many rows of one kind as of the other),
    its weight the mean of the others; an answer is short up to the cut of the rule on lengths.

    Args:
        labelled: the rows of each relation and its type.
        tagger: as for `guidelines`; the default needs no extra, so the table is the same on every machine.
        strength: of the ridge.

    Raises:
        DataError: one of the types has no relation, or a relation has no rows.
    """
    types = [kind for _, kind in labelled]
    for kind in ("mask-filling", "map-phrasal"):
        if kind not in types:
            raise DataError(
                f"thresholds need relations of both types; none of {len(types)} is {kind}",
                hint="add the rows of a relation of this type",
            )
    chosen = get_tagger(tagger)
    values, owner = _values([rows for rows, _ in labelled], chosen)
    fills = np.array([kind == "mask-filling" for kind in types])
    centres = np.array([values[owner == number].mean(axis=0) for number in range(len(types))])
    weight = _importance(fills, owner)
    cuts = _cuts(values, centres, fills, owner, weight)
    leans = np.array(
        [[rule.sign * side(v, c) for rule, v, c in zip(FITTED, row, cuts, strict=True)] for row in values]
    )
    bias, weights = _ridge(leans, np.where(fills[owner], 1.0, -1.0), weight, strength)
    rules = {
        rule.name: Cut(cut=round(c.cut, 3), scale=round(c.scale, 3), weight=round(float(w), 3))
        for rule, c, w in zip(FITTED, cuts, weights, strict=True)
    }
    rules["question"] = Cut(cut=0.0, scale=0.5, weight=round(float(weights.mean()), 3))
    short = max(1, int(rules["length"].cut))
    return Thresholds(
        rules=rules, bias=round(bias, 3), short_answer=short, fitted_on=len(types), tagger=chosen.name
    )


def household_thresholds() -> Thresholds:
    """Make the shipped table anew, from the train rows of the embedded data set ``household`` (9 relations)."""
    labelled: list[tuple[Sequence[Row], TaskType]] = []
    for entry in list_tasks():
        if entry.name.startswith("household/") and entry.type is not None:
            labelled.append((draw_split(load_task(entry.name), shots=None, seed=0).train, entry.type))
    return fit_thresholds(labelled)


def _values(relations: Sequence[Sequence[Row]], tagger: Tagger) -> tuple[Array, NDArray[np.int64]]:
    """The figures of every part (parts x rules), and which relation each part belongs to."""
    values, owner = [], []
    for number, rows in enumerate(relations):
        count = max(1, -(-len(rows) // PART))
        for first in range(count):
            measured = measure(rows[first::count], tagger)
            values.append([measured.values[rule.feature] for rule in FITTED])
            owner.append(number)
    return np.array(values, dtype=np.float64), np.array(owner)


def _importance(fills: NDArray[np.bool_], owner: NDArray[np.int64]) -> Array:
    """One weight a part; they sum to 1/2 over each type, evenly over its relations and their parts."""
    parts = np.bincount(owner)
    relations = np.where(fills, fills.sum(), (~fills).sum())
    weight: Array = 0.5 / relations[owner] / parts[owner]
    return weight


def _cuts(
    values: Array, centres: Array, fills: NDArray[np.bool_], owner: NDArray[np.int64], weight: Array
) -> list[Cut]:
    high, low = np.median(centres[fills], axis=0), np.median(centres[~fills], axis=0)
    within = np.zeros(values.shape[1])
    for kind in (True, False):
        mine = fills[owner] == kind
        middle = np.average(values[mine], axis=0, weights=weight[mine])
        within += np.average((values[mine] - middle) ** 2, axis=0, weights=weight[mine]) / 2
    least = np.array([LEAST_SCALE.get(rule.name, SHARE_SCALE) for rule in FITTED])
    scale = np.maximum.reduce([np.abs(high - low) / 2, np.sqrt(within), least])
    return [
        Cut(cut=float(c), scale=float(s), weight=0.0) for c, s in zip((high + low) / 2, scale, strict=True)
    ]


def _ridge(leans: Array, wanted: Array, weight: Array, strength: float) -> tuple[float, Array]:
    """Bias and weights (not below 0) that minimise the weighted logistic loss and the ridge. `wanted` is +1 or -1."""
    from scipy.optimize import minimize  # late: judging rows does not need it

    def loss(parameters: Array) -> tuple[float, Array]:
        bias, weights = parameters[0], parameters[1:]
        margin = wanted * (bias + leans @ weights)
        slope = -weight * wanted / (1.0 + np.exp(margin))
        value = float(weight @ np.logaddexp(0.0, -margin) + strength / 2 * weights @ weights)
        return value, np.concatenate(([slope.sum()], leans.T @ slope + strength * weights))

    bounds = [(None, None), *[(0.0, None)] * leans.shape[1]]
    start = np.zeros(1 + leans.shape[1])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-9}
    )
    return float(found.x[0]), found.x[1:]
