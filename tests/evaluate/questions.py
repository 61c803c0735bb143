"""Questions for tiny models: made of ids, so that no template is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mto.families import MaskPart, TextPart


@dataclass(frozen=True)
class Encoded:
    source_ids: tuple[int, ...]
    masks_asked: int = 0
    target_ids: tuple[int, ...] = ()


def words(loaded: Any, rng: np.random.Generator, least: int, most: int) -> tuple[int, ...]:
    """A few ids that are no special tokens."""
    adapter = loaded.adapter
    special = {adapter.eos_id, adapter.pad_id, *adapter.sentinel_ids, adapter.unk_id}
    plain = [i for i in range(4, adapter.vocab_rows) if i not in special]
    return tuple(int(i) for i in rng.choice(plain, size=int(rng.integers(least, most + 1))))


def questions(loaded: Any, n: int, seed: int = 0) -> list[Encoded]:
    """Sources of mixed length; every other one holds a mask. Each has a target of one to five tokens."""
    rng = np.random.default_rng(seed)
    items = []
    for index in range(n):
        masks = index % 2
        mask = [MaskPart(0)] * masks
        source = loaded.adapter.build_source([TextPart(words(loaded, rng, 1, 14)), *mask])
        target = loaded.adapter.build_target([*mask, TextPart(words(loaded, rng, 1, 5))])
        items.append(Encoded(tuple(source), masks, tuple(target)))
    return items


def logits(model: Any) -> torch.Tensor:
    """Of one short source and target; of the shape (1, 3, rows of the vocabulary)."""
    ids = torch.arange(4, 10)[None]
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=ids[:, :3]).logits
