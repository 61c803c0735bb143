"""What every objective gives out, and the protocol that every objective keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from mto.objectives.ragged import Ragged
from mto.objectives.report import MaskReport


@dataclass(frozen=True, eq=False)
class Pairs:
    """One training pair for each row of a batch, in the batch's order.

    Args:
        source: what the encoder sees; ends in EOS.
        target: what the decoder must write (the labels, without padding).
        noise: bool, the rows of the batch: which tokens went into the target.
        objective: int8 `[B]`, the index into `names` of the objective that wrote each row.
        names: names of the objectives.
    """

    source: Ragged
    target: Ragged
    noise: Ragged
    objective: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.source)

    def reports(self) -> dict[str, MaskReport]:
        """Where the noise fell, for each objective that wrote a row here; add the reports of several batches."""
        shares = {name: self.objective == index for index, name in enumerate(self.names)}
        return {name: MaskReport.of(self.noise.select(rows)) for name, rows in shares.items() if rows.any()}


@runtime_checkable
class Objective(Protocol):
    """Anything that turns rows of token ids into pairs."""

    @property
    def name(self) -> str:
        """What losses are reported under."""
        ...

    @property
    def min_length(self) -> int:
        """Shortest row, in tokens, that it can use."""
        ...

    def maskable(self, batch: Ragged, word_starts: np.ndarray | None = None) -> np.ndarray:
        """Which rows it can use: bool `[B]`; leave the others out with ``batch.select(...)``."""
        ...

    def __call__(
        self,
        batch: Ragged,
        rng: np.random.Generator,
        word_starts: np.ndarray | None = None,
        *,
        target_eos: np.ndarray | bool = True,
    ) -> Pairs:
        """Write a pair for each row.

        Args:
            batch: token ids without EOS, int32.
            rng: the masking generator; the same batch with the same state gives the same bytes.
            word_starts: bool `[N]`, true at the first token of a word; needed for whole-word masks.
            target_eos: bool, one for all or `[B]`: does the text really end with its row? A continuation
                that was cut out of a longer text gets no EOS. Denoising targets always end in EOS.
        """
        ...
