"""Mask-filling or map-phrasal: the leans of all signals weighed into one probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from scipy.optimize import minimize

from mto.config import Strict
from mto.errors import DataError
from mto.tasks import TaskType

LEANS = ("guidelines", "depthrank", "tuned_depthrank", "classifier", "probe")
"""Signals that lean; `tuned_depthrank` is DepthRank after tuning on a few rows. One that was not asked for counts as 0."""
RIDGE = 1.0
UNSURE = (0.25, 0.75)
"""Between these probabilities of mask-filling the type is too close to call."""


class TypeWeights(Strict):
    """A fitted logistic regression from leans to the task type.

    Attributes:
        values: weight of each of `LEANS`, all 0 or more: a signal may be ignored, never turned round.
        intercept: log-odds of mask-filling where nothing leans.
        made_from: in words.
    """

    version: int = 1
    values: tuple[float, ...]
    intercept: float
    made_from: str = ""

    def probability(self, leans: Mapping[str, float | None]) -> float:
        """Probability of mask-filling.

        >>> TypeWeights(values=(2.0, 0.0, 0.0, 0.0, 0.0), intercept=0.0).probability({"guidelines": 0.5})
        0.7310585786300049
        """
        return float(_sigmoid(self.intercept + np.dot(self.values, _row(leans))))


class TypeDecision(Strict):
    """The task type and how sure that is.

    Attributes:
        type: the likelier one.
        probability: of `type`.
        too_close: whether it is too close to call.
        leans: what each signal said, -1 to 1.
    """

    type: TaskType
    probability: float
    too_close: bool
    leans: dict[str, float]


class TypedCase(Strict):
    """One task of known type.

    Attributes:
        group: what is left out together when judging (the relation).
        type: as the paper gives it.
        leans: of the signals that were asked.
    """

    group: str
    type: TaskType
    leans: dict[str, float]


class TypeCases(Strict):
    """What was learnt about task types, as the cases themselves, so that weights fit the signals that are known at hand.

    Attributes:
        cases: tasks of known type.
        made_from: in words.
    """

    cases: tuple[TypedCase, ...]
    made_from: str = ""

    def weights(self, *, known: Collection[str], without: str | None = None) -> TypeWeights:
        """Fit on the cases in which all known signals were asked; the other signals have no say.

        Args:
            known: names of `LEANS`.
            without: a group to leave out, so that it can be judged.

        Raises:
            DataError: too few cases are left.
        """
        cases = [
            TypedCase(group=c.group, type=c.type, leans={name: c.leans[name] for name in known})
            for c in self.cases
            if c.group != without and set(known) <= set(c.leans)
        ]
        left = any(c.group == without for c in self.cases)
        return fit_type_weights(cases, made_from=self.made_from + (f", without {without}" if left else ""))


def fit_type_weights(cases: Sequence[TypedCase], *, made_from: str = "") -> TypeWeights:
    """Fit by penalised likelihood (ridge 1), every group weighing the same.

    Raises:
        DataError: not both types are there.
    """
    if len({case.type for case in cases}) < 2:
        raise DataError("both task types are needed to learn to tell them apart")
    x = np.array([_row(case.leans) for case in cases])
    y = np.array([1.0 if case.type == "mask-filling" else -1.0 for case in cases])
    groups = Counter(case.group for case in cases)
    weight = np.array([1 / groups[case.group] for case in cases])

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        margin = y * (theta[0] + x @ theta[1:])
        pull = -y * weight * _sigmoid(-margin)
        value = float(weight @ np.logaddexp(0, -margin) + RIDGE / 2 * theta[1:] @ theta[1:])
        return value, np.concatenate([[pull.sum()], x.T @ pull + RIDGE * theta[1:]])

    bounds = [(None, None), *[(0.0, None)] * len(LEANS)]
    found = minimize(loss, np.zeros(1 + len(LEANS)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return TypeWeights(
        values=tuple(float(v) for v in found[1:]), intercept=float(found[0]), made_from=made_from
    )


def decide_type(leans: Mapping[str, float | None], weights: TypeWeights) -> TypeDecision:
    """The likelier task type; a probability within `UNSURE` is too close to call."""
    masks = weights.probability(leans)
    return TypeDecision(
        type="mask-filling" if masks >= 0.5 else "map-phrasal",
        probability=max(masks, 1 - masks),
        too_close=UNSURE[0] < masks < UNSURE[1],
        leans={name: float(value) for name in LEANS if (value := leans.get(name)) is not None},
    )


def _row(leans: Mapping[str, float | None]) -> np.ndarray:
    unknown = sorted(set(leans) - set(LEANS))
    if unknown:
        raise DataError(f"no signal is named '{unknown[0]}'", hint="signals: " + ", ".join(LEANS))
    return np.array([leans.get(name) or 0.0 for name in LEANS])


def _sigmoid(x: np.ndarray | float) -> np.ndarray:
    return 0.5 * (1 + np.tanh(np.asarray(x) / 2))
