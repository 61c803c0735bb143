"""The second and third part of an objective: how source and target are written, given the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mto.objectives.ragged import Ragged
from mto.objectives.special import SpecialIds


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of noise in a batch; a run never crosses the end of a row.

    Args:
        noise: bool `[N]`.
        noise_at: where the noise tokens stand: int64 `[noise tokens]`.
        starts: where the spans begin: int64 `[S]`.
        first_noise: number of noise tokens before each span: int64 `[S]`.
        offsets: spans of row `b` are ``offsets[b]`` to ``offsets[b + 1]``: int64 `[B + 1]`.
        noise_offsets: the same for noise tokens: int64 `[B + 1]`.
    """

    noise: np.ndarray
    noise_at: np.ndarray
    starts: np.ndarray
    first_noise: np.ndarray
    offsets: np.ndarray
    noise_offsets: np.ndarray

    @classmethod
    def find(cls, noise: np.ndarray, offsets: np.ndarray) -> Spans:
        """Read the spans out of a mask over rows with the given offsets."""
        begins = noise.copy()
        begins[1:] &= ~noise[:-1]
        row_starts = offsets[:-1][offsets[:-1] < offsets[1:]]
        begins[row_starts] = noise[row_starts]
        noise_at, starts = np.flatnonzero(noise), np.flatnonzero(begins)
        return cls(
            noise,
            noise_at,
            starts,
            np.flatnonzero(begins[noise_at]),
            np.searchsorted(starts, offsets).astype(np.int64),
            np.searchsorted(noise_at, offsets).astype(np.int64),
        )

    @property
    def lengths(self) -> np.ndarray:
        """Tokens in each span: int64 `[S]`."""
        return np.diff(self.first_noise, append=self.noise_at.size)

    @property
    def counts(self) -> np.ndarray:
        """Spans in each row: int64 `[B]`."""
        return np.diff(self.offsets)

    @property
    def numbers(self) -> np.ndarray:
        """The number of each span within its row, from 0: int64 `[S]`."""
        return np.arange(self.starts.size) - np.repeat(self.offsets[:-1], self.counts)


class Layout(Protocol):
    """Writes one side of the pairs."""

    def __call__(self, batch: Ragged, spans: Spans, ends: np.ndarray) -> Ragged:
        """Write all rows; `ends` (bool `[B]`) tells which texts really end with their row."""
        ...


@dataclass(frozen=True)
class SentinelSource:
    """Kept tokens, each span replaced by the next sentinel, then EOS; `mode_ids` stand first."""

    special: SpecialIds
    mode_ids: tuple[int, ...] = ()

    def __call__(self, batch: Ragged, spans: Spans, ends: np.ndarray) -> Ragged:
        self.special.require(int(spans.counts.max(initial=0)))
        ids, kept = batch.values.copy(), ~spans.noise
        ids[spans.starts] = self.special.sentinel_array(ids.dtype)[spans.numbers]
        kept[spans.starts] = True
        lengths = batch.lengths - np.diff(spans.noise_offsets) + spans.counts
        return framed(Ragged.from_lengths(ids[kept], lengths), self.mode_ids, self.special.eos)


@dataclass(frozen=True)
class SpanTarget:
    """For each span its sentinel and its tokens, then EOS; `closing` puts the next sentinel before EOS."""

    special: SpecialIds
    closing: bool = False

    def __call__(self, batch: Ragged, spans: Spans, ends: np.ndarray) -> Ragged:
        self.special.require(int(spans.counts.max(initial=0)) + self.closing)
        sentinels = self.special.sentinel_array(batch.values.dtype)
        places = spans.first_noise + np.arange(spans.starts.size)
        ids = _with_holes(batch.values[spans.noise_at], places, spans.starts.size)
        ids[places] = sentinels[spans.numbers]
        rows = Ragged(ids, spans.offsets + spans.noise_offsets)
        if self.closing:
            rows = appended(rows, sentinels[spans.counts])
        return framed(rows, (), self.special.eos)


@dataclass(frozen=True)
class KeptSource:
    """Kept tokens, then EOS; `mode_ids` stand first; `sentinel` puts the first sentinel before EOS."""

    special: SpecialIds
    mode_ids: tuple[int, ...] = ()
    sentinel: bool = False

    def __call__(self, batch: Ragged, spans: Spans, ends: np.ndarray) -> Ragged:
        self.special.require(int(self.sentinel))
        rows = Ragged(batch.values[~spans.noise], batch.offsets - spans.noise_offsets)
        if self.sentinel:
            rows = appended(rows, np.full(len(rows), self.special.sentinels[0], dtype=rows.values.dtype))
        return framed(rows, self.mode_ids, self.special.eos)


@dataclass(frozen=True)
class NoiseTarget:
    """Noise tokens, then EOS where the text really ends."""

    special: SpecialIds

    def __call__(self, batch: Ragged, spans: Spans, ends: np.ndarray) -> Ragged:
        rows = Ragged(batch.values[spans.noise_at], spans.noise_offsets)
        return framed(rows, (), self.special.eos, ends)


def framed(rows: Ragged, head: tuple[int, ...], eos: int, ends: np.ndarray | None = None) -> Ragged:
    """Put `head` before each row and EOS after it (only where `ends` is true, if given).

    >>> framed(Ragged.from_lists([[7, 8], [9]]), (3,), 1, np.array([True, False])).to_lists()
    [[3, 7, 8, 1], [3, 9]]
    """
    every = np.arange(len(rows) + 1)
    tails = every if ends is None else np.concatenate([[0], np.cumsum(ends)])
    offsets = rows.offsets + every * len(head) + tails
    last = offsets[1:] - 1 if ends is None else offsets[1:][ends] - 1
    heads = (offsets[:-1, None] + np.arange(len(head))).ravel()
    places = np.concatenate([last, heads]) if head else last
    ids = _with_holes(rows.values, places, places.size)
    ids[last] = eos
    if head:
        ids[heads] = np.tile(np.array(head, dtype=ids.dtype), len(rows))
    return Ragged(ids, offsets)


def appended(rows: Ragged, ids: np.ndarray) -> Ragged:
    """Put one id `[B]` after each row."""
    offsets = rows.offsets + np.arange(len(rows) + 1)
    values = _with_holes(rows.values, offsets[1:] - 1, ids.size)
    values[offsets[1:] - 1] = ids
    return Ragged(values, offsets)


def _with_holes(values: np.ndarray, holes: np.ndarray, count: int) -> np.ndarray:
    """A longer array that holds `values` in order, with `count` places left free at `holes`."""
    out = np.empty(values.size + count, dtype=values.dtype)
    free = np.ones(out.size, dtype=bool)
    free[holes] = False
    out[free] = values
    return out
