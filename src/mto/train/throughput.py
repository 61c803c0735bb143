"""Tokens a second, and the share of the machine's matrix-product peak that a training reaches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from mto.train.precision import product_speed


@dataclass(frozen=True)
class ModelSize:
    """Weights (not embeddings) that every token of a kind is multiplied with.

    Attributes:
        encoder: by each source token.
        decoder: by each target token.
        cross: cross-attention keys and values, by each source token.
        head: by each target token with a label.
    """

    encoder: int
    decoder: int
    cross: int
    head: int

    def step_flops(self, source_tokens: int, target_tokens: int) -> float:
        """Floating-point operations of forward and backward: 6 for each weight and token (Kaplan et al. 2020).

        Products inside attention (no weights) are left out. With 10 M encoder weights, 8 M decoder weights, of which 1 M cross, and a
        6 M head, 3,000 source and 1,000 target tokens are 6 * (11 M * 3,000 + 13 M * 1,000) = 2.8e11.
        """
        source = (self.encoder + self.cross) * source_tokens
        target = (self.decoder - self.cross + self.head) * target_tokens
        return 6.0 * (source + target)


def model_size(model: Any) -> ModelSize | None:
    """Count the weights of a T5- or BART-shaped model; None for other shapes."""
    inner = getattr(model, "model", model)
    if not (hasattr(inner, "encoder") and hasattr(inner, "decoder") and hasattr(model, "lm_head")):
        return None
    tables = {id(p) for m in model.modules() if isinstance(m, torch.nn.Embedding) for p in m.parameters()}

    def count(module: torch.nn.Module) -> int:
        return sum(p.numel() for p in module.parameters() if p.ndim == 2 and id(p) not in tables)

    cross = sum(
        weight.numel()
        for name, weight in inner.decoder.named_parameters()
        if name.endswith(
            (
                "EncDecAttention.k.weight",
                "EncDecAttention.v.weight",
                "encoder_attn.k_proj.weight",
                "encoder_attn.v_proj.weight",
            )
        )
    )
    return ModelSize(count(inner.encoder), count(inner.decoder), cross, model.lm_head.weight.numel())


@lru_cache(maxsize=16)
def _peak(dtype: torch.dtype, device: str, threads: int) -> float:
    return max(product_speed(dtype, rows=2048, width=w, device=device) for w in (512, 1024))


def matrix_peak(dtype: torch.dtype, device: str = "cpu") -> float:
    """Measured floating-point operations a second of a large product with the threads in use (0.3 s; remembered)."""
    return _peak(dtype, device, torch.get_num_threads())
