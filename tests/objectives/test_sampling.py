"""Subsets must have the size asked for, and none may be preferred."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mto.objectives.ragged import Ragged
from mto.objectives.sampling import random_subsets, round_random


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1)), max_size=20), st.integers(0, 2**32 - 1))
def test_every_row_gets_as_many_as_it_wants(rows: list[tuple[int, float]], seed: int) -> None:
    sizes = np.array([size for size, _ in rows], dtype=np.int64)
    counts = np.array([round(size * share) for size, share in rows], dtype=np.int64)
    taken = random_subsets(sizes, counts, np.random.default_rng(seed))
    assert [int(row.sum()) for row in Ragged.from_lengths(taken, sizes)] == counts.tolist()


def test_all_subsets_are_equally_likely() -> None:
    # Both branches: fewer than half of the positions drawn, and more than half (the rest is drawn).
    for size, count in ((6, 2), (6, 4), (5, 1), (5, 3)):
        draws = 60_000
        taken = random_subsets(np.full(draws, size), np.full(draws, count), np.random.default_rng(1))
        codes = taken.reshape(draws, size) @ (1 << np.arange(size))
        subsets = [sum(1 << position for position in chosen) for chosen in combinations(range(size), count)]
        seen = np.bincount(codes, minlength=1 << size)[subsets]
        assert seen.sum() == draws
        expected = draws / len(subsets)
        assert np.abs(seen - expected).max() < 5 * np.sqrt(expected)


def test_stochastic_rounding_keeps_the_mean() -> None:
    numbers = np.full(40_000, 2.3)
    rounded = round_random(numbers, np.random.default_rng(0))
    assert set(rounded.tolist()) == {2, 3}
    assert abs(rounded.mean() - 2.3) < 5 * np.sqrt(0.3 * 0.7 / 40_000)
