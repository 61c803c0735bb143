"""What the fast classifier sees of an example: what the encoder makes of head and tail, and their plain shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from mto.evaluate.batches import pad_rows, plan_batches
from mto.evaluate.forward import evaluating
from mto.families import LoadedModel
from mto.tasks import Row

Floats = NDArray[np.float64]
BATCH_TOKENS = 2048
LAYOUT = 1
"""Number of the layout of the columns; stored coefficients belong to one layout."""
SHAPE = (
    "log(1 + words of the head)",
    "log(1 + words of the tail)",
    "log(1 + characters of the tail)",
    "whether the tail is one word",
    "whether the tail is one word or two",
    "log(1 + words of the tail) - log(1 + words of the head)",
    "share of the tail's words that stand in the head",
)
"""The plain features, in order."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n examples, block by block.

    Attributes:
        blocks: ``head``, ``tail`` and ``difference`` ``[n, width]``, ``shape`` ``[n, 7]``.
    """

    blocks: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.blocks["shape"])

    def take(self, chosen: NDArray[np.bool_]) -> Features:
        """The examples that are chosen."""
        return Features({name: block[chosen] for name, block in self.blocks.items()})


@dataclass(frozen=True, eq=False)
class SentenceEncoder:
    """Mean encoder states of texts; a text is encoded once however often it is asked for.

    It reads the weights that are in the model at that time.
    """

    loaded: LoadedModel
    _known: dict[str, Floats] = field(default_factory=dict, repr=False)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """``[n, width]``: the mean over the states of a text's tokens (EOS left out, unless it is alone)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, _mean_states(self.loaded, new), strict=True))
        return np.stack([self._known[text] for text in texts])


def features(encoder: SentenceEncoder, rows: Sequence[Row]) -> Features:
    """Features of rows; the row's relation, phrase and other references are not looked at.

    ``difference`` is the absolute difference of the two mean states, each scaled to length 1 first: how unlike tail and
    head are, direction by direction.
    """
    head = encoder([row.head for row in rows])
    tail = encoder([row.target for row in rows])
    difference = np.abs(_unit(tail) - _unit(head))
    return Features({"head": head, "tail": tail, "difference": difference, "shape": shape_features(rows)})


def shape_features(rows: Sequence[Row]) -> Floats:
    """``[n, 7]``, in the order of `SHAPE`; no model needed.

    >>> row = Row("1", {"head": "claw hammer"}, "pounding nails", ("pounding nails",), "")
    >>> shape_features([row]).round(2).tolist()
    [[1.1, 1.1, 2.71, 0.0, 1.0, 0.0, 0.0]]
    """
    return np.array([_shape(row.head, row.target) for row in rows], dtype=np.float64)


def _shape(head: str, tail: str) -> tuple[float, ...]:
    in_head, in_tail = head.casefold().split(), tail.casefold().split()
    words = np.log1p(len(in_tail))
    shared = len(set(in_head) & set(in_tail)) / max(1, len(set(in_tail)))
    return (
        np.log1p(len(in_head)), words, np.log1p(len(tail.strip())), float(len(in_tail) == 1),
        float(len(in_tail) <= 2), words - np.log1p(len(in_head)), shared,
    )  # fmt: skip


def _unit(states: Floats) -> Floats:
    return states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)


def _mean_states(loaded: LoadedModel, texts: Sequence[str]) -> Floats:
    adapter, model = loaded.adapter, loaded.model
    room = None if adapter.max_positions is None else adapter.max_positions - 1
    ids = [[*tokens[:room], adapter.eos_id] for tokens in adapter.encode_many(list(texts))]
    means = np.zeros((len(ids), model.get_input_embeddings().weight.shape[1]))
    with evaluating(model, rows=len(ids)) as forward:
        for batch in plan_batches([len(row) for row in ids], max_tokens=BATCH_TOKENS):
            tokens, mask = pad_rows([ids[i] for i in batch], adapter.pad_id, forward.device)
            states = forward.encode(tokens, mask).states.float()
            kept = mask.clone()
            ends = mask.sum(1) - 1
            kept[torch.arange(len(batch), device=kept.device), ends] = (ends == 0).long()
            mean = (states * kept[..., None]).sum(1) / kept.sum(1, keepdim=True)
            means[batch] = mean.cpu().numpy()
    return means
