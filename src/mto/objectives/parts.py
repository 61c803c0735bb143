"""Three pluggable parts make an objective: noise mask, source layout, target layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mto.errors import ObjectiveError
from mto.objectives.layouts import Layout, Spans
from mto.objectives.masks import NoiseMask
from mto.objectives.pairs import Pairs
from mto.objectives.ragged import Ragged


@dataclass(frozen=True)
class Parts:
    """Any mask with any two layouts. Denoising and prefix LM are two choices; yours may be a third.

    Args:
        noise: which tokens are noise: ``(batch, rng, word_starts) -> bool [N]``.
        source: writes the encoder's side.
        target: writes the decoder's side.
    """

    noise: NoiseMask
    source: Layout
    target: Layout

    def write(
        self,
        batch: Ragged,
        rng: np.random.Generator,
        word_starts: np.ndarray | None = None,
        target_eos: np.ndarray | bool = True,
        name: str = "custom",
    ) -> Pairs:
        """Draw the noise and write both sides of every row."""
        noise = self.noise(batch, rng, word_starts)
        spans = Spans.find(noise, batch.offsets)
        ends = ends_of(target_eos, len(batch))
        return Pairs(
            source=self.source(batch, spans, ends),
            target=self.target(batch, spans, ends),
            noise=batch.like(noise),
            objective=np.zeros(len(batch), dtype=np.int8),
            names=(name,),
        )


def ends_of(target_eos: np.ndarray | bool, rows: int) -> np.ndarray:
    """One bool for each row: `[B]`. Raises `ObjectiveError` when the shape does not fit."""
    if isinstance(target_eos, (bool, np.bool_)):
        return np.full(rows, target_eos)
    if target_eos.shape != (rows,) or target_eos.dtype != np.bool_:
        raise ObjectiveError(
            f"target_eos has shape {target_eos.shape} and type {target_eos.dtype}, expected bool ({rows},)",
            hint="give one bool, or one for each row",
        )
    return target_eos
