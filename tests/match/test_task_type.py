"""The task type from the leans of the signals."""

from __future__ import annotations

import numpy as np
import pytest

from mto.errors import DataError
from mto.match.decision.task_type import (
    LEANS,
    TypeCases,
    TypedCase,
    TypeWeights,
    decide_type,
    fit_type_weights,
)
from mto.tasks import TaskType


def cases(trust: dict[str, float], groups: int = 20, seed: int = 0) -> list[TypedCase]:
    """Relations of both types; a signal leans the right way by so much, with noise."""
    rng = np.random.default_rng(seed)
    found = []
    for group in range(groups):
        side = 1 if group % 2 else -1
        leans = {n: float(np.clip(side * t + rng.normal(0, 0.3), -1, 1)) for n, t in trust.items()}
        kind: TaskType = "mask-filling" if side > 0 else "map-phrasal"
        found.append(TypedCase(group=str(group), leans=leans, type=kind))
    return found


def test_a_signal_that_tells_gets_weight_and_one_that_does_not_gets_none() -> None:
    weights = fit_type_weights(cases({"guidelines": 0.6, "classifier": 0.0, "depthrank": -0.4}))
    value = dict(zip(LEANS, weights.values, strict=True))
    assert value["guidelines"] > 1
    assert value["classifier"] < 0.3 * value["guidelines"]
    assert value["depthrank"] == 0.0  # it leans the wrong way: ignored, not turned round
    assert value["probe"] == 0.0  # never asked for
    right = [decide_type(c.leans, weights).type == c.type for c in cases({"guidelines": 0.6}, seed=5)]
    assert np.mean(right) >= 0.9


def test_half_and_half_is_too_close_to_call() -> None:
    weights = TypeWeights(values=(2.0, 0.0, 0.0, 2.0, 0.0), intercept=0.0)
    torn = decide_type({"guidelines": 0.5, "classifier": -0.5}, weights)
    assert torn.too_close and torn.probability == 0.5
    sure = decide_type({"guidelines": -1.0, "classifier": -0.8, "probe": None}, weights)
    assert (sure.type, sure.too_close) == ("map-phrasal", False) and sure.probability > 0.95
    assert sure.leans == {"guidelines": -1.0, "classifier": -0.8}


def test_groups_weigh_the_same_however_many_cases_they_have() -> None:
    few = cases({"guidelines": 0.5})
    many = [*few, *[few[0]] * 30]
    one, other = fit_type_weights(few), fit_type_weights(many)
    assert np.allclose(one.values, other.values, atol=1e-3)


def test_weights_are_fitted_for_the_signals_that_were_asked_and_without_a_group() -> None:
    told = cases({"guidelines": 0.6, "classifier": 0.5})
    some = [c.model_copy(update={"leans": {"guidelines": c.leans["guidelines"]}}) for c in told[:6]]
    learnt = TypeCases(cases=(*told, *some), made_from="made up")
    both = learnt.weights(known=["guidelines", "classifier"])
    assert np.allclose(
        both.values, fit_type_weights(told).values
    )  # the six without a classifier say nothing of it
    one = learnt.weights(known=["guidelines"])
    assert one.values[LEANS.index("classifier")] == 0.0
    assert one.values[LEANS.index("guidelines")] > both.values[LEANS.index("guidelines")]
    without = learnt.weights(known=["guidelines"], without="3")
    assert "without 3" in without.made_from
    left = TypeCases(cases=tuple(c for c in learnt.cases if c.group != "3"))
    assert np.allclose(without.values, left.weights(known=["guidelines"]).values)


def test_mistakes() -> None:
    with pytest.raises(DataError, match="both task types"):
        fit_type_weights([TypedCase(group="a", leans={}, type="mask-filling")])
    with pytest.raises(DataError, match="no signal is named 'guess'"):
        decide_type({"guess": 1.0}, TypeWeights(values=(0.0,) * len(LEANS), intercept=0.0))
