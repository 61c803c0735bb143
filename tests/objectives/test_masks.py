"""The masker: density, span count and place of spans, at every length; whole words; refusals."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import ObjectiveError
from mto.objectives import MaskReport, Ragged, SpanNoise, SuffixNoise

LENGTHS = [5, 6, 8, 12, 16, 20, 25, 30, 40, 64, 128, 256, 512]


def rows_of(length: int, count: int) -> Ragged:
    return Ragged.from_windows(np.zeros(length * count, dtype=np.int32), length)


def draw(noise: SpanNoise, length: int, count: int, seed: int = 0) -> MaskReport:
    rows = rows_of(length, count)
    return MaskReport.of(rows.like(noise(rows, np.random.default_rng(seed), None)))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("density", "mean_span"), [(0.15, 3.0), (0.3, 1.5), (0.5, 8.0)])
def test_density_and_span_count_come_out_as_asked(length: int, density: float, mean_span: float) -> None:
    count = max(400, 100_000 // length)
    report = draw(SpanNoise(density, mean_span), length, count)
    noise = max(density * length, 1.0)  # At least one token is noise: at L = 5 that is 20 %, not 15 %.
    slack = 5 / np.sqrt(count)
    assert abs(report.density * length - noise) < slack
    spans = noise / mean_span
    if spans >= 1.5:  # Below, "at least one span" lifts the mean.
        assert abs(report.spans_per_row - spans) < slack
        assert abs(report.mean_span - mean_span) < 0.1 * mean_span
    else:
        assert 1 <= report.spans_per_row < 1.6


@pytest.mark.parametrize("length", LENGTHS)
def test_noise_falls_anywhere(length: int) -> None:
    report = draw(SpanNoise(), length, max(1500, 300_000 // length))
    here = [share for share, tokens in zip(report.density_at, report.tokens_at, strict=True) if tokens]
    # Only spans that begin at the first token cover it, so the outer tenths of short rows hold less noise, never
    # more; the rest is flat.
    assert max(here) < 1.25 * report.density
    assert min(here[1:-1]) > 0.85 * report.density
    assert min(here) > 0.45 * report.density
    assert abs(here[0] - here[-1]) < 0.15 * report.density


@pytest.mark.parametrize("length", range(5, 31))
def test_suffix_masks_do_not_dominate_short_texts(length: int) -> None:
    noise = SpanNoise(rounding="nearest")
    count = 6000
    report = draw(noise, length, count)
    tokens, spans = (int(number[0]) for number in noise.counts(np.array([length]), None))
    # One span of n tokens has L - n + 1 places, and one of them is the end.
    expected = 1 / (length - tokens + 1) if spans == 1 else 0.0
    assert abs(report.suffix_share - expected) <= 5 * np.sqrt(expected / count)
    assert abs(report.prefix_share - expected) <= 5 * np.sqrt(expected / count)


def test_all_placements_are_equally_likely() -> None:
    # 7 tokens, 3 of them noise in 2 spans: 2 ways to cut the noise, 5 * 4 / 2 ways to place two spans.
    noise = SpanNoise(density=3 / 7, mean_span=1.5, rounding="nearest")
    draws = 40_000
    masks = noise(rows_of(7, draws), np.random.default_rng(3), None).reshape(draws, 7)
    seen = Counter(map(bytes, masks))
    assert len(seen) == 20
    expected = draws / 20
    assert max(abs(number - expected) for number in seen.values()) < 5 * np.sqrt(expected)


@given(
    st.lists(st.integers(5, 200), min_size=1, max_size=12),
    st.floats(0.001, 0.999),
    st.floats(1, 60),
    st.sampled_from(["stochastic", "nearest"]),
    st.integers(0, 2**32 - 1),
)
def test_something_is_masked_something_is_kept_and_spans_are_apart(
    lengths: list[int], density: float, mean_span: float, rounding: str, seed: int
) -> None:
    noise = SpanNoise(density, mean_span, rounding=rounding)  # type: ignore[arg-type]
    sizes = np.array(lengths, dtype=np.int64)
    rows = Ragged.from_lengths(np.zeros(sizes.sum(), dtype=np.int32), sizes)
    mask = rows.like(noise(rows, np.random.default_rng(seed), None))
    possible = list(zip(*np.stack(noise.extremes(sizes)).transpose(1, 2, 0), strict=True))
    for row, (tokens, spans) in zip(mask, possible, strict=True):
        assert 1 <= row.sum() <= row.size - 1
        assert tokens.min() <= row.sum() <= tokens.max()
        runs = int(np.diff(row.astype(np.int8), prepend=0).clip(0).sum())
        assert spans.min() <= runs <= spans.max()


def test_a_range_of_span_counts_is_drawn_evenly() -> None:
    noise = SpanNoise(spans=(5, 7))
    rows = rows_of(128, 6000)
    mask = noise(rows, np.random.default_rng(0), None).reshape(6000, 128).astype(np.int8)
    counts = Counter(np.diff(mask, axis=1, prepend=0).clip(0).sum(axis=1).tolist())
    assert set(counts) == {5, 6, 7}
    assert max(abs(number - 2000) for number in counts.values()) < 5 * np.sqrt(2000)
    assert abs(mask.mean() - 0.15) < 0.002
    assert draw(noise, 8, 50).spans_per_row < 2.01  # What does not fit is cut down.


@given(
    st.lists(st.lists(st.integers(1, 4), min_size=5, max_size=30), min_size=1, max_size=8),
    st.floats(0.01, 0.9),
    st.floats(1, 8),
    st.integers(0, 2**32 - 1),
)
def test_whole_words_are_never_cut(
    words: list[list[int]], density: float, mean_span: float, seed: int
) -> None:
    lengths = np.array([sum(row) for row in words], dtype=np.int64)
    rows = Ragged.from_lengths(np.arange(lengths.sum(), dtype=np.int32), lengths)
    flat = np.concatenate([np.array(row) for row in words])
    starts = np.zeros(rows.values.size, dtype=bool)
    starts[np.cumsum(flat) - flat] = True
    mask = SpanNoise(density, mean_span, whole_words=True)(rows, np.random.default_rng(seed), starts)
    word = np.cumsum(starts) - 1
    masked_in_word = np.bincount(word, weights=mask)
    assert np.all((masked_in_word == 0) | (masked_in_word == flat))
    assert all(0 < row.sum() < row.size for row in rows.like(mask))


def test_whole_words_keep_density_and_mean_span_in_tokens() -> None:
    rng = np.random.default_rng(0)
    rows = rows_of(120, 3000)
    starts = rng.random(rows.values.size) < 1 / 1.5
    report = MaskReport.of(rows.like(SpanNoise(0.15, 3.0, whole_words=True)(rows, rng, starts)))
    assert abs(report.density - 0.15) < 0.004
    assert abs(report.mean_span - 3.0) < 0.3


def test_a_window_that_begins_inside_a_word_begins_a_word() -> None:
    rows = rows_of(6, 50)
    starts = np.tile(np.array([False, False, True, False, True, False]), 50)
    mask = SpanNoise(0.4, whole_words=True)(rows, np.random.default_rng(0), starts)
    words = mask.reshape(50, 3, 2)
    assert np.array_equal(words[..., 0], words[..., 1])
    assert words[:, :, 0].any(axis=0).all()  # The cut-off first word is masked as well, now and then.


def test_prefix_lm_splits_evenly() -> None:
    rows = rows_of(6, 50_000)
    suffix = SuffixNoise()(rows, np.random.default_rng(0), None).reshape(-1, 6).sum(axis=1)
    seen = np.bincount(suffix, minlength=7)
    assert seen[0] == seen[6] == 0
    assert np.abs(seen[1:6] - 10_000).max() < 5 * np.sqrt(10_000)


def test_a_shorter_suffix_can_be_asked_for() -> None:
    rows = rows_of(100, 2000)
    suffix = SuffixNoise(max_share=0.5)(rows, np.random.default_rng(0), None).reshape(-1, 100).sum(axis=1)
    assert suffix.max() == 50
    assert abs(suffix.mean() - 25.5) < 5 * 15 / np.sqrt(2000)


def test_rows_that_are_too_short_are_named() -> None:
    rows = Ragged.from_lists([[1] * 9, [1] * 4, [1]])
    with pytest.raises(
        ObjectiveError, match="2 of 3 rows are too short for denoising; the first is row 1 with 4"
    ):
        SpanNoise()(rows, np.random.default_rng(0), None)
    assert SpanNoise().maskable(rows, None).tolist() == [True, False, False]
    with pytest.raises(ObjectiveError, match="1 of 3 rows are too short for prefix LM"):
        SuffixNoise()(rows, np.random.default_rng(0), None)


def test_a_row_of_one_word_cannot_be_masked_by_words() -> None:
    rows = rows_of(6, 2)
    starts = np.array([True] + [False] * 6 + [True] * 5)
    noise = SpanNoise(whole_words=True)
    assert noise.maskable(rows, starts).tolist() == [False, True]
    with pytest.raises(ObjectiveError, match="row 0"):
        noise(rows, np.random.default_rng(0), starts)
    with pytest.raises(ObjectiveError, match="need word_starts of shape"):
        noise(rows, np.random.default_rng(0), None)


@pytest.mark.parametrize(
    "numbers",
    [
        {"density": 0.0},
        {"density": 1.0},
        {"mean_span": 0.5},
        {"spans": (0, 2)},
        {"spans": (3, 2)},
        {"rounding": "up"},
    ],
    ids=str,
)
def test_numbers_without_sense_are_refused(numbers: dict) -> None:
    with pytest.raises(ObjectiveError):
        SpanNoise(**numbers)


def test_no_rows_give_no_mask() -> None:
    none = Ragged.from_lists([])
    assert SpanNoise()(none, np.random.default_rng(0), None).size == 0
    assert SuffixNoise()(none, np.random.default_rng(0), None).size == 0
