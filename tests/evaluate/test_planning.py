from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.evaluate.planning import plan_tight

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=30)


@given(LENGTHS, st.integers(1, 80), st.integers(0, 40), st.integers(0, 9))
def test_every_row_once_and_no_batch_too_large(lengths: list[int], most: int, call: int, beside: int) -> None:
    batches = plan_tight(lengths, most, call=call, beside=beside)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * (max(lengths[row] for row in batch) + beside) <= most


def cost(batches: list[list[int]], lengths: list[int], call: int) -> int:
    return sum(len(batch) * max(lengths[row] for row in batch) + call for batch in batches)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=7), st.integers(0, 12))
def test_no_other_cutting_of_the_sorted_rows_costs_less(lengths: list[int], call: int) -> None:
    rows = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    least = min(
        cost([rows[a:b] for a, b in itertools.pairwise([0, *cuts, len(rows)])], lengths, call)
        for size in range(len(rows))
        for cuts in itertools.combinations(range(1, len(rows)), size)
    )
    assert cost(plan_tight(lengths, 10_000, call=call), lengths, call) == least


def test_edges() -> None:
    assert plan_tight([], 10) == []
    assert plan_tight([50], 10) == [[0]]
    with pytest.raises(DataError, match="holds nothing"):
        plan_tight([1], 0)
