"""Logistic regression over blocks of features, with a penalty chosen by leaving relations out.

Own code, because the penalty must be chosen by relation and the weights of rows follow relations; the minimiser is
scipy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mto.match.classifier.features import Features, Floats

PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""The grid. The loss is a mean over rows, and every block has a mean square of 1 (see `fit_logistic`)."""
MOST_STEPS = 200
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Logistic:
    """Log-odds of mask-filling are ``bias + sum over blocks of features @ weights``.

    Attributes:
        weights: of each block, for the features as they are.
        penalty: the chosen one.
    """

    weights: dict[str, Floats]
    bias: float
    penalty: float

    def log_odds(self, features: Features) -> Floats:
        """``[n]``; positive says mask-filling."""
        total = np.full(len(features), self.bias)
        for name, weights in self.weights.items():
            total += features.blocks[name] @ weights
        return total


def fit_logistic(
    features: Features,
    mask_filling: Bools,
    relations: Sequence[str],
    *,
    blocks: Sequence[str],
    penalties: Sequence[float] = PENALTIES,
) -> Logistic:
    """Fit with each penalty on all relations but one, take the penalty with the lowest loss, fit on all.

    Each column is centred and scaled to a spread of 1, and then each block by the root of its width, so that seven
    plain numbers weigh as much as some hundred of an encoder. Both types weigh alike, the relations of a type too.

    Args:
        features: of n examples.
        mask_filling: their types.
        relations: what each example's relation means; those of one name are left out together.
        blocks: which blocks to read.
        penalties: half of it times the squared weights is added to the mean loss.
    """
    names = np.asarray(relations)
    penalty = penalties[0]
    if len(penalties) > 1:
        losses = np.zeros(len(penalties))
        for name in dict.fromkeys(relations):
            inside = names != name
            if len(set(mask_filling[inside])) == 2:
                losses += _losses(features, mask_filling, names, inside, blocks, penalties)
        penalty = penalties[int(np.argmin(losses))]
    scaling = _Scaling(features, np.ones(len(names), dtype=bool), blocks)
    found = _minimise(scaling(features), mask_filling, _row_weights(mask_filling, names), penalty, None)
    return scaling.undo(found, penalty)


def _losses(
    features: Features,
    mask_filling: Bools,
    names: NDArray[np.str_],
    inside: Bools,
    blocks: Sequence[str],
    penalties: Sequence[float],
) -> Floats:
    """Mean nats of the examples outside, for each penalty."""
    scaling = _Scaling(features, inside, blocks)
    seen, unseen = scaling(features.take(inside)), scaling(features.take(~inside))
    weights = _row_weights(mask_filling[inside], names[inside])
    sign = np.where(mask_filling[~inside], 1.0, -1.0)
    losses, start = np.zeros(len(penalties)), None
    # From the strongest down, each starting where the last one ended.
    for place in np.argsort(penalties)[::-1]:
        start = _minimise(seen, mask_filling[inside], weights, penalties[place], start)
        losses[place] = np.logaddexp(0.0, -sign * (unseen @ start[1:] + start[0])).mean()
    return losses


class _Scaling:
    """Brings blocks side by side to one scale, and weights back."""

    def __init__(self, features: Features, rows: Bools, blocks: Sequence[str]) -> None:
        self.blocks = tuple(blocks)
        chosen = {name: features.blocks[name][rows] for name in blocks}
        self.means = {name: block.mean(0) for name, block in chosen.items()}
        # A column that never changes says nothing: it is made 0, not blown up.
        spread = {name: block.std(0) for name, block in chosen.items()}
        self.scales = {
            name: np.where(s > 1e-6, 1.0 / np.maximum(s, 1e-6), 0.0) / np.sqrt(s.size)
            for name, s in spread.items()
        }

    def __call__(self, features: Features) -> Floats:
        columns = [(features.blocks[n] - self.means[n]) * self.scales[n] for n in self.blocks]
        return np.hstack(columns)

    def undo(self, found: Floats, penalty: float) -> Logistic:
        weights, bias, start = {}, float(found[0]), 1
        for name in self.blocks:
            end = start + self.means[name].size
            weights[name] = found[start:end] * self.scales[name]
            bias -= float(self.means[name] @ weights[name])
            start = end
        return Logistic(weights, bias, penalty)


def _row_weights(mask_filling: Bools, names: NDArray[np.str_]) -> Floats:
    """Sums to 1: half for each type, within it the same for each relation, within it the same for each row."""
    weights = np.zeros(len(names))
    for wanted in (True, False):
        inside = sorted(set(names[mask_filling == wanted]))
        for name in inside:
            rows = (names == name) & (mask_filling == wanted)
            weights[rows] = 0.5 / len(inside) / rows.sum()
    return weights


def _minimise(
    columns: Floats, mask_filling: Bools, row_weights: Floats, penalty: float, start: Floats | None
) -> Floats:
    """Bias first, then a weight a column."""
    sign = np.where(mask_filling, 1.0, -1.0)

    def loss(point: Floats) -> tuple[float, Floats]:
        margin = sign * (columns @ point[1:] + point[0])
        slope = -sign * row_weights * np.exp(-np.logaddexp(0.0, margin))
        value = float(row_weights @ np.logaddexp(0.0, -margin) + penalty / 2 * point[1:] @ point[1:])
        return value, np.concatenate([[slope.sum()], columns.T @ slope + penalty * point[1:]])

    start = np.zeros(columns.shape[1] + 1) if start is None else start
    options = {"maxiter": MOST_STEPS}
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x)
