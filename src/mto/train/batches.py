"""Batches of token ids: collation, length buckets, deterministic order, exact position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from mto.errors import DataError
from mto.train.cross_entropy import IGNORE

Pair = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class Batch:
    """One batch: `input_ids` and `attention_mask` [B, S] int64, `labels` [B, T] int64 with -100 on pads."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor

    @property
    def source_tokens(self) -> int:
        """Source tokens without pads."""
        return int(self.attention_mask.sum())

    @property
    def target_tokens(self) -> int:
        """Labelled target positions."""
        return int((self.labels != IGNORE).sum())

    def to(self, device: str | torch.device) -> Batch:
        """The batch on another device (itself when it is there already)."""
        return Batch(self.input_ids.to(device), self.attention_mask.to(device), self.labels.to(device))


@runtime_checkable
class BatchSource(Protocol):
    """An iterator of batches that knows its position. `StopIteration` ends the training."""

    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def state_dict(self) -> dict[str, Any]:
        """JSON-able; with `load_state_dict` the next batch is the same, random streams included."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def collate(
    pairs: Sequence[Pair], pad_id: int, *, multiple_of: int = 8, shape: tuple[int, int] | None = None
) -> Batch:
    """Pad (source ids, target ids) pairs into one batch.

    Args:
        multiple_of: lengths are rounded up to it, so that few shapes occur.
        shape: exact (source, target) lengths instead; for compiled models.

    Raises:
        DataError: no pairs, an empty source or target, or a pair longer than `shape`.
    """
    if not pairs:
        raise DataError("a batch needs at least one pair")
    longest = tuple(max(len(pair[side]) for pair in pairs) for side in (0, 1))
    if min(min(len(s), len(t)) for s, t in pairs) == 0:
        raise DataError("a pair has an empty source or target", hint="drop empty rows before training")
    s, t = shape or (_round_up(longest[0], multiple_of), _round_up(longest[1], multiple_of))
    if longest[0] > s or longest[1] > t:
        raise DataError(
            f"a pair of {longest[0]} source and {longest[1]} target tokens does not fit a batch of {s} x {t}"
        )
    inputs = np.full((len(pairs), s), pad_id, dtype=np.int64)
    mask = np.zeros((len(pairs), s), dtype=np.int64)
    labels = np.full((len(pairs), t), IGNORE, dtype=np.int64)
    for row, (source, target) in enumerate(pairs):
        inputs[row, : len(source)] = source
        mask[row, : len(source)] = 1
        labels[row, : len(target)] = target
    return Batch(torch.from_numpy(inputs), torch.from_numpy(mask), torch.from_numpy(labels))


def _round_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def plan_batches(
    lengths: np.ndarray,
    rng: np.random.Generator,
    *,
    rows: int | None = None,
    tokens: int | None = None,
    multiple_of: int = 8,
) -> list[np.ndarray]:
    """Cut one epoch into batches of similar length, in random order.

    Items are shuffled, then sorted by (rounded source, rounded target) length, cut by `rows` or by padded
    `tokens`, and the batches are shuffled. The shuffle before the stable sort gives every epoch other neighbours.

    Args:
        lengths: int [n, 2] source and target lengths.
        rows, tokens: exactly one of them: items a batch, or source plus target tokens (pads included) a batch.

    Returns:
        Index arrays; each index stands in exactly one.
    """
    if (rows is None) == (tokens is None):
        raise DataError("give either rows or tokens a batch")
    order = rng.permutation(len(lengths))
    rounded = -(-lengths[order] // multiple_of) * multiple_of
    order = order[np.lexsort((rounded[:, 1], rounded[:, 0]))]
    if rows is not None:
        batches = [order[i : i + rows] for i in range(0, len(order), rows)]
    else:
        assert tokens is not None
        batches = _cut_by_tokens(order, -(-lengths // multiple_of) * multiple_of, tokens)
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut_by_tokens(order: np.ndarray, rounded: np.ndarray, tokens: int) -> list[np.ndarray]:
    batches, start, widest = [], 0, np.zeros(2, dtype=np.int64)
    for end, item in enumerate(order):
        wider = np.maximum(widest, rounded[item])
        if end > start and wider.sum() * (end - start + 1) > tokens:
            batches.append(order[start:end])
            start, wider = end, rounded[item]
        widest = wider
    batches.append(order[start:])
    return batches


class PairSource:
    """Endless (or `epochs` long) batches over a fixed list of pairs, bucketed by length.

    The order of epoch e depends on (seed, e) only, so the position is two numbers.

    Args:
        pairs: (source ids, target ids), EOS included.
        rows: pairs a batch; or `tokens`: padded tokens a batch.
        epochs: None: go on for ever.
        shuffle: False: as given (still bucketed when `bucket`).
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        *,
        pad_id: int,
        seed: int,
        rows: int | None = None,
        tokens: int | None = None,
        epochs: int | None = None,
        multiple_of: int = 8,
    ) -> None:
        if not len(pairs):
            raise DataError("there is nothing to train on: no pairs")
        if (rows is None) == (tokens is None):
            raise DataError("give either rows or tokens a batch")
        self._pairs, self._pad, self._seed = pairs, pad_id, seed
        self._rows, self._tokens, self._epochs, self._multiple = rows, tokens, epochs, multiple_of
        self._lengths = np.array([(len(s), len(t)) for s, t in pairs], dtype=np.int64)
        self._epoch, self._batch = 0, 0
        self._plan: tuple[int, list[np.ndarray]] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if self._epochs is not None and self._epoch >= self._epochs:
            raise StopIteration
        plan = self._planned()
        chosen = [self._pairs[i] for i in plan[self._batch]]
        self._batch += 1
        if self._batch == len(plan):
            self._epoch, self._batch = self._epoch + 1, 0
        return collate(chosen, self._pad, multiple_of=self._multiple)

    def _planned(self) -> list[np.ndarray]:
        if self._plan is None or self._plan[0] != self._epoch:
            rng = np.random.default_rng([self._seed, self._epoch])
            self._plan = (
                self._epoch,
                plan_batches(
                    self._lengths, rng, rows=self._rows, tokens=self._tokens, multiple_of=self._multiple
                ),
            )
        return self._plan[1]

    def state_dict(self) -> dict[str, Any]:
        """Position and what it depends on."""
        return {"epoch": self._epoch, "batch": self._batch, "seed": self._seed, "pairs": len(self._pairs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a stored position. Raises `DataError` when the data or the seed are others."""
        if (state["seed"], state["pairs"]) != (self._seed, len(self._pairs)):
            raise DataError(
                f"the stored position belongs to {state['pairs']} pairs with seed {state['seed']}, "
                f"not to {len(self._pairs)} with seed {self._seed}"
            )
        self._epoch, self._batch = int(state["epoch"]), int(state["batch"])
