"""Denoising, prefix LM and mixtures: what they write, that it leads back to the text, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import ObjectiveError
from mto.objectives import (
    Denoising,
    KeptSource,
    Mixture,
    NoiseTarget,
    Objective,
    Parts,
    PrefixLM,
    Ragged,
    SentinelSource,
    Spans,
    SpanTarget,
    SpecialIds,
    reconstruct,
)

SPECIAL = SpecialIds(sentinels=tuple(range(399, 199, -1)), eos=1)
TEXT = Ragged.from_lists([[10, 11, 12, 13, 14, 15, 16], [20, 21, 22, 23, 24]])
NOISE = np.array([0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0], dtype=bool)
ENDS = np.array([True, False])


def id_rows(shortest: int) -> st.SearchStrategy[list[list[int]]]:
    ids = st.integers(0, 31_999).filter(lambda i: i != SPECIAL.eos and i not in SPECIAL.sentinels)
    return st.lists(st.lists(ids, min_size=shortest, max_size=60), max_size=8)


def test_layouts_write_what_the_page_says() -> None:
    spans = Spans.find(NOISE, TEXT.offsets)
    source = SentinelSource(SPECIAL)(TEXT, spans, ENDS)
    assert source.to_lists() == [[10, 11, 399, 14, 398, 16, 1], [399, 22, 23, 24, 1]]
    target = SpanTarget(SPECIAL)(TEXT, spans, ENDS)
    assert target.to_lists() == [[399, 12, 13, 398, 15, 1], [399, 20, 21, 1]]
    closed = SpanTarget(SPECIAL, closing=True)(TEXT, spans, ENDS)
    assert closed.to_lists() == [[399, 12, 13, 398, 15, 397, 1], [399, 20, 21, 398, 1]]
    moded = SentinelSource(SPECIAL, mode_ids=(7, 8))(TEXT, spans, ENDS)
    assert moded.to_lists() == [[7, 8, *row] for row in source.to_lists()]
    kept = KeptSource(SPECIAL, mode_ids=(7,), sentinel=True)(TEXT, spans, ENDS)
    assert kept.to_lists() == [[7, 10, 11, 14, 16, 399, 1], [7, 22, 23, 24, 399, 1]]
    assert NoiseTarget(SPECIAL)(TEXT, spans, ENDS).to_lists() == [[12, 13, 15, 1], [20, 21]]


def test_a_span_at_the_end_of_a_row_and_one_at_the_start_of_the_next_stay_two() -> None:
    rows = Ragged.from_lists([[10, 11, 12], [20, 21]])
    spans = Spans.find(np.array([0, 1, 1, 1, 0], dtype=bool), rows.offsets)
    assert spans.counts.tolist() == [1, 1]
    assert spans.lengths.tolist() == [2, 1]
    assert SentinelSource(SPECIAL)(rows, spans, ENDS).to_lists() == [[10, 399, 1], [399, 21, 1]]


@given(
    id_rows(5),
    st.floats(0.01, 0.99),
    st.floats(1, 20),
    st.booleans(),
    st.sampled_from([(), (7, 8)]),
    st.integers(0, 2**32 - 1),
)
def test_denoising_leads_back_to_the_text(
    rows: list[list[int]], density: float, mean_span: float, closing: bool, mode: tuple[int, ...], seed: int
) -> None:
    denoising = Denoising(SPECIAL, density, mean_span, closing=closing, mode_ids=mode)
    pairs = denoising(Ragged.from_lists(rows), np.random.default_rng(seed))
    back = reconstruct(pairs.source, pairs.target, SPECIAL, mode_lengths=len(mode))
    assert back.to_lists() == rows


@given(id_rows(2), st.booleans(), st.sampled_from([(), (7, 8)]), st.integers(0, 2**32 - 1))
def test_prefix_lm_is_cut_and_leads_back_to_the_text(
    rows: list[list[int]], sentinel: bool, mode: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ends = rng.random(len(rows)) < 0.5
    lm = PrefixLM(SPECIAL, sentinel=sentinel, mode_ids=mode)
    pairs = lm(Ragged.from_lists(rows), rng, target_eos=ends)
    for row, source, target, end in zip(
        rows, pairs.source.to_lists(), pairs.target.to_lists(), ends, strict=True
    ):
        assert source[-1] == SPECIAL.eos
        prefix = source[len(mode) : -2 if sentinel else -1]
        suffix = target[:-1] if end else target
        assert prefix and suffix and prefix + suffix == row
        assert (target[-1] == SPECIAL.eos) == end
    back = reconstruct(pairs.source, pairs.target, SPECIAL, mode_lengths=len(mode))
    assert back.to_lists() == rows


@given(id_rows(5), st.integers(0, 2**32 - 1))
def test_a_mixture_leads_back_to_the_text(rows: list[list[int]], seed: int) -> None:
    mixture = Mixture((Denoising(SPECIAL), PrefixLM(SPECIAL)), (1.0, 2.0))
    pairs = mixture(Ragged.from_lists(rows), np.random.default_rng(seed))
    assert reconstruct(pairs.source, pairs.target, SPECIAL).to_lists() == rows
    wrote_sentinels = [any(i in SPECIAL.sentinels for i in row) for row in pairs.target.to_lists()]
    assert wrote_sentinels == (pairs.objective == pairs.names.index("denoising")).tolist()


@settings(max_examples=30)
@given(id_rows(5), st.integers(0, 2**32 - 1))
def test_labels_end_in_one_eos_and_hold_no_other(rows: list[list[int]], seed: int) -> None:
    for objective in (Denoising(SPECIAL), PrefixLM(SPECIAL)):
        pairs = objective(Ragged.from_lists(rows), np.random.default_rng(seed))
        for side in (pairs.source, pairs.target):
            assert all(row[-1] == 1 and row.count(1) == 1 for row in side.to_lists())
            assert side.values.dtype == np.int32


OBJECTIVES: list[Objective] = [
    Denoising(SPECIAL),
    PrefixLM(SPECIAL),
    Mixture((Denoising(SPECIAL), PrefixLM(SPECIAL)), (0.5, 0.5)),
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_the_same_state_gives_the_same_bytes(objective: Objective) -> None:
    assert isinstance(objective, Objective)
    batch = Ragged.from_windows(np.arange(1000, 5000, dtype=np.int32), 37)
    batch = batch.select(objective.maskable(batch))

    def run(seed: int) -> list[bytes]:
        pairs = objective(batch, np.random.default_rng(seed))
        return [pairs.source.values.tobytes(), pairs.target.values.tobytes(), pairs.objective.tobytes()]

    assert run(5) == run(5)
    assert run(5) != run(6)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_the_batch_is_left_as_it_was(objective: Objective) -> None:
    values = np.arange(1000, 1100, dtype=np.int32)
    values.setflags(write=False)
    pairs = objective(Ragged.from_windows(values, 10), np.random.default_rng(0))
    assert len(pairs) == 10
    assert pairs.noise.values.shape == values.shape
    assert sum(report.rows for report in pairs.reports().values()) == 10


def test_no_rows_give_no_pairs() -> None:
    for objective in OBJECTIVES:
        assert len(objective(Ragged.from_lists([]), np.random.default_rng(0))) == 0


def test_too_few_sentinels_are_refused_with_both_numbers() -> None:
    few = SpecialIds(sentinels=(99, 98, 97), eos=1)
    batch = Ragged.from_lists([range(200, 240)])
    rng = np.random.default_rng(0)
    four = Denoising(few, density=0.3, spans=(4, 4))
    with pytest.raises(ObjectiveError, match=r"4 sentinels are needed .* the model has 3"):
        four(batch, rng)
    three = Denoising(few, density=0.3, spans=(3, 3))
    assert len(three(batch, rng)) == 1
    with pytest.raises(ObjectiveError, match=r"4 sentinels are needed .* the model has 3"):
        Denoising(few, density=0.3, spans=(3, 3), closing=True)(batch, rng)
    with pytest.raises(ObjectiveError, match="1 sentinels are needed"):
        PrefixLM(SpecialIds((), 1), sentinel=True)(batch, rng)


def test_a_sentinel_in_the_text_is_refused() -> None:
    batch = Ragged.from_lists([[10, 11, 12, 13, 14], [10, 11, 399, 13, 14]])
    for objective in OBJECTIVES:
        with pytest.raises(ObjectiveError, match=r"row \d holds the sentinel id 399 as text \(token 2\)"):
            objective(batch, np.random.default_rng(0))


def test_target_eos_must_fit_the_rows() -> None:
    with pytest.raises(ObjectiveError, match="target_eos has shape"):
        PrefixLM(SPECIAL)(TEXT, np.random.default_rng(0), target_eos=np.array([True]))


def test_mixture_weights_come_out() -> None:
    rows = Ragged.from_windows(np.full(1000 * 8, 50, dtype=np.int32), 8)
    parts = (Denoising(SPECIAL), PrefixLM(SPECIAL), Denoising(SPECIAL, 0.5, name="much"))
    pairs = Mixture(parts, (3.0, 1.0, 6.0))(rows, np.random.default_rng(0))
    assert pairs.names == ("denoising", "lm", "much")
    assert pairs.objective.dtype == np.int8
    counts = np.bincount(pairs.objective, minlength=3)
    assert np.abs(counts - [300, 100, 600]).max() <= 1
    reports = pairs.reports()
    assert reports["lm"].suffix_share == 1.0
    assert abs(reports["much"].density - 0.5) < 0.02


def test_every_row_is_dealt_by_the_weights() -> None:
    # In batches of three rows, weights of 0.2 and 0.8 hold on average, for each place in the batch.
    mixture = Mixture((Denoising(SPECIAL), PrefixLM(SPECIAL)), (1.0, 4.0))
    rng = np.random.default_rng(0)
    share = np.mean([mixture.assign(3, rng) for _ in range(8000)], axis=0)
    assert np.abs(share - 0.8).max() < 5 * np.sqrt(0.16 / 8000)


def test_a_mixture_passes_words_and_ends_on_to_the_right_rows() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(10, 20, size=60)
    batch = Ragged.from_lengths(np.arange(1000, 1000 + lengths.sum(), dtype=np.int32), lengths)
    starts = np.ones(batch.values.size, dtype=bool)
    starts[batch.values % 2 == 1] = False  # Words are (even, odd) pairs of ids.
    starts[batch.offsets[:-1]] = True
    ends = rng.random(60) < 0.5
    mixture = Mixture((Denoising(SPECIAL, whole_words=True), PrefixLM(SPECIAL)), (1.0, 1.0))
    pairs = mixture(batch, rng, starts, target_eos=ends)
    for row in range(60):
        has_eos = pairs.target[row][-1] == SPECIAL.eos
        if pairs.objective[row] == 1:
            assert has_eos == ends[row]
        else:
            assert has_eos
            inner = pairs.noise[row][1:] ^ pairs.noise[row][:-1]
            assert not inner[batch[row][1:] % 2 == 1].any()


@pytest.mark.parametrize(
    ("names", "weights"),
    [(("a", "a"), (1.0, 1.0)), (("a", "b"), (1.0,)), (("a",), (0.0,)), ((), ())],
    ids=str,
)
def test_mixtures_without_sense_are_refused(names: tuple[str, ...], weights: tuple[float, ...]) -> None:
    with pytest.raises(ObjectiveError):
        Mixture(tuple(Denoising(SPECIAL, name=name) for name in names), weights)


def test_parts_can_be_combined_freely() -> None:
    class EveryThird:
        min_length = 3

        def maskable(self, batch: Ragged, word_starts: np.ndarray | None) -> np.ndarray:
            return batch.lengths >= 3

        def __call__(
            self, batch: Ragged, rng: np.random.Generator, word_starts: np.ndarray | None
        ) -> np.ndarray:
            return np.arange(batch.values.size) % 3 == 2

    parts = Parts(EveryThird(), SentinelSource(SPECIAL), NoiseTarget(SPECIAL))
    pairs = parts.write(Ragged.from_lists([[10, 11, 12, 13, 14, 15]]), np.random.default_rng(0))
    assert pairs.source.to_lists() == [[10, 11, 399, 13, 14, 398, 1]]
    assert pairs.target.to_lists() == [[12, 15, 1]]


@pytest.mark.parametrize(
    "target",
    [[399, 12, 13, 1], [398, 12, 13, 399, 15, 1], [399, 12, 398, 13, 398, 15, 1]],
    ids=["one missing", "order", "twice"],
)
def test_pairs_that_do_not_fit_are_refused(target: list[int]) -> None:
    source = [10, 11, 399, 14, 398, 16, 1]
    with pytest.raises(ObjectiveError, match="row 1"):
        reconstruct(
            Ragged.from_lists([[10, 399, 1], source]), Ragged.from_lists([[399, 11, 1], target]), SPECIAL
        )


def test_special_ids_come_from_an_adapter_and_must_differ() -> None:
    class Adapter:
        sentinel_ids = (99, 98)
        eos_id = 1

    assert SpecialIds.of(Adapter()) == SpecialIds((99, 98), 1)
    bad: list[tuple[Any, int]] = [((99, 99), 1), ((1, 2), 1)]
    for sentinels, eos in bad:
        with pytest.raises(ObjectiveError, match="not all different"):
            SpecialIds(sentinels, eos)


def test_scattered_sentinels_are_told_from_the_ids_between() -> None:
    special = SpecialIds(sentinels=(50, 90, 70), eos=1)
    assert special.is_sentinel(np.array([50, 60, 70, 80, 90])).tolist() == [True, False, True, False, True]
    batch = Ragged.from_lists([[60, 61, 80, 81, 82, 51, 89, 55]])
    pairs = Denoising(special, 0.4, 1.5)(batch, np.random.default_rng(0))
    assert reconstruct(pairs.source, pairs.target, special).to_lists() == batch.to_lists()
