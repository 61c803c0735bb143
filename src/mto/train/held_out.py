"""Losses on fixed held-out pairs, in nats a token and in bits a byte: the same for every kind of training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mto.families import Adapter
from mto.objectives import Ragged
from mto.train.batches import Batch, collate, plan_batches
from mto.train.cross_entropy import IGNORE
from mto.train.loss import seq2seq_loss


@dataclass(frozen=True)
class HeldOut:
    """Fixed validation batches under one name.

    Attributes:
        name: such as ``denoising/windows``.
        batches: as in training.
        tokens: labels in all, EOS and sentinels included.
        text_bytes: UTF-8 bytes of the target texts (sentinels and EOS are no text).
    """

    name: str
    batches: tuple[Batch, ...]
    tokens: int
    text_bytes: int


def held_out_set(
    name: str, source: Ragged, target: Ragged, adapter: Adapter, *, batch_tokens: int
) -> HeldOut:
    """Batch pairs once, of similar length together.

    Args:
        source, target: ids, EOS where it belongs; row by row.
        batch_tokens: source and target tokens of a batch, pads included.
    """
    lengths = np.stack([source.lengths, target.lengths], axis=1)
    plan = plan_batches(lengths, np.random.default_rng(0), tokens=batch_tokens)
    batches = tuple(
        collate([(source[r].tolist(), target[r].tolist()) for r in rows.tolist()], adapter.pad_id)
        for rows in plan
    )
    size = sum(len(adapter.decode(row).encode()) for row in target)
    return HeldOut(name, batches, int(lengths[:, 1].sum()), size)


def measure(model: object, sets: Sequence[HeldOut], dtype: torch.dtype = torch.float32) -> dict[str, float]:
    """Loss of each set.

    Returns:
        ``NAME`` in nats a token, ``NAME bits a byte``, and ``loss``: the mean of the nats over the sets.
    """
    values: dict[str, float] = {}
    device = next(model.parameters()).device  # type: ignore[attr-defined]
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        for held in sets:
            total = 0.0
            for batch in held.batches:
                count = int((batch.labels != IGNORE).sum())
                total += float(seq2seq_loss(model, batch.to(device))) * count
            values[held.name] = total / held.tokens
            values[f"{held.name} bits a byte"] = total / math.log(2) / max(1, held.text_bytes)
    values["loss"] = float(np.mean([values[h.name] for h in sets]))
    return values
