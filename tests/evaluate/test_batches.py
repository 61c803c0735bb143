from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.evaluate.batches import pad_rows, plan_batches


@given(st.lists(st.integers(1, 40), max_size=50), st.integers(1, 120), st.none() | st.integers(1, 7))
def test_every_row_once_and_no_batch_too_large(lengths: list[int], tokens: int, rows: int | None) -> None:
    batches = plan_batches(lengths, max_tokens=tokens, max_rows=rows)
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) * max(lengths[n] for n in batch) <= tokens or len(batch) == 1
        assert rows is None or len(batch) <= rows
    flat = [lengths[n] for batch in batches for n in batch]
    assert flat == sorted(flat, reverse=True)


def test_padding_is_masked() -> None:
    ids, mask = pad_rows([[5, 6, 7], [8]], pad_id=0)
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]] and mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_a_batch_of_nothing() -> None:
    with pytest.raises(DataError):
        plan_batches([1], max_tokens=0)
    with pytest.raises(DataError):
        plan_batches([1], max_tokens=5, max_rows=0)
