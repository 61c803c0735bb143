"""Attention with few passes over the scores, for training on a CPU.

transformers' eager attention under autocast makes fp32 copies of the scores and passes over them again for scale, mask, softmax and
cast; its SDPA kernel is slow in backward for short sequences. Here the scores stay in the compute dtype (softmax works in fp32
inside), scale and mask go into the matrix product, and backward is written out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mto.train.dropout import random_keep

NAME = "mto_lean"
# Masked scores: exp is 0 in every dtype, and a row that is masked throughout stays finite.
_MASKED = -30000.0


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        bias: Tensor | None,
        scaling: float,
        dropout: float,
    ) -> Tensor:
        b, h, t, d = query.shape
        n = key.shape[2]
        q, k, v = (x.reshape(b * h, x.shape[2], d) for x in (query, key, value))
        if bias is None:
            scores = torch.baddbmm(q.new_empty(1, 1, 1), q, k.mT, beta=0, alpha=scaling)
            if mask is not None:
                # In place: a mask for the product to add to would have to be written out for every head first.
                scores.view(b, h, t, n).add_(_low(mask, q.dtype))
        else:
            # The product adds a bias before it rounds.
            added = bias.to(q.dtype) if mask is None else bias.to(q.dtype) + _low(mask, q.dtype)
            scores = torch.baddbmm(added.expand(b, h, t, n).reshape(b * h, t, n), q, k.mT, alpha=scaling)
        p = torch.softmax(scores, -1)
        keep = random_keep(p, dropout) if dropout else None
        out = torch.bmm(p if keep is None else p * keep, v)
        ctx.save_for_backward(q, k, v, p, keep)
        ctx.scaling, ctx.shape = scaling, (b, h, t, d)
        ctx.bias = None if bias is None else (bias.shape, bias.dtype)
        return out.view(b, h, t, d).transpose(1, 2).contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, p, keep = ctx.saved_tensors
        b, h, t, d = ctx.shape
        n = k.shape[1]
        g = grad.transpose(1, 2).reshape(b * h, t, d)
        grad_v = torch.bmm((p if keep is None else p * keep).mT, g)
        grad_p = torch.bmm(g, v.mT)
        if keep is not None:
            grad_p.mul_(keep)
        s = torch._softmax_backward_data(grad_p, p, -1, p.dtype)
        empty = q.new_empty(1, 1, 1)
        grad_q = torch.baddbmm(empty, s, k, beta=0, alpha=ctx.scaling).view(b, h, t, d)
        grad_k = torch.baddbmm(empty, s.mT, q, beta=0, alpha=ctx.scaling).view(b, h, n, d)
        grad_bias = None
        if ctx.needs_input_grad[4]:
            shape, dtype = ctx.bias
            # [1, H, T, S]: the sum over the batch must not be rounded to bf16 at each addition.
            wide = s.view(b, h, t, n)
            grad_bias = (
                wide.sum(0, keepdim=True, dtype=torch.float32) if shape[0] == 1 else wide.float()
            ).to(dtype)
        return grad_q, grad_k, grad_v.view(b, h, n, d), None, grad_bias, None, None


def _low(mask: Tensor, dtype: torch.dtype) -> Tensor:
    return mask.clamp(min=_MASKED).to(dtype)


def lean_mask(*args: Any, **kwargs: Any) -> Tensor | None:
    """transformers' additive mask, or None where it hides nothing: without pads the encoder needs none.

    Looked at once a forward pass, not once a layer. A compiled model keeps its mask: what is in it must not decide the graph.
    """
    from transformers.masking_utils import eager_mask

    mask: Tensor | None = eager_mask(*args, **kwargs)
    if mask is None or torch.compiler.is_compiling() or mask.device.type != "cpu" or bool(mask.any()):
        return mask
    return None


def lean_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    position_bias: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention by transformers' interface: [B, H, T, D] in, [B, T, H, D] out.

    Args:
        attention_mask: additive [B, 1, T, S], a very negative number where nothing may be seen; gets no gradient.
        position_bias: additive [1 or B, H, T, S] (T5), with gradient.
    """
    if scaling is None:
        scaling = query.shape[-1] ** -0.5
    kind = query.device.type
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    with torch.autocast(kind, enabled=False):
        out: Tensor = _Attention.apply(query, key, value, attention_mask, position_bias, scaling, dropout)
    return out, None


@contextlib.contextmanager
def attention_kind(model: Any, name: str) -> Iterator[None]:
    """Within the block `model` computes attention by `name` ("lean": the one above; "model": as it is set)."""
    before = getattr(getattr(model, "config", None), "_attn_implementation", None)
    if name == "model" or before is None or not hasattr(model, "set_attn_implementation"):
        yield
        return
    if name == "lean":
        from transformers import AttentionInterface, AttentionMaskInterface

        AttentionInterface.register(NAME, lean_attention)
        AttentionMaskInterface.register(NAME, lean_mask)
        name = NAME
    model.set_attn_implementation(name)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
