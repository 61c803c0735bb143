"""Intervals, ranks and the lean of held-out rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.match.probe.judge import Judge, Point, best_point, judged


def judge_of(rows: int, per_head: int = 1) -> Judge:
    return Judge(np.arange(rows) // per_head, np.full(rows, 8.0), 0)


def test_bits_are_pooled_over_bytes_not_over_rows() -> None:
    judge = Judge(np.arange(2), np.array([1.0, 9.0]), 0)
    assert judge.pooled(np.array([10.0, 10.0])) == 2.0  # 20 bits in 10 bytes


@pytest.mark.parametrize("rows", [5, 12, 30])
def test_the_interval_holds_the_truth_as_often_as_it_says(rows: int) -> None:
    rng, hits = np.random.default_rng(0), 0
    for _ in range(300):
        span = judge_of(rows).span(rng.gamma(4.0, 4.0, rows))  # mean 16 bits in 8 bytes
        hits += span.low <= 2.0 <= span.high
    assert 0.90 <= hits / 300 <= 0.98


def test_rows_of_one_head_are_one_witness() -> None:
    rng = np.random.default_rng(1)
    once = rng.normal(16, 4, 10)
    single, doubled = judge_of(10).span(once), judge_of(20, 2).span(np.repeat(once, 2))
    assert doubled.low == pytest.approx(single.low) and doubled.high == pytest.approx(single.high)


@settings(max_examples=30)
@given(rows=st.integers(3, 25), shift=st.floats(-2, 2), noise=st.floats(0.05, 4), seed=st.integers(0, 1000))
def test_the_lean_is_clear_where_the_interval_leaves_zero(rows, shift, noise, seed) -> None:
    rng, judge = np.random.default_rng(seed), judge_of(rows)
    unmasked = rng.normal(20, 3, rows)
    masked = unmasked - shift + rng.normal(0, noise, rows)
    lean = judge.lean(("masked-prompting", masked), ("prompting", unmasked), 12)
    span = judge.span(unmasked - masked)
    assert np.sign(lean.value) == np.sign(span.value)
    if min(abs(span.low), abs(span.high)) > 1e-9:
        assert (abs(lean.value) > 0.95) == (span.low > 0 or span.high < 0)
    other = judge.lean(("masked-prompting", unmasked), ("prompting", masked), 12)
    assert other.value == pytest.approx(-lean.value, abs=1e-9)
    assert f"{rows} held-out heads" in lean.saw


def test_equal_arms_do_not_lean() -> None:
    same = np.full(6, 20.0)
    assert judge_of(6).lean(("a", same), ("b", same), 0).value == 0.0
    assert judge_of(6).lean(("a", same - 1), ("b", same), 0).value == 1.0  # the same gain in every row
    span = judge_of(6).span(np.zeros(6))
    assert (span.low, span.value, span.high) == (0.0, 0.0, 0.0)


def test_best_point_and_ranks() -> None:
    judge = judge_of(2)
    early, late = Point(1, 5, 1e-4, np.array([8.0, 8.0])), Point(2, 10, 1e-4, np.array([8.0, 8.0]))
    worse = Point(0, 0, 0.0, np.array([9.0, 9.0]))
    assert best_point([worse, early, late], judge) is early  # of equal ones the one of fewer steps
    assert best_point([worse, early], judge, until=0) is worse
    a = Point(1, 5, 1e-4, np.array([1.0, 9.0]), np.array([50.0, 50.0]))
    b = Point(1, 5, 1e-4, np.array([2.0, 2.0]), np.array([60.0, 60.0]))
    assert judged([a, b], judge, "bits") == [0.625, 0.25]
    # by bits each is first once (1.5, 1.5); by the metric b is first twice (2, 1)
    assert judged([a, b], judge, "rank") == [1.75, 1.25]
    plain = [Point(1, 5, 1e-4, point.bits) for point in (a, b)]
    assert judged(plain, judge, "rank") == [1.5, 1.5]
