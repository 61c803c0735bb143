"""DepthRank one example at a time, as a careful user would write it from its definition.

The model is loaded once and in evaluation mode, nothing is differentiated, and the logits of an example come from one
call. This is what `benchmarks/depthrank.py` measures against; it is not used by the library.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

Reader = Callable[[Tensor, int], float]
"""From the logits of one position and the right token to its zero-based rank."""


def by_sorting(logits: Tensor, gold: int) -> float:
    """Sort the vocabulary and look the right token up."""
    order = torch.argsort(logits, descending=True)
    return float((order == gold).nonzero()[0, 0])


def by_comparing(logits: Tensor, gold: int) -> float:
    """Count the tokens that are greater."""
    return float((logits > logits[gold]).sum())


def ranks(
    model: Any,
    tokenizer: Any,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    left_out: Collection[int],
    read: Reader = by_sorting,
) -> list[list[float]]:
    """Rank of every target token of every example; ids in `left_out` (sentinels, EOS) are passed over."""
    found = []
    with torch.inference_mode():
        for source, target in zip(sources, targets, strict=True):
            inputs = tokenizer(source, return_tensors="pt")
            labels = tokenizer(target, return_tensors="pt")["input_ids"]
            logits = model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], labels=labels
            ).logits[0]
            gold = labels[0].tolist()
            found.append([read(logits[n], token) for n, token in enumerate(gold) if token not in left_out])
    return found
