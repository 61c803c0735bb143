"""Batches: nothing lost, little padding, the same order from the same seed, the same place after a restart."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.train.batches import Batch, BatchSource, PairSource, collate, plan_batches
from tests.train.tiny import pairs


def take(source: PairSource, n: int) -> list[Batch]:
    return [next(source) for _ in range(n)]


def equal(a: Batch, b: Batch) -> bool:
    return torch.equal(a.input_ids, b.input_ids) and torch.equal(a.labels, b.labels)


def test_collate_pads_masks_and_counts() -> None:
    batch = collate([([5, 6, 1], [7, 1]), ([8, 1], [9, 9, 9, 1])], pad_id=0, multiple_of=4)
    assert batch.input_ids.tolist() == [[5, 6, 1, 0], [8, 1, 0, 0]]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 0], [1, 1, 0, 0]]
    assert batch.labels.tolist() == [[7, 1, -100, -100], [9, 9, 9, 1]]
    assert (batch.source_tokens, batch.target_tokens) == (5, 6)
    assert collate([([5, 1], [1])], 0, shape=(6, 3)).labels.shape == (1, 3)


@pytest.mark.parametrize("bad", [[], [([], [1])], [([1], [])], [([1] * 9, [1])]])
def test_collate_refuses_what_makes_no_batch(bad: list) -> None:
    with pytest.raises(DataError):
        collate(bad, 0, shape=(8, 8))


@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(1, 60)), min_size=1, max_size=80),
    st.integers(0, 5),
    st.one_of(
        st.integers(1, 12).map(lambda n: {"rows": n}), st.integers(300, 2000).map(lambda n: {"tokens": n})
    ),
)
def test_a_plan_holds_every_pair_once_and_keeps_to_its_size(lengths: list, seed: int, size: dict) -> None:
    array = np.array(lengths)
    plan = plan_batches(array, np.random.default_rng(seed), **size)
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    for batch in plan:
        padded = (-(-array[batch] // 8) * 8).max(0).sum() * len(batch)
        assert len(batch) <= size["rows"] if "rows" in size else padded <= max(size["tokens"], 264)


def test_bucketing_wastes_little_on_pads() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 128, (2000, 2))
    lengths[:, 1] = lengths[:, 0] // 3 + 1

    def waste(plan: list[np.ndarray]) -> float:
        padded = sum((-(-lengths[b] // 8) * 8).max(0).sum() * len(b) for b in plan)
        return 1 - lengths.sum() / padded

    bucketed = plan_batches(lengths, rng, tokens=3500)
    shuffled = np.array_split(rng.permutation(2000), len(bucketed))
    assert waste(bucketed) < 0.1 < 0.3 < waste(shuffled)


def test_order_depends_on_seed_and_epoch_only() -> None:
    def epochs(seed: int) -> list[list[Batch]]:
        source = PairSource(pairs(30), pad_id=0, seed=seed, rows=7)
        return [take(source, 5), take(source, 5)]

    first, again, other = epochs(1), epochs(1), epochs(2)
    assert all(equal(a, b) for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True))
    assert not all(equal(a, b) for a, b in zip(first[0], first[1], strict=True)), "epochs differ in order"
    assert not all(equal(a, b) for a, b in zip(first[0], other[0], strict=True))
    seen = sorted(
        row for batch in first[1] for row in batch.input_ids.tolist() for row in [tuple(r for r in row if r)]
    )
    assert seen == sorted(tuple(s) for s, _ in pairs(30)), "an epoch is every pair once"


@given(st.integers(0, 14))
def test_a_stored_position_is_exact(done: int) -> None:
    source = PairSource(pairs(30), pad_id=0, seed=1, tokens=200)
    take(source, done)
    stored = json.loads(json.dumps(source.state_dict()))
    wanted = take(source, 6)
    fresh = PairSource(pairs(30), pad_id=0, seed=1, tokens=200)
    fresh.load_state_dict(stored)
    assert all(equal(a, b) for a, b in zip(take(fresh, 6), wanted, strict=True))


def test_a_position_of_other_data_is_refused() -> None:
    stored = PairSource(pairs(30), pad_id=0, seed=1, rows=4).state_dict()
    with pytest.raises(DataError, match="30 pairs with seed 1"):
        PairSource(pairs(29), pad_id=0, seed=1, rows=4).load_state_dict(stored)


def test_epochs_end_and_the_source_follows_the_protocol() -> None:
    source = PairSource(pairs(10), pad_id=0, seed=1, rows=4, epochs=2)
    assert isinstance(source, BatchSource)
    assert len(list(source)) == 6


def test_batch_size_must_be_given_once() -> None:
    with pytest.raises(DataError, match="rows or tokens"):
        PairSource(pairs(3), pad_id=0, seed=0)
    with pytest.raises(DataError, match="rows or tokens"):
        PairSource(pairs(3), pad_id=0, seed=0, rows=3, tokens=9)
