from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.evaluate.statistics import crossed_bootstrap, gain, holm, paired_sign_flip


def table(
    rng: np.random.Generator, seeds: int, heads: int, *, seed_sd: float = 2, head_sd: float = 20
) -> np.ndarray:
    """Scores with seed effects, head effects and noise around 50."""
    noise = rng.normal(0, 10, (seeds, heads))
    return 50 + rng.normal(0, seed_sd, (seeds, 1)) + rng.normal(0, head_sd, (1, heads)) + noise


# Crossed bootstrap


def test_interval_covers_the_true_mean() -> None:
    rng = np.random.default_rng(1)
    intervals = [crossed_bootstrap(table(rng, 5, 60), n=300, seed=i) for i in range(200)]
    hits = sum(i.low <= 50 <= i.high for i in intervals)
    assert 0.88 <= hits / 200 <= 0.99  # 0.95 aimed at; 200 tables know it to about 0.03


def test_interval_of_the_mean_of_relation_means_covers() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for i in range(120):
        tables = [table(rng, 4, heads) + shift for heads, shift in ((20, 10), (70, -10))]
        interval = crossed_bootstrap(tables, n=300, seed=i)
        hits += interval.low <= 50 <= interval.high  # not 44.4, which the mean over all heads would estimate
    assert 0.87 <= hits / 120 <= 1.0


def test_seeds_widen_the_interval() -> None:
    """Seeds that disagree must show, though each head's mean over seeds is the same."""
    rng = np.random.default_rng(3)
    heads = rng.normal(50, 5, (1, 80))
    effects = np.array([[-15.0], [-5.0], [0.0], [5.0], [15.0]])
    calm = crossed_bootstrap(np.repeat(heads, 5, axis=0))
    torn = crossed_bootstrap(heads + effects)
    assert torn.mean == pytest.approx(calm.mean)
    assert torn.high - torn.low > 3 * (calm.high - calm.low)


def test_bootstrap_variance_is_the_known_one() -> None:
    """The variance of resampled means of an additive table is that of its seed means plus that of its head means."""
    rng = np.random.default_rng(4)
    seeds, heads = rng.normal(0, 3, (6, 1)), rng.normal(0, 9, (1, 40))
    interval = crossed_bootstrap(50 + seeds + heads, n=20000)
    spread = (interval.high - interval.low) / (2 * 1.96)
    assert spread == pytest.approx(np.sqrt(seeds.var() / 6 + heads.var() / 40), rel=0.05)


def test_bootstrap_is_deterministic_and_told_by_its_seed() -> None:
    scores = table(np.random.default_rng(5), 3, 30)
    assert crossed_bootstrap(scores, seed=7) == crossed_bootstrap(scores, seed=7)
    assert crossed_bootstrap(scores, seed=7) != crossed_bootstrap(scores, seed=8)


@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 9))
def test_interval_lies_within_the_scores(seeds: int, heads: int, seed: int) -> None:
    scores = np.random.default_rng(seed).uniform(0, 100, (seeds, heads))
    interval = crossed_bootstrap(scores, n=50, seed=seed)
    assert scores.min() - 1e-9 <= interval.low <= interval.high <= scores.max() + 1e-9
    assert interval.mean == pytest.approx(scores.mean())
    assert (interval.seeds, interval.heads, interval.relations) == (seeds, heads, 1)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1.0, 2.0], "shape"),
        ([[]], "shape"),
        ([[1.0, float("nan")]], "head column 1 is nan"),
        ([[[1.0, 2.0]], [[1.0, float("inf")]]], "relation 1"),
        ([[1.0, 2.0], [1.0]], "same number of heads"),
    ],
)
def test_bad_scores_are_named(scores: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        crossed_bootstrap(scores)


def test_bad_level_and_number() -> None:
    with pytest.raises(DataError, match="level"):
        crossed_bootstrap([[1.0]], level=95)
    with pytest.raises(DataError, match="resamples"):
        crossed_bootstrap([[1.0]], n=0)


# Sign flips


def brute_force(differences: np.ndarray) -> float:
    """Share of all sign patterns at least as far from zero."""
    observed = abs(differences.sum())
    signs = np.array(list(itertools.product([-1, 1], repeat=len(differences))))
    return float((np.abs(signs @ differences) >= observed - 1e-9).mean())


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9))
def test_exact_p_value_is_the_counted_one(differences: list[int]) -> None:
    d = np.array(differences, dtype=float)
    test = paired_sign_flip(d[None], np.zeros((1, len(d))))
    assert test.exact and test.patterns == 2 ** len(d)
    assert test.p_value == pytest.approx(brute_force(d))
    assert test.difference == pytest.approx(d.mean())


def test_p_values_are_uniform_under_the_null() -> None:
    rng = np.random.default_rng(6)
    p = [paired_sign_flip(table(rng, 3, 25), table(rng, 3, 25), n=199, seed=i).p_value for i in range(300)]
    shares = [np.mean(np.array(p) <= level) for level in (0.05, 0.25, 0.5, 0.75)]
    assert np.allclose(shares, [0.05, 0.25, 0.5, 0.75], atol=0.08)


def test_a_real_difference_is_found_and_p_is_never_zero() -> None:
    rng = np.random.default_rng(7)
    base = table(rng, 5, 60)
    test = paired_sign_flip(base + 8, base + rng.normal(0, 5, base.shape), n=999)
    assert test.p_value == pytest.approx(2 / 1000) or test.p_value == pytest.approx(1 / 1000)
    assert not test.exact and test.difference > 6


def test_relations_weigh_alike() -> None:
    a, b = [np.full((2, 3), 12.0), np.full((2, 30), 5.0)], [np.full((2, 3), 2.0), np.full((2, 30), 5.0)]
    assert paired_sign_flip(a, b).difference == pytest.approx(5.0)
    assert paired_sign_flip(a, b, seed=3) == paired_sign_flip(a, b, seed=3)


def test_pairs_must_fit() -> None:
    with pytest.raises(DataError, match="3 heads, the other 2"):
        paired_sign_flip(np.ones((1, 3)), np.ones((1, 2)))
    with pytest.raises(DataError, match="1 relations, the other 2"):
        paired_sign_flip([np.ones((1, 3))], [np.ones((1, 3))] * 2)


# Holm


def test_holm_by_hand() -> None:
    """Five tests, sorted .001 .01 .02 .03 .6 times 5 4 3 2 1 = .005 .04 .06 .06 .6; then back in order."""
    assert holm([0.03, 0.001, 0.6, 0.02, 0.01]) == pytest.approx([0.06, 0.005, 0.6, 0.06, 0.04])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_order_and_lies_between_raw_and_bonferroni(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(adjusted >= np.array(p) - 1e-12)
    assert all(adjusted <= np.minimum(1, np.array(p) * len(p)) + 1e-12)
    for i, j in itertools.combinations(range(len(p)), 2):
        if p[i] <= p[j]:
            assert adjusted[i] <= adjusted[j]


def test_holm_refuses_what_is_no_p_value() -> None:
    for bad in ([0.1, 1.2], [float("nan")], [[0.1]]):
        with pytest.raises(DataError):
            holm(bad)


# Gain


def test_gain_is_a_ratio_of_means_over_relations() -> None:
    """Means 30 and 20 over relations: +50 %. The mean of ratios, (3.0 + 1.14) / 2 - 1, would say +107 %."""
    result = gain(
        [np.full((2, 4), 15.0), np.full((2, 9), 45.0)], [np.full((2, 4), 5.0), np.full((2, 9), 35.0)]
    )
    assert result.ratio is not None and result.reason is None
    assert result.ratio.mean == pytest.approx(0.5)
    assert result.difference.mean == pytest.approx(10.0)
    assert (result.aligned.mean, result.conventional.mean) == (30.0, 20.0)


def test_gain_shares_its_resamples() -> None:
    """Head effects that both share cancel: the interval of the difference is far narrower than either mean's."""
    rng = np.random.default_rng(8)
    base = np.clip(table(rng, 3, 40), 5, 90)
    result = gain(base + 5 + rng.normal(0, 1, base.shape), base)
    assert result.difference.high - result.difference.low < 0.2 * (result.aligned.high - result.aligned.low)
    assert result.ratio is not None and result.ratio.low > 0


def test_gain_interval_covers() -> None:
    rng = np.random.default_rng(9)
    hits = 0
    for i in range(120):
        base = table(rng, 4, 40, head_sd=10)
        better = base * 1.2 + rng.normal(0, 6, base.shape)
        result = gain(np.clip(better, 0, 100), np.clip(base, 0, 100), n=300, seed=i)
        assert result.ratio is not None
        hits += result.ratio.low <= 0.2 <= result.ratio.high
    assert hits / 120 >= 0.87


@pytest.mark.parametrize("low", [0.0, 0.9, 1.0])
def test_no_ratio_over_next_to_nothing(low: float) -> None:
    result = gain(np.full((2, 5), 30.0), np.full((2, 5), low))
    assert result.ratio is None and result.reason is not None and "touches 1 point" in result.reason
    assert result.difference.mean == pytest.approx(30.0 - low)


def test_gain_refuses_other_scales_and_shapes() -> None:
    with pytest.raises(DataError, match="0-100"):
        gain([[120.0]], [[50.0]])
    with pytest.raises(DataError, match="same seeds and heads"):
        gain(np.ones((2, 3)), np.ones((3, 3)))
