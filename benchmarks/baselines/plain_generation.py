"""Generation as the documentation of transformers shows it: tokenise with padding, `model.generate`, `batch_decode`.

This is what `benchmarks/generation.py` measures against; it is not used by the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def answers(
    model: Any, tokenizer: Any, prompts: Sequence[str], *, batch_size: int, max_new_tokens: int
) -> list[str]:
    """Greedy answers to prompts, in their order."""
    texts: list[str] = []
    for start in range(0, len(prompts), batch_size):
        inputs = tokenizer(list(prompts[start : start + batch_size]), padding=True, return_tensors="pt")
        with torch.no_grad():
            outputs = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False)
        texts += tokenizer.batch_decode(outputs, skip_special_tokens=True)
    return texts
