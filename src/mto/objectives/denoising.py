"""Denoising (span corruption): the text with spans replaced by sentinels, against the spans (docs/method.md 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mto.objectives.layouts import SentinelSource, SpanTarget
from mto.objectives.lengths import Lengths, solve_lengths
from mto.objectives.masks import Rounding, SpanNoise
from mto.objectives.pairs import Pairs
from mto.objectives.parts import Parts
from mto.objectives.ragged import Ragged
from mto.objectives.special import SpecialIds


@dataclass(frozen=True)
class Denoising:
    """Span corruption as T5 writes it, with spans at random places (`SpanNoise` says how, and what is raised).

    The row ``10 11 12 13 14 15 16`` with noise on ``12 13`` and ``15``, sentinels 99 and 98, EOS 1, becomes
    source ``10 11 99 14 98 16 1`` and target ``99 12 13 98 15 1``. There is no closing sentinel in the
    target, as in T5's pre-training, unless `closing` is set.

    Args:
        special: sentinels and EOS of the model.
        density: share of tokens that are masked (T5: 0.15).
        mean_span: mean length of a masked span in tokens (T5: 3; ByT5: 20).
        whole_words: never cut a word; the call needs `word_starts`.
        spans: range of the number of spans in a row, instead of `mean_span`.
        rounding: "stochastic" or "nearest".
        closing: end the target with one more sentinel.
        mode_ids: put before each source (UL2's mode tokens).
        name: what losses are reported under.

    >>> special = SpecialIds(sentinels=(99, 98, 97), eos=1)
    >>> batch = Ragged.from_lists([range(10, 20), range(30, 36)])
    >>> pairs = Denoising(special, density=0.3, mean_span=1.5)(batch, np.random.default_rng(0))
    >>> pairs.source.to_lists()
    [[10, 11, 12, 13, 99, 16, 17, 18, 98, 1], [30, 31, 32, 99, 35, 1]]
    >>> pairs.target.to_lists()
    [[99, 14, 15, 98, 19, 1], [99, 33, 34, 1]]
    """

    special: SpecialIds
    density: float = 0.15
    mean_span: float = 3.0
    whole_words: bool = False
    spans: tuple[int, int] | None = None
    rounding: Rounding = "stochastic"
    closing: bool = False
    mode_ids: tuple[int, ...] = ()
    name: str = "denoising"

    def __post_init__(self) -> None:
        self.noise()  # Raises now, not at the first batch.

    def noise(self) -> SpanNoise:
        """The masker."""
        return SpanNoise(self.density, self.mean_span, self.whole_words, self.spans, self.rounding)

    def parts(self) -> Parts:
        """Noise mask, source layout and target layout."""
        return Parts(
            self.noise(), SentinelSource(self.special, self.mode_ids), SpanTarget(self.special, self.closing)
        )

    def lengths(self, max_source: int, max_target: int | None = None) -> Lengths:
        """Longest raw row whose source always fits `max_source`, and how long its target gets.

        Raises:
            ObjectiveError: what `solve_lengths` raises; or masks are of whole words, whose lengths differ.
        """
        return solve_lengths(
            max_source,
            self.noise(),
            max_target=max_target,
            closing=self.closing,
            mode_length=len(self.mode_ids),
            sentinels=len(self.special.sentinels),
        )

    @property
    def min_length(self) -> int:
        """Shortest row that can be masked: 5 tokens."""
        return self.noise().min_length

    def maskable(self, batch: Ragged, word_starts: np.ndarray | None = None) -> np.ndarray:
        """Rows of 5 tokens or more, and with whole words of 2 words or more: bool `[B]`."""
        return self.noise().maskable(batch, word_starts)

    def __call__(
        self,
        batch: Ragged,
        rng: np.random.Generator,
        word_starts: np.ndarray | None = None,
        *,
        target_eos: np.ndarray | bool = True,
    ) -> Pairs:
        """Write a pair for each row; `target_eos` has no effect, the target always ends in EOS.

        Raises:
            ObjectiveError: a row is too short, holds a sentinel, or needs more sentinels than there are.
        """
        self.special.refuse_in(batch.values, batch.offsets)
        return self.parts().write(batch, rng, word_starts, target_eos, self.name)
