"""Duplicates: exact ones over the whole text through hashes on disk, near ones among the chosen sentences.

The hashes of a part of the text are stored in order, so that all parts can be cut at the same hashes into buckets that fit in memory.
Of equal sentences the first in the order of the input stays, whatever the buckets.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError

Hashes = NDArray[np.uint64]
_END = ".!? "
_TOP = 1 << 64


def sentence_hash(text: str) -> int:
    """64 bits of a sentence; case and the stop at its end make no difference.

    >>> sentence_hash("It rained.") == sentence_hash("it Rained")
    True
    """
    digest = hashlib.blake2b(text.casefold().rstrip(_END).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def bucket_range(number: int, buckets: int) -> tuple[int, int]:
    """The hashes of a bucket: from, up to and without."""
    return number * _TOP // buckets, (number + 1) * _TOP // buckets


def later_duplicates(
    parts: Iterable[tuple[Hashes, NDArray[np.uint32]]], low: int, high: int
) -> NDArray[np.int64]:
    """Sentences whose hash stood before, among the hashes from `low` to `high` (without).

    Args:
        parts: for each part of the text, in order, its hashes in ascending order and the place of each in the part; one is held at a time,
            so that a long text needs no more memory, nor more mapped files, than a short one.

    Returns:
        Part and place of each, as ``part << 32 | place``, ascending.
    """
    hashes, places = [], []
    for number, (known, order) in enumerate(parts):
        start = int(np.searchsorted(known, np.uint64(low)))
        end = len(known) if high >= _TOP else int(np.searchsorted(known, np.uint64(high)))
        hashes.append(np.array(known[start:end]))
        places.append(np.array(order[start:end]).astype(np.int64) | (number << 32))
    if not hashes:
        return np.empty(0, np.int64)
    every, where = np.concatenate(hashes), np.concatenate(places)
    by_hash = np.lexsort((where, every))
    every, where = every[by_hash], where[by_hash]
    again = np.zeros(len(every), bool)
    again[1:] = every[1:] == every[:-1]
    return np.sort(where[again])


def of_part(duplicates: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """The places of one part among what `later_duplicates` gave."""
    low, high = np.searchsorted(duplicates, [number << 32, (number + 1) << 32])
    return np.asarray(duplicates[low:high]) & 0xFFFFFFFF


def shuffled(hashes: Hashes, seed: int) -> Hashes:
    """Each hash as another random number that belongs to it and the seed (the finaliser of SplitMix64)."""
    start = int.from_bytes(hashlib.blake2b(f"order {seed}".encode(), digest_size=8).digest(), "big")
    with np.errstate(over="ignore"):
        x = hashes ^ np.uint64(start)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def check_installed(threshold: float | None) -> None:
    """Refuse to look for near-duplicates (at any threshold but None) without the package for it.

    Raises:
        DataError: datasketch is not installed.
    """
    if threshold is not None and importlib.util.find_spec("datasketch") is None:
        raise DataError(
            "finding near-duplicates needs the package datasketch",
            hint="pip install 'mto[prepare]', or set select.near_duplicates: null (in a whole run prepare.select.near_duplicates)",
        )


class NearDuplicates:
    """Remembers sentences, and says of a new one whether it is nearly one of them.

    Sentences are compared by their normalised words and pairs of neighbouring words: the share of those that both have among those that
    either has (Jaccard). Candidates are found by MinHash (datasketch), and then compared exactly.

    Args:
        threshold: least share that makes two sentences near-duplicates.

    Raises:
        DataError: datasketch is not installed.
    """

    def __init__(self, threshold: float) -> None:
        check_installed(threshold)
        from datasketch import MinHash, MinHashLSH

        self._threshold = threshold
        self._sketch: Any = lambda items: MinHash.bulk([items], num_perm=64, seed=1)[0]
        self._index: Any = MinHashLSH(threshold=max(0.1, threshold - 0.1), num_perm=64)
        self._known: list[frozenset[bytes]] = []

    def add(self, words: Sequence[str]) -> bool:
        """Remember a sentence, unless it is nearly one that is known. Gives whether it was new."""
        items = _items(words)
        if not items:
            return False
        sketch = self._sketch(sorted(items))
        if any(self._near(items, self._known[number]) for number in self._index.query(sketch)):
            return False
        self._index.insert(len(self._known), sketch)
        self._known.append(items)
        return True

    def _near(self, one: frozenset[bytes], other: frozenset[bytes]) -> bool:
        return len(one & other) >= self._threshold * len(one | other)


def _items(words: Sequence[str]) -> frozenset[bytes]:
    pairs: Iterable[str] = (f"{a} {b}" for a, b in pairwise(words))
    return frozenset(item.encode() for item in (*words, *pairs))
