"""Rows in a flat array must come out as they went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import ObjectiveError
from mto.objectives import Ragged, join

ROWS = st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=8), max_size=8)


@given(ROWS)
def test_lists_survive_the_round_trip(rows: list[list[int]]) -> None:
    ragged = Ragged.from_lists(rows)
    assert ragged.to_lists() == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert ragged.values.dtype == np.int32


@given(ROWS, st.randoms(use_true_random=False))
def test_select_takes_rows_in_the_order_given(rows: list[list[int]], random: object) -> None:
    order = [random.randrange(len(rows)) for _ in range(6)] if rows else []  # type: ignore[attr-defined]
    chosen = Ragged.from_lists(rows).select(np.array(order, dtype=np.int64))
    assert chosen.to_lists() == [rows[index] for index in order]


@given(ROWS, ROWS)
def test_join_puts_rows_one_after_the_other(first: list[list[int]], second: list[list[int]]) -> None:
    assert join([Ragged.from_lists(first), Ragged.from_lists(second)]).to_lists() == first + second


def test_select_by_truth_values() -> None:
    rows = Ragged.from_lists([[1], [2, 3], []])
    assert rows.select(np.array([False, True, True])).to_lists() == [[2, 3], []]


def test_rows_are_indexed_like_a_list() -> None:
    rows = Ragged.from_lists([[1], [2, 3]])
    assert rows[-1].tolist() == [2, 3]
    with pytest.raises(IndexError):
        rows[2]


@pytest.mark.parametrize(
    "offsets", [[0, 2], [1, 3], [0, 2, 1, 3], []], ids=["short", "late", "falling", "none"]
)
def test_offsets_that_do_not_cut_the_values_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ObjectiveError, match="do not cut 3 values"):
        Ragged(np.arange(3), np.array(offsets, dtype=np.int64))


def test_dense_pads_at_the_right_to_a_multiple() -> None:
    dense = Ragged.from_lists([[1, 2, 3, 4, 5], [], [6]]).to_dense(-100, multiple_of=8)
    assert dense.shape == (3, 8)
    assert dense[0].tolist() == [1, 2, 3, 4, 5, -100, -100, -100]
    assert dense[2].tolist() == [6] + [-100] * 7
