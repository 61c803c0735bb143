"""The decision: evidence in, a family with its confidence out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.match.decision import (
    FEATURES,
    Case,
    FamilyEvidence,
    TaskEvidence,
    Weights,
    decide,
    feature_matrix,
    fit_weights,
)
from mto.match.decision.evidence import relative_scores

NAMES = ("mapping", "masked-mapping", "prompting", "masked-prompting")


def evidence(bits: list[float | None], lean: float | None = None, cost: float = 10.0) -> TaskEvidence:
    families = tuple(
        FamilyEvidence(
            family=name, objective=None, masked="masked" in name, natural="prompting" in name, cost=cost + n, bits=b
        )
        for n, (name, b) in enumerate(zip(NAMES, bits, strict=False))
    )  # fmt: skip
    return TaskEvidence(families=families, guidelines=lean)


def made_up(noise: float, groups: int = 12, seed: int = 0) -> list[Case]:
    """Tasks on which a bit a byte less is worth a fifth of the score, and a mask 10 % where the lean says so."""
    rng = np.random.default_rng(seed)
    cases = []
    for group in range(groups):
        lean = float(rng.uniform(-1, 1))
        for _ in range(3):
            bits = rng.uniform(1, 3, 4)
            sides = np.array([-1, 1, -1, 1])
            score = 20 * (1 - 0.2 * (bits - bits.mean()) + 0.1 * lean * sides + noise * rng.normal(size=4))
            cases.append(Case(str(group), evidence(bits.tolist(), lean), tuple(score.tolist())))
    return cases


def test_features_are_differences_between_families() -> None:
    found = feature_matrix(evidence([2.0, 1.0], lean=0.5))
    assert found.shape == (2, len(FEATURES))
    column = dict(zip(FEATURES, found.T, strict=True))
    assert column["bits"].tolist() == [-0.5, 0.5]
    assert column["guidelines"].tolist() == [-0.5, 0.5]
    assert column["masked"].tolist() == [-0.5, 0.5]
    assert column["natural"].tolist() == [0.0, 0.0]


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=4), st.floats(-5, 5))
def test_a_harder_task_alone_changes_nothing(bits: list[float], more: float) -> None:
    one, other = (feature_matrix(evidence([b + m for b in bits])) for m in (0.0, more))
    assert np.allclose(one, other)
    assert np.allclose(one.sum(0), 0)


def test_what_is_not_known_of_every_family_says_nothing() -> None:
    column = dict(zip(FEATURES, feature_matrix(evidence([2.0, None, 1.0])).T, strict=True))
    assert column["bits"].tolist() == [0.0, 0.0, 0.0]
    assert column["classifier"].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(DataError, match="no template family"):
        feature_matrix(TaskEvidence(families=()))


def test_scores_as_shares_of_their_mean() -> None:
    assert relative_scores([10.0, 30.0]).tolist() == [-0.5, 0.5]
    assert relative_scores([0.0, 0.0]).tolist() == [0.0, 0.0]


def test_the_weights_find_what_made_the_scores() -> None:
    weights = fit_weights(made_up(noise=0.01))
    per_bit = weights.values[0] / weights.scale[0]
    assert per_bit == pytest.approx(0.2, abs=0.02)
    lean = list(FEATURES).index("guidelines")
    assert weights.values[lean] / weights.scale[lean] == pytest.approx(0.1, abs=0.02)
    assert weights.noise == pytest.approx(0.01, abs=0.008)
    assert Weights.model_validate_json(weights.model_dump_json()) == weights


def test_noise_makes_weights_small_and_doubt_large() -> None:
    rng = np.random.default_rng(3)
    blind = [
        Case(c.group, c.evidence, tuple(rng.uniform(5, 25, 4).tolist())) for c in made_up(0.0)
    ]  # the evidence says nothing of the scores
    sure, unsure = fit_weights(made_up(0.01)), fit_weights(blind)
    assert np.abs(unsure.values).max() < np.abs(sure.values).max()
    assert unsure.noise > 10 * sure.noise
    decision = decide(evidence([2.0, 1.0, 2.0, 2.0]), unsure)
    assert decision.too_close and decision.family == "mapping"  # the cheapest
    assert "too close to call" in decision.says


def test_a_clear_case_is_called() -> None:
    weights = fit_weights(made_up(0.01))
    decision = decide(evidence([2.0, 2.5, 2.2, 1.0], lean=0.8), weights)
    assert decision.family == "masked-prompting" and not decision.too_close
    assert decision.confidence > 0.95
    assert decision.forecasts[0].family == "masked-prompting"
    assert sum(f.best for f in decision.forecasts) == pytest.approx(1.0)
    for forecast in decision.forecasts:
        assert forecast.expected.low <= forecast.expected.value <= forecast.expected.high
    assert decide(evidence([2.0, 2.5, 2.2, 1.0], lean=0.8), weights) == decision


def test_confidence_means_what_it_says() -> None:
    """Of the tasks that were called with a confidence, about that share was called rightly."""
    noise = 0.12
    weights = fit_weights(made_up(noise, groups=40))
    right, said = [], []
    for case in made_up(noise, groups=150, seed=9):
        decision = decide(case.evidence, weights)
        scores = relative_scores(case.scores)
        best = NAMES.index(decision.family)
        right.append(scores[best] >= scores.max() - 0.01)
        said.append(decision.confidence)
    assert np.mean(right) == pytest.approx(np.mean(said), abs=0.06)
    sure = np.array(said) > np.median(said)
    assert np.mean(np.array(right)[sure]) > np.mean(np.array(right)[~sure])


def test_one_family_is_no_choice() -> None:
    decision = decide(evidence([2.0]), fit_weights(made_up(0.1)))
    assert decision.family == "mapping" and not decision.too_close and decision.confidence == 1.0
    assert "only family" in decision.says


def test_too_few_groups_and_wrong_shapes() -> None:
    cases = made_up(0.1)
    with pytest.raises(DataError, match="2 groups"):
        fit_weights([c for c in cases if c.group in ("0", "1")])
    broken = Case("x", evidence([1.0, 2.0]), (1.0,))
    with pytest.raises(DataError, match="1 scores for 2 families"):
        fit_weights([*cases, broken])
    other = fit_weights(cases).model_copy(update={"features": ("bits",)})
    with pytest.raises(DataError, match="other features"):
        decide(evidence([1.0, 2.0]), other)
