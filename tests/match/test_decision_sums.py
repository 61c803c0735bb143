"""The sums that the decision is fitted from: the same weights as from the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mto.errors import DataError, MtoError
from mto.match.decision import FEATURES, Case, Sums, collect_sums, feature_matrix, fit_weights
from mto.match.decision.evidence import known_features, relative_scores
from mto.match.decision.shipped import ShippedWeights, weights_for
from mto.match.decision.task_type import LEANS, TypeCases, TypedCase, TypeWeights
from tests.match.test_decision import evidence, made_up


def weighted_rows(cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Features and relative scores, each row by its case's mean score, the squares of the weights 1 on average."""
    mean = np.repeat([np.mean(c.scores) for c in cases], [len(c.scores) for c in cases])
    x = np.concatenate([feature_matrix(c.evidence) for c in cases])
    y = np.concatenate([relative_scores(c.scores) for c in cases])
    share = mean / np.sqrt(np.mean(mean**2))
    return x * share[:, None], y * share


def test_weights_are_those_of_ridge_regression_on_the_rows_with_errors_in_points() -> None:
    cases = made_up(0.1)
    found = fit_weights(cases)
    x, y = weighted_rows(cases)
    scale = np.where((spread := np.sqrt(np.mean(x**2, 0))) > 1e-9, spread, 1.0)
    assert np.allclose(found.scale, scale)
    # Ridge regression as least squares with rows of its own for the penalty.
    stacked = np.vstack([x / scale, np.sqrt(found.ridge) * np.eye(len(FEATURES))])
    wanted = np.linalg.lstsq(stacked, np.concatenate([y, np.zeros(len(FEATURES))]), rcond=None)[0]
    assert np.allclose(found.values, wanted)


def test_a_task_counts_by_its_score() -> None:
    """What holds where scores are high wins over what holds, at the same shares, where they are low."""
    high = [Case(str(n), evidence([1.0, 2.0, 2.0, 2.0]), (40.0, 20.0, 20.0, 20.0)) for n in range(6)]
    low = [Case(str(n), evidence([1.0, 2.0, 2.0, 2.0]), (2.0, 4.0, 4.0, 4.0)) for n in range(6, 12)]
    bits = list(FEATURES).index("bits")
    assert fit_weights([*high, *low]).values[bits] > 0
    turned = [replace(c, scores=tuple(10 * s for s in c.scores)) for c in low]
    assert (
        fit_weights([*[replace(c, scores=tuple(s / 10 for s in c.scores)) for c in high], *turned]).values[
            bits
        ]
        < 0
    )


def test_noise_is_the_error_on_groups_that_were_left_out() -> None:
    cases = made_up(0.1)
    found = fit_weights(cases)
    x, y = weighted_rows(cases)
    x = x / np.array(found.scale)
    group = np.repeat([c.group for c in cases], [len(c.scores) for c in cases])
    errors = []
    for name in sorted(set(group.tolist())):
        seen = group != name
        w = np.linalg.solve(x[seen].T @ x[seen] + found.ridge * np.eye(len(FEATURES)), x[seen].T @ y[seen])
        errors += (y[~seen] - x[~seen] @ w).tolist()
    assert found.noise == pytest.approx(np.sqrt(np.mean(np.square(errors)) * 4 / 3))  # 3 of 4 rows are free


def test_leaving_a_group_out_is_not_having_it() -> None:
    cases = made_up(0.1)
    without = collect_sums(cases).weights(without="3")
    other = fit_weights([c for c in cases if c.group != "3"])
    assert np.allclose(without.values, other.values) and np.allclose(without.drawn, other.drawn)
    assert without.noise == pytest.approx(other.noise) and "without 3" in without.made_from


def test_a_feature_that_is_not_known_is_as_if_it_had_never_been_there() -> None:
    cases = made_up(0.1)
    blind = [replace(c, evidence=evidence([None] * 4, c.evidence.guidelines)) for c in cases]
    known = known_features(blind[0].evidence)
    assert known == {"guidelines", "masked", "natural", "both"}
    one, other = collect_sums(cases).weights(known=known), fit_weights(blind)
    assert np.allclose(one.values, other.values) and one.noise == pytest.approx(other.noise)
    assert one.values[list(FEATURES).index("bits")] == 0.0


def test_to_json_and_back_and_too_few_groups() -> None:
    sums = collect_sums(made_up(0.1), "twelve groups")
    again = Sums.model_validate_json(sums.model_dump_json())
    assert again == sums and again.weights() == sums.weights()
    with pytest.raises(DataError, match="2 groups"):
        collect_sums(made_up(0.1, groups=3)).weights(without="1")
    with pytest.raises(DataError, match="other features"):
        sums.model_copy(update={"features": ("bits",)}).weights()
    with pytest.raises(DataError, match="3 scores for 4"):
        collect_sums([Case("a", evidence([1.0] * 4), (1.0, 2.0, 3.0))])


def test_weights_of_ones_own(tmp_path: Path) -> None:
    seen = evidence([2.0, 1.0, 2.0, 2.0])
    by_hand = TypeWeights(values=(1.0, 0.0, 0.0, 0.0, 0.0), intercept=0.0)
    own = ShippedWeights(family=collect_sums(made_up(0.1)), type=by_hand)
    (tmp_path / "weights.json").write_text(own.model_dump_json())
    found = weights_for("a/3", seen, file=tmp_path / "weights.json")
    assert found.family == collect_sums(made_up(0.1)).weights(known=known_features(seen), without="3")
    assert found.type == by_hand
    told = tuple(
        TypedCase(
            group=str(n),
            type="mask-filling" if n % 2 else "map-phrasal",
            leans={"guidelines": 0.5 if n % 2 else -0.5},
        )
        for n in range(6)
    )
    learnt = ShippedWeights(family=own.family, type=TypeCases(cases=told))
    (tmp_path / "weights.json").write_text(learnt.model_dump_json())
    found = weights_for("a/3", seen, {"guidelines": 0.1, "probe": None}, tmp_path / "weights.json")
    assert found.type == TypeCases(cases=told).weights(known=["guidelines"], without="3")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(MtoError, match=r"bad\.json"):
        weights_for("a/3", seen, file=tmp_path / "bad.json")
    with pytest.raises(MtoError, match=r"missing\.json"):
        weights_for("a/3", seen, file=tmp_path / "missing.json")


def test_the_package_has_weights_for_any_task() -> None:
    seen = evidence([2.0, 1.0, 2.0, 2.0])
    for task in ("atomic2020/xWant", "rows.csv"):
        found = weights_for(task, seen)
        assert len(found.family.values) == len(FEATURES) and len(found.type.values) == len(LEANS)
