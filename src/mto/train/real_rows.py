"""Which rows of a padded batch count, so that layers need not multiply pads.

In few-shot tuning a batch has a few short answers and one long one, and most decoder rows are pads. What a pad's row holds reaches no
loss: the encoder's pads are masked as keys, and in the decoder nothing looks at what comes later. So a layer may leave them zero.
Source: unpadding as in Zeng et al. (2022), "Boosting distributed training performance of the unpadded BERT model", here a layer at a time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from mto.train.batches import Batch
from mto.train.cross_entropy import IGNORE

Side = Literal["source", "target"]
# Rows are taken out before a product and put back after it, so a few pads are cheaper multiplied.
LEAST_PADS = 0.1


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of padded states that are multiplied.

    Attributes:
        values: [N, width], in the dtype of the product.
        places: indices [N] of them among all rows; None: these are all rows.
        count: number of all rows.
    """

    values: Tensor
    places: Tensor | None
    count: int


class RealRows:
    """Rows of a batch that count, looked for when a layer first asks.

    For masks ``[[1, 1], [1, 0]]`` the places on the source side are 0, 1 and 2 of four.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._last: dict[Side, tuple[Tensor, int, Rows]] = {}

    def places(self, side: Side, shape: Sequence[int]) -> Tensor | None:
        """Indices [N] into the flattened rows of states with this shape, [B, L, width].

        None where all rows are to be multiplied: the states are not this batch's, or hardly any of them are pads.
        """
        wanted, found = (
            (self._batch.attention_mask.shape, self._source)
            if side == "source"
            else (self._batch.labels.shape, self._target)
        )
        return found if tuple(shape[:-1]) == tuple(wanted) else None

    def of(self, side: Side, states: Tensor, dtype: torch.dtype) -> Rows:
        """The rows of `states` that count. Layers that read the same states one after the other (query, key, value) share them."""
        last, version = self._last.get(side), 0 if states.is_inference() else states._version
        if last is not None and last[0] is states and last[1] == version and last[2].values.dtype == dtype:
            return last[2]
        rows = _taken(states, self.places(side, states.shape), dtype)
        self._last[side] = (states, version, rows)
        return rows

    @cached_property
    def _source(self) -> Tensor | None:
        return _places(self._batch.attention_mask != 0)

    @cached_property
    def _target(self) -> Tensor | None:
        labelled = self._batch.labels != IGNORE
        # All up to the last label: a position without one is still read by those after it.
        return _places(labelled.int().flip(1).cummax(1).values.flip(1) != 0)


def _places(real: Tensor) -> Tensor | None:
    places = real.reshape(-1).nonzero().squeeze(-1)
    return places if 0 < len(places) <= (1 - LEAST_PADS) * real.numel() else None


_CURRENT: ContextVar[RealRows | None] = ContextVar("real_rows", default=None)


@contextlib.contextmanager
def real_rows_of(batch: Batch) -> Iterator[None]:
    """Around a forward pass: its layers may ask which rows of `batch` count."""
    token = _CURRENT.set(RealRows(batch))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def real_rows(states: Tensor, side: Side | None, dtype: torch.dtype) -> Rows:
    """The rows of states [..., width] to be multiplied: those that count in the forward pass that is running (see `real_rows_of`).

    All of them outside of one, and for a layer of no side. Differentiable.
    """
    current = _CURRENT.get()
    return _taken(states, None, dtype) if current is None or side is None else current.of(side, states, dtype)


def _taken(states: Tensor, places: Tensor | None, dtype: torch.dtype) -> Rows:
    flat = states.reshape(-1, states.shape[-1])
    count = flat.shape[0]
    return Rows(flat.to(dtype) if places is None else _Taken.apply(flat, places, dtype), places, count)


class _Taken(torch.autograd.Function):
    """Rows at some places, cast. Its backward writes each row once, where that of ``index_select`` adds."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor, dtype: torch.dtype) -> Tensor:
        ctx.places, ctx.count, ctx.dtype = places, rows.shape[0], rows.dtype
        return rows.index_select(0, places).to(dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return spread(grads[0].to(ctx.dtype), ctx.places, ctx.count), None, None


def spread(rows: Tensor, places: Tensor | None, count: int) -> Tensor:
    """Rows [N, width] at their places among `count`; zeros elsewhere."""
    if places is None:
        return rows
    return rows.new_zeros(count, rows.shape[1]).index_copy_(0, places, rows)


_CROSS = frozenset({"EncDecAttention", "encoder_attn"})
_KEYS = frozenset({"k", "v", "k_proj", "v_proj"})


def side_of(name: str) -> Side | None:
    """Whose rows a layer of a T5- or BART-shaped model multiplies, by its name; None: neither (the head), or not known.

    Keys and values of cross-attention lie in the decoder and read the source.

    >>> side_of("model.decoder.layers.0.encoder_attn.k_proj"), side_of("model.decoder.layers.0.fc1"), side_of("lm_head")
    ('source', 'target', None)
    """
    parts = set(name.split("."))
    if "decoder" in parts:
        return "source" if parts & _CROSS and parts & _KEYS else "target"
    return "source" if "encoder" in parts else None
