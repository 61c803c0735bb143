"""Prefix language modelling: the beginning of a text, against its continuation (docs/method.md 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mto.objectives.layouts import KeptSource, NoiseTarget
from mto.objectives.masks import SuffixNoise
from mto.objectives.pairs import Pairs
from mto.objectives.parts import Parts
from mto.objectives.ragged import Ragged
from mto.objectives.special import SpecialIds


@dataclass(frozen=True)
class PrefixLM:
    """Each row is split at an even random place, with at least one token on each side.

    The row ``10 11 12 13 14`` split after two tokens, EOS 1, becomes source ``10 11 1`` and target
    ``12 13 14 1``; where the text does not end with the row (`target_eos` false) the target is ``12 13 14``.

    Args:
        special: sentinels and EOS of the model.
        max_suffix: longest target as a share of the row; 1 as T5 (mean one half), 0.5 as UL2 (mean a quarter).
        sentinel: end the source with the first sentinel (what the UL2 model card shows; off in its paper).
        mode_ids: put before each source (UL2's mode tokens).
        name: what losses are reported under.

    >>> special = SpecialIds(sentinels=(99, 98, 97), eos=1)
    >>> batch = Ragged.from_lists([range(10, 20), range(30, 36)])
    >>> ends = np.array([True, False])
    >>> pairs = PrefixLM(special)(batch, np.random.default_rng(0), target_eos=ends)
    >>> pairs.source.to_lists()
    [[10, 11, 12, 13, 1], [30, 31, 32, 33, 1]]
    >>> pairs.target.to_lists()
    [[14, 15, 16, 17, 18, 19, 1], [34, 35]]
    """

    special: SpecialIds
    max_suffix: float = 1.0
    sentinel: bool = False
    mode_ids: tuple[int, ...] = ()
    name: str = "lm"

    def __post_init__(self) -> None:
        self.noise()  # Raises now, not at the first batch.

    def noise(self) -> SuffixNoise:
        """What decides the split."""
        return SuffixNoise(self.max_suffix)

    def parts(self) -> Parts:
        """Noise mask, source layout and target layout."""
        source = KeptSource(self.special, self.mode_ids, self.sentinel)
        return Parts(self.noise(), source, NoiseTarget(self.special))

    @property
    def min_length(self) -> int:
        """Shortest row that can be split: 2 tokens."""
        return self.noise().min_length

    def maskable(self, batch: Ragged, word_starts: np.ndarray | None = None) -> np.ndarray:
        """Rows of 2 tokens or more: bool `[B]`."""
        return self.noise().maskable(batch, word_starts)

    def __call__(
        self,
        batch: Ragged,
        rng: np.random.Generator,
        word_starts: np.ndarray | None = None,
        *,
        target_eos: np.ndarray | bool = True,
    ) -> Pairs:
        """Write a pair for each row; the target ends in EOS where `target_eos` is true.

        Raises:
            ObjectiveError: a row is too short or holds a sentinel.
        """
        self.special.refuse_in(batch.values, batch.offsets)
        return self.parts().write(batch, rng, word_starts, target_eos, self.name)
