"""Linear layers on CPU through oneDNN with weights packed once, while a model is evaluated.

PyTorch sends float32 products to MKL, which on some CPUs (AMD's among them) runs at under half the speed of oneDNN.
oneDNN wants the weights in an order of its own; packing costs about one pass over them, so it pays from a few dozen
questions on. Results are those of float32 up to the order of summation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

MOST_PARAMETERS = 1_500_000_000  # above this the packed copy would take more memory than it is worth


def can_pack(model: nn.Module) -> bool:
    """Whether the model is in float32 on a CPU, with oneDNN at hand, and not too large to copy."""
    parameters = list(model.parameters())
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
        and all(p.device.type == "cpu" and p.dtype == torch.float32 for p in parameters)
        and sum(p.numel() for p in parameters) <= MOST_PARAMETERS
    )


@contextlib.contextmanager
def packed_linears(model: nn.Module, dtype: torch.dtype = torch.float32) -> Iterator[None]:
    """Let every plain `nn.Linear` of the model multiply through oneDNN; undone at the end.

    Weights must not change inside. With ``dtype`` bfloat16 inputs are cast and results come in bfloat16, as under
    autocast.
    """
    layers = [module for module in model.modules() if type(module) is nn.Linear]
    if not can_pack(model) or not layers:
        yield
        return
    patched = []
    try:
        for layer in layers:
            if "forward" not in vars(layer):
                layer.forward = _product(layer, dtype)  # type: ignore[method-assign, assignment]
                patched.append(layer)
        yield
    finally:
        for layer in patched:
            del layer.forward


def _product(layer: nn.Linear, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    packed: Any = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().to(dtype), None)
    bias = None if layer.bias is None else layer.bias.detach().to(dtype)
    multiply = torch.ops.mkldnn._linear_pointwise

    def forward(states: Tensor) -> Tensor:
        # The flat form keeps it to one matrix product whatever the batch shape.
        flat = states.to(dtype).reshape(-1, states.shape[-1])
        return multiply(flat, packed, bias, "none", [], "").view(*states.shape[:-1], -1)

    return forward
