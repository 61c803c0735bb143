"""A tiny problem that a tiny model can learn: copy the source."""

from __future__ import annotations

import numpy as np
import torch

from mto.train.batches import Batch
from mto.train.cross_entropy import fused_cross_entropy


def pairs(n: int, seed: int = 0, low: int = 5, high: int = 40) -> list[tuple[list[int], list[int]]]:
    """`n` (source, target) pairs of 3 to 20 ids; each ends in EOS (1) and the target is the start of the source."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        ids = rng.integers(low, high, rng.integers(3, 20)).tolist()
        made.append(([*ids, 1], [*ids[: max(1, len(ids) // 2)], 1]))
    return made


class Bag(torch.nn.Module):
    """Predicts every target token from the mean of the source's embeddings: small, and no transformers to import."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table, self.head = torch.nn.Embedding(60, 16), torch.nn.Linear(16, 60)


def bag_loss(model: Bag, batch: Batch, *, factor: float) -> torch.Tensor:
    weights = batch.attention_mask[..., None].float()
    state = (model.table(batch.input_ids) * weights).sum(1) / weights.sum(1)
    wide = state[:, None].expand(-1, batch.labels.shape[1], -1)
    return fused_cross_entropy(wide, model.head.weight, batch.labels, bias=model.head.bias, factor=factor)
