"""The first part of an objective: which tokens of each row go into the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from mto.errors import ObjectiveError
from mto.objectives.ragged import Ragged, offsets_of
from mto.objectives.sampling import random_subsets, round_random

Rounding = Literal["stochastic", "nearest"]
SHORTEST_DENOISED = 5
"""Texts of fewer tokens are refused by denoising: one token of four is no longer noise, it is the text."""


class NoiseMask(Protocol):
    """Decides which tokens are noise."""

    @property
    def min_length(self) -> int: ...
    def maskable(self, batch: Ragged, word_starts: np.ndarray | None) -> np.ndarray: ...
    def __call__(
        self, batch: Ragged, rng: np.random.Generator, word_starts: np.ndarray | None
    ) -> np.ndarray: ...


@dataclass(frozen=True)
class SpanNoise:
    """Spans at random places: every way to place the spans of a row is equally likely.

    A row of `L` tokens gets ``n = density * L`` noise tokens (rounded, within 1 and L - 1) in
    ``s = n / mean_span`` spans (rounded, within 1 and what fits). Span lengths are a random composition of `n`
    in `s` parts, and the spans fall at random among the kept tokens, at least one of which parts any two
    spans. A span may stand first or last. T5's own masker always puts the last span at the end, so that with
    one span (up to 30 tokens) it masks suffixes only; this one does not.

    With whole words the same is done in units of words, so that no word is cut: `density` is a share of words,
    and the mean span is still close to `mean_span` tokens.

    Args:
        density: share of noise tokens, above 0 and below 1.
        mean_span: tokens in a span, on average, 1 or more.
        whole_words: never cut a word; the call then needs `word_starts`.
        spans: draw the number of spans of each row evenly from this range (both ends included) instead of
            deriving it from `mean_span`; `density` still says how many tokens they share.
        rounding: "stochastic" keeps density and span count true on average at any length; "nearest" gives all
            rows of one length the same counts.
    """

    density: float = 0.15
    mean_span: float = 3.0
    whole_words: bool = False
    spans: tuple[int, int] | None = None
    rounding: Rounding = "stochastic"

    def __post_init__(self) -> None:
        if not 0 < self.density < 1:
            raise ObjectiveError(f"noise density {self.density} is not between 0 and 1", hint="T5 used 0.15")
        if not 1 <= self.mean_span < np.inf:
            raise ObjectiveError(f"mean span {self.mean_span} is not 1 token or more", hint="T5 used 3")
        if self.spans is not None and not 1 <= self.spans[0] <= self.spans[1]:
            raise ObjectiveError(f"spans {self.spans} is no range", hint="give (fewest, most), from 1 up")
        if self.rounding not in ("stochastic", "nearest"):
            raise ObjectiveError(f"rounding '{self.rounding}' is unknown", hint="stochastic or nearest")

    @property
    def min_length(self) -> int:
        return SHORTEST_DENOISED

    def maskable(self, batch: Ragged, word_starts: np.ndarray | None) -> np.ndarray:
        """Rows of 5 tokens or more, and with whole words of 2 words or more: bool `[B]`."""
        fits = batch.lengths >= SHORTEST_DENOISED
        if self.whole_words:
            fits &= _words(batch, word_starts).lengths >= 2
        return fits

    def __call__(self, batch: Ragged, rng: np.random.Generator, word_starts: np.ndarray | None) -> np.ndarray:
        """Draw a mask: bool `[N]`. Raises `ObjectiveError` where `maskable` is false."""
        refuse_unmaskable(self.maskable(batch, word_starts), batch, "denoising", self.min_length)
        if not self.whole_words:
            return self._draw(batch.lengths, 1.0, rng)
        words = _words(batch, word_starts)
        tokens_per_word = batch.lengths / words.lengths
        return np.repeat(self._draw(words.lengths, tokens_per_word, rng), words.values)

    def counts(
        self, lengths: np.ndarray, rng: np.random.Generator | None, tokens_per_unit: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Noise units and spans for rows of the given lengths `[B]`; without `rng`, to the nearest.

        >>> [c.tolist() for c in SpanNoise().counts(np.array([5, 30, 128]), None)]
        [[1, 5, 19], [1, 2, 6]]
        """
        rounding = rng if self.rounding == "stochastic" else None
        noise = self._fit_noise(round_random(lengths * self.density, rounding), lengths)
        if self.spans is not None and rng is not None:
            spans = rng.integers(self.spans[0], self.spans[1], size=lengths.size, endpoint=True)
        elif self.spans is not None:
            spans = np.full(lengths.size, sum(self.spans) // 2)
        else:
            spans = round_random(noise * tokens_per_unit / self.mean_span, rounding)
        return noise, self._fit_spans(spans, noise, lengths)

    def extremes(self, lengths: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The combinations of fewest and most noise tokens and spans that rows of these lengths can get."""
        found = []
        for share in self._both(lengths * self.density):
            noise = self._fit_noise(share, lengths)
            if self.spans is not None:
                numbers = [np.full(lengths.size, number) for number in self.spans]
            else:
                numbers = self._both(noise / self.mean_span)
            found += [(noise, self._fit_spans(number, noise, lengths)) for number in numbers]
        return found

    def _both(self, numbers: np.ndarray) -> list[np.ndarray]:
        if self.rounding == "nearest":
            return [round_random(numbers, None)]
        return [np.floor(numbers).astype(np.int64), np.ceil(numbers).astype(np.int64)]

    @staticmethod
    def _fit_noise(noise: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        return np.clip(noise, 1, lengths - 1)

    @staticmethod
    def _fit_spans(spans: np.ndarray, noise: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        return np.clip(spans, 1, np.minimum(noise, lengths - noise + 1))

    def _draw(
        self, lengths: np.ndarray, tokens_per_unit: np.ndarray | float, rng: np.random.Generator
    ) -> np.ndarray:
        noise, spans = self.counts(lengths, rng, tokens_per_unit)
        # Cut points inside the noise: position 0 always begins a span, s - 1 of the other n - 1 do too.
        inner = random_subsets(noise - 1, spans - 1, rng)
        row = np.arange(lengths.size)
        row_of_span = np.repeat(row, spans)
        first = offsets_of(spans)[:-1]
        noise_offsets = offsets_of(noise)
        cut = np.empty(row_of_span.size, dtype=np.int64)
        is_first = np.zeros(cut.size, dtype=bool)
        is_first[first] = True
        cut[is_first] = noise_offsets[:-1]
        chosen = np.flatnonzero(inner)
        cut[~is_first] = chosen + row_of_span[~is_first] + 1
        # Slots between the kept tokens: L - n + 1 of them, each holds at most one span.
        slot = np.flatnonzero(random_subsets(lengths - noise + 1, spans, rng))
        # Both count from the start of the batch: kept tokens before, plus noise tokens before, plus one
        # slot too many for each row before.
        start = slot + cut - row_of_span
        end = start + np.diff(cut, append=noise_offsets[-1])
        edge = np.zeros(int(lengths.sum()) + 1, dtype=np.int8)
        edge[start] = 1
        edge[end] -= 1  # The next row may begin with a span where this row's last span ends.
        return np.cumsum(edge[:-1], dtype=np.int8).view(np.bool_)


@dataclass(frozen=True)
class SuffixNoise:
    """The end of each row, from a split drawn evenly: at least 1 token is kept and at least 1 is noise.

    Args:
        max_share: longest suffix as a share of the row; 1 is T5's prefix LM (half of the text on average),
            0.5 is a quarter of the text on average, as in UL2's sequential denoiser.
    """

    max_share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.max_share <= 1:
            raise ObjectiveError(f"max_share {self.max_share} is not above 0 and up to 1")

    @property
    def min_length(self) -> int:
        return 2

    def maskable(self, batch: Ragged, word_starts: np.ndarray | None) -> np.ndarray:
        """Rows of 2 tokens or more: bool `[B]`."""
        return batch.lengths >= 2

    def __call__(self, batch: Ragged, rng: np.random.Generator, word_starts: np.ndarray | None) -> np.ndarray:
        """Draw a mask: bool `[N]`. Raises `ObjectiveError` for rows of fewer than 2 tokens."""
        refuse_unmaskable(self.maskable(batch, None), batch, "prefix LM", self.min_length)
        lengths = batch.lengths
        longest = np.clip((lengths * self.max_share).astype(np.int64), 1, lengths - 1)
        suffix = 1 + (rng.random(lengths.size) * longest).astype(np.int64)
        halves = np.stack([lengths - suffix, suffix], axis=1).ravel()
        return np.repeat(np.tile(np.array([False, True]), lengths.size), halves)


def refuse_unmaskable(fits: np.ndarray, batch: Ragged, what: str, min_length: int) -> None:
    """Raise `ObjectiveError` that names the first row which does not fit."""
    if not fits.all():
        row = int(np.argmin(fits))
        raise ObjectiveError(
            f"{int((~fits).sum())} of {len(batch)} rows are too short for {what}; the first is row {row} "
            f"with {int(batch.lengths[row])} tokens",
            hint=f"rows need {min_length} tokens or more (whole-word masks: 2 words or more); "
            "keep batch.select(objective.maskable(batch))",
        )


def _words(batch: Ragged, word_starts: np.ndarray | None) -> Ragged:
    """Words of each row; the values are their lengths in tokens. A row always begins a word."""
    if word_starts is None or word_starts.shape != batch.values.shape:
        found = "none" if word_starts is None else f"shape {word_starts.shape}"
        raise ObjectiveError(
            f"whole-word masks need word_starts of shape {batch.values.shape}, found {found}",
            hint="give a bool array that is true at the first token of each word",
        )
    starts = word_starts.astype(bool, copy=True)
    starts[batch.offsets[:-1][batch.lengths > 0]] = True
    first_token = np.flatnonzero(starts)
    offsets = np.searchsorted(first_token, batch.offsets).astype(np.int64)
    return Ragged(np.diff(first_token, append=batch.values.size), offsets)
