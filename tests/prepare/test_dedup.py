"""Exact duplicates over parts of a text: found once, and with one part in memory at a time."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mto.prepare.dedup import bucket_range, later_duplicates, of_part

Part = tuple[NDArray[np.uint64], NDArray[np.uint32]]


def part(hashes: list[int]) -> Part:
    """A part's hashes in ascending order, and where each stands."""
    values = np.array(hashes, np.uint64)
    order = np.argsort(values, kind="stable").astype(np.uint32)
    return values[order], order


@given(
    st.lists(st.lists(st.integers(0, 5).map(lambda n: n << 61), max_size=8), max_size=5), st.integers(1, 4)
)
def test_the_first_of_equal_sentences_stays(text: list[list[int]], buckets: int) -> None:
    found = [
        later_duplicates([part(hashes) for hashes in text], *bucket_range(n, buckets)) for n in range(buckets)
    ]
    seen: set[int] = set()
    for number, hashes in enumerate(text):
        expected = [place for place, one in enumerate(hashes) if one in seen or seen.add(one)]  # type: ignore[func-returns-value]
        assert sorted(p for bucket in found for p in of_part(bucket, number).tolist()) == expected


def test_one_part_is_held_at_a_time() -> None:
    """However many parts a text has, their files are not all mapped at once."""
    living: list[weakref.ref[Any]] = []

    def parts() -> Iterator[Part]:
        for number in range(20):
            assert (
                sum(ref() is not None for ref in living) <= 2
            )  # the one before, until the new one takes its name
            one = part([number, number + 1, number + 2])
            living.append(weakref.ref(one[0]))
            yield one

    # Numbers 0 to 21: all but two stand in two or three parts, and each later one is a duplicate.
    assert len(later_duplicates(parts(), 0, 1 << 64)) == 20 * 3 - 22
