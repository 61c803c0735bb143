"""Batches of several tasks: a step takes as many rows of every task, so that each private vector moves in every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional

from mto.train import Batch
from mto.train.batches import BatchSource
from mto.train.cross_entropy import IGNORE


class EachTask:
    """A source whose batches hold one batch of each of its sources, one below the other.

    Args:
        sources: one a task.
        pad_id: fills rows up to the longest.
    """

    def __init__(self, sources: Sequence[BatchSource], pad_id: int) -> None:
        self._sources, self._pad = tuple(sources), pad_id

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        parts = [next(source) for source in self._sources]
        return Batch(
            _stacked([part.input_ids for part in parts], self._pad),
            _stacked([part.attention_mask for part in parts], 0),
            _stacked([part.labels for part in parts], IGNORE),
        )

    def state_dict(self) -> dict[str, Any]:
        """Where every source stands."""
        return {str(n): source.state_dict() for n, source in enumerate(self._sources)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for n, source in enumerate(self._sources):
            source.load_state_dict(state[str(n)])


def _stacked(parts: Sequence[Tensor], fill: int) -> Tensor:
    width = max(part.shape[1] for part in parts)
    return torch.cat([functional.pad(part, (0, width - part.shape[1]), value=fill) for part in parts])
