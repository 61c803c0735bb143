"""Rows of different lengths in one flat array: the form in which every objective reads and writes tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mto.errors import ObjectiveError


@dataclass(frozen=True, eq=False)
class Ragged:
    """`B` rows laid end to end.

    Row `b` is ``values[offsets[b]:offsets[b + 1]]``; rows may be empty.

    Args:
        values: `[N]`, any dtype (token ids are int32).
        offsets: int64 `[B + 1]`, from 0 to `N`, never falling.

    Raises:
        ObjectiveError: the offsets do not cut `values` into rows.

    >>> rows = Ragged.from_lists([[5, 6, 7], [8]])
    >>> rows.values.tolist(), rows.offsets.tolist(), rows[0].tolist()
    ([5, 6, 7, 8], [0, 3, 4], [5, 6, 7])
    """

    values: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        cuts = self.offsets
        fits = self.values.ndim == 1 and cuts.ndim == 1 and cuts.size > 0 and cuts.dtype == np.int64
        if not fits or cuts[0] != 0 or cuts[-1] != self.values.size or bool((cuts[1:] < cuts[:-1]).any()):
            raise ObjectiveError(
                f"offsets of shape {cuts.shape} and type {cuts.dtype} do not cut "
                f"{self.values.size} values into rows",
                hint="offsets are int64, start at 0, never fall and end at the number of values",
            )

    @classmethod
    def from_lists(cls, rows: Sequence[Sequence[int] | np.ndarray], dtype: type = np.int32) -> Ragged:
        """Join rows, given as lists or arrays."""
        parts: list[np.ndarray] = [np.asarray(row, dtype=dtype) for row in rows]
        values = np.concatenate(parts) if parts else np.empty(0, dtype)
        return cls.from_lengths(values, np.array([part.size for part in parts], dtype=np.int64))

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> Ragged:
        """Cut flat values into rows of the given lengths `[B]`."""
        return cls(values, offsets_of(lengths))

    @classmethod
    def from_windows(cls, values: np.ndarray, width: int) -> Ragged:
        """Cut a flat stream into windows of `width`; what is left over at the end is a shorter last row.

        >>> Ragged.from_windows(np.arange(5), 2).to_lists()
        [[0, 1], [2, 3], [4]]
        """
        if width < 1:
            raise ObjectiveError(
                f"a window of {width} tokens cannot be cut", hint="give a width of 1 or more"
            )
        return cls(values, np.append(np.arange(0, values.size, width, dtype=np.int64), np.int64(values.size)))

    @property
    def lengths(self) -> np.ndarray:
        """Tokens in each row: int64 `[B]`."""
        return np.diff(self.offsets)

    def row_of_value(self) -> np.ndarray:
        """The row that each value stands in: int64 `[N]`."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def like(self, values: np.ndarray) -> Ragged:
        """Other values in the same rows, such as a mask."""
        return Ragged(values, self.offsets)

    def select(self, rows: np.ndarray) -> Ragged:
        """The given rows (indices or bool `[B]`), in the order given.

        >>> Ragged.from_lists([[1, 2], [3], [4, 5]]).select(np.array([2, 0])).to_lists()
        [[4, 5], [1, 2]]
        """
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Ragged.from_lengths(self.values[self.indices_of(rows)], self.lengths[rows])

    def indices_of(self, rows: np.ndarray) -> np.ndarray:
        """Where the values of the given rows stand in `values`: int64 `[sum of their lengths]`."""
        lengths = self.lengths[rows]
        cuts = offsets_of(lengths)
        return np.repeat(self.offsets[rows] - cuts[:-1], lengths) + np.arange(cuts[-1])

    def to_lists(self) -> list[list[int]]:
        """Plain lists, for looking at and for tests."""
        return [row.tolist() for row in self]

    def to_dense(self, pad: int, *, multiple_of: int = 1) -> np.ndarray:
        """A matrix `[B, W]`, short rows filled with `pad` at the right; `W` is rounded up to `multiple_of`.

        >>> Ragged.from_lists([[1, 2, 3], [4]]).to_dense(0, multiple_of=4).tolist()
        [[1, 2, 3, 0], [4, 0, 0, 0]]
        """
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        matrix = np.full((len(self), -(-longest // multiple_of) * multiple_of), pad, dtype=self.values.dtype)
        matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = self.values
        return matrix

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, row: int) -> np.ndarray:
        row = range(len(self))[row]
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Row starts and the end: int64 `[B + 1]`, from row lengths `[B]`."""
    offsets = np.zeros(lengths.size + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def join(parts: Sequence[Ragged]) -> Ragged:
    """All rows of all parts, one after the other."""
    return Ragged.from_lengths(
        np.concatenate([part.values for part in parts]), np.concatenate([part.lengths for part in parts])
    )
