"""The length solver must be exact: what it promises is reached, and one token more does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import ObjectiveError
from mto.objectives import Denoising, Ragged, SpanNoise, SpecialIds, solve_lengths

SPECIAL = SpecialIds(sentinels=tuple(range(2000, 1000, -1)), eos=1)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(12, 300),
    st.floats(0.02, 0.8),
    st.floats(1, 12),
    st.sampled_from(["nearest", "stochastic"]),
    st.booleans(),
    st.sampled_from([(), (7, 8)]),
)
def test_lengths_hold_for_real_pairs_and_are_the_longest(
    max_source: int, density: float, mean_span: float, rounding: str, closing: bool, mode: tuple[int, ...]
) -> None:
    denoising = Denoising(SPECIAL, density, mean_span, rounding=rounding, closing=closing, mode_ids=mode)  # type: ignore[arg-type]
    found = denoising.lengths(max_source)

    def longest(raw: int) -> tuple[int, int]:
        rows = Ragged.from_windows(np.full(raw * 300, 50, dtype=np.int32), raw)
        pairs = denoising(rows, np.random.default_rng(0))
        return int(pairs.source.lengths.max()), int(pairs.target.lengths.max())

    source, target = longest(found.raw)
    assert source <= found.source <= max_source
    assert target <= found.target
    if rounding == "nearest":
        assert (source, target) == (found.source, found.target)
        for raw in range(found.raw + 1, found.raw + 4):
            assert longest(raw)[0] > max_source


def test_published_numbers_of_t5() -> None:
    found = solve_lengths(512, SpanNoise(0.15, 3.0, rounding="nearest"))
    assert (found.raw, found.source, found.target) == (568, 512, 114)


def test_targets_that_do_not_fit_are_refused_with_both_numbers() -> None:
    noise = SpanNoise(rounding="nearest")
    with pytest.raises(ObjectiveError, match="need 114 tokens and only 100"):
        solve_lengths(512, noise, max_target=100)
    assert solve_lengths(512, noise, max_target=114).target == 114


def test_a_source_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="a source of 3 tokens is too short"):
        solve_lengths(3, SpanNoise())


def test_sentinels_that_do_not_suffice_are_refused_before_any_text_is_read() -> None:
    with pytest.raises(ObjectiveError, match="but the model has 100"):
        solve_lengths(1024, SpanNoise(0.5, 3.0), sentinels=100)


def test_whole_words_have_no_fixed_lengths() -> None:
    with pytest.raises(ObjectiveError, match="whole-word"):
        Denoising(SPECIAL, whole_words=True).lengths(128)
