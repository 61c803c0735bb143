"""Cross-entropy over a large vocabulary without ever keeping fp32 logits for all positions.

Only positions with a label are computed. Chunk by chunk: logits in the compute dtype, softmax in fp32, and at
once the gradients of hidden states and head, so that backward only hands them on. The idea is that of
"Cut Your Losses in Large-Vocabulary Language Models" (Wijmans et al. 2024) in plain PyTorch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

IGNORE = -100
# Logits held at once, in the compute dtype (rows x vocabulary): 2,048 rows of 16,384. Small chunks make slow matrix
# products: 132 rows take 138 ms where 1,056 take 114 ms (one core, 384 x 16,384, 1,056 positions, bf16).
CHUNK_ELEMENTS = 2**25
# fp32 softmax is done in small blocks of a chunk, which stay in the cache: 13 ms instead of 20 ms.
BLOCK_ELEMENTS = 2**19
_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def chunk_rows(vocabulary: int) -> int:
    """Largest number of positions in one chunk: 2,048 at a vocabulary of 16,384, never fewer than 64."""
    return max(64, CHUNK_ELEMENTS // max(1, vocabulary))


def _product(left: Tensor, right: Tensor) -> Tensor:
    """``left @ right.T``; in float32 on a CPU by oneDNN, since MKL runs at under half its speed on some CPUs (`mto.tune.products`).

    48 positions of 384 against 16,384 words: 4.5 ms in place of 10.2, and 4.0 in place of 7.4 for the gradient (one core of an AMD EPYC).
    """
    if left.dtype == torch.float32 and left.device.type == "cpu" and _ONEDNN:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")
        return product
    return left @ right.t()


def _softmax_in_place(
    logits: Tensor, targets: Tensor, bias: Tensor | None, bias_gradient: Tensor | None
) -> Tensor:
    """Turn logits [n, V] into (softmax - one-hot), in place; return the summed negative log-likelihood."""
    total = torch.zeros((), dtype=torch.float32, device=logits.device)
    step = max(1, BLOCK_ELEMENTS // logits.shape[1])
    for start in range(0, len(logits), step):
        block, target = logits[start : start + step], targets[start : start + step, None]
        exact = block.float()
        if bias is not None:
            exact = exact + bias
        # log-sum-exp without a second pass over exp: the largest probability is exp(max - lse).
        p = torch.softmax(exact, -1)
        total += (exact.amax(-1) - p.amax(-1).log() - exact.gather(-1, target).squeeze(-1)).sum()
        p.scatter_add_(1, target, p.new_full((len(target), 1), -1.0))
        if bias_gradient is not None:
            bias_gradient += p.sum(0)
        block.copy_(p)
    return total


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        factor: float,
        dtype: torch.dtype,
        rows: int,
    ) -> Tensor:
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        head = weight.detach().to(dtype)
        states = hidden.detach().to(dtype)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        grad_hidden = torch.empty_like(states) if needs_hidden else None
        grad_weight: Tensor | None = None
        grad_bias = (
            torch.zeros(weight.shape[0], device=hidden.device) if needs_bias and bias is not None else None
        )
        plain_bias = None if bias is None else bias.detach().float()
        # Chunks of equal size: a small last one would make as slow products as a small chunk size.
        count = states.shape[0]
        size = -(-count // max(1, -(-count // rows)))
        # fp16 has no room for a small factor in between.
        early = 1.0 if dtype == torch.float16 else factor
        for start in range(0, count, max(1, size)):
            state, target = states[start : start + size], targets[start : start + size]
            error = _product(state, head)
            total += _softmax_in_place(error, target, plain_bias, grad_bias)
            if grad_hidden is not None:
                grad_hidden[start : start + size] = _product(error, head.t())
            if needs_weight:
                part = _product(error.t(), (state * early if early != 1 else state).t())
                # Parts are summed in fp32: bf16 sums over many chunks would lose the small ones.
                if size == count:
                    grad_weight = part
                else:
                    grad_weight = part.float() if grad_weight is None else grad_weight.add_(part)
        if grad_hidden is not None:
            grad_hidden = grad_hidden.to(hidden.dtype)
            grad_hidden = grad_hidden * factor if factor != 1 else grad_hidden
        if needs_weight:
            grad_weight = torch.zeros_like(weight) if grad_weight is None else grad_weight.to(weight.dtype)
            grad_weight = grad_weight * (factor / early) if early != factor else grad_weight
        if grad_bias is not None and bias is not None:
            grad_bias = (grad_bias * factor).to(bias.dtype)
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        return total * factor

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        grads = ctx.saved_tensors
        # On a CPU a look at the factor costs nothing and saves a pass over the head's gradient.
        if grad_output.device.type != "cpu" or float(grad_output) != 1.0:
            grads = [None if g is None else g * grad_output.to(g.dtype) for g in grads]
        return (*grads, None, None, None, None)


def fused_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    labels: Tensor,
    *,
    bias: Tensor | None = None,
    factor: float = 1.0,
    dtype: torch.dtype | None = None,
    rows: int | None = None,
) -> Tensor:
    """Sum of ``-log softmax(hidden @ weight.T + bias)[label]`` over the labelled positions, times `factor`.

    Args:
        hidden: [..., D] decoder states, already scaled as the model wants them.
        weight: [V, D] head, tied or not.
        labels: [...] ids; -100 is not computed at all.
        bias: [V] or [1, V] added to the logits (BART's ``final_logits_bias``).
        factor: multiplies loss and gradients; 1 / number of labels gives the mean.
        dtype: of the matrix products; default: the autocast dtype inside autocast, else that of `hidden`.
        rows: positions a chunk; default `chunk_rows`.

    Returns:
        A scalar in fp32, in nats. With no labelled position: 0, with zero gradients.

    For V = 2, logits (0, 0) and one label the loss is ln 2 = 0.6931.
    """
    kind = hidden.device.type
    if dtype is None:
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
    flat, wanted = hidden.reshape(-1, hidden.shape[-1]), labels.reshape(-1)
    index = (wanted != IGNORE).nonzero().squeeze(-1)
    if len(index) < len(wanted):
        flat, wanted = flat.index_select(0, index), wanted.index_select(0, index)
    if bias is not None:
        bias = bias.reshape(-1)
    with torch.autocast(kind, enabled=False):
        loss: Tensor = _Fused.apply(
            flat, weight, bias, wanted, float(factor), dtype, rows or chunk_rows(weight.shape[0])
        )
    return loss
