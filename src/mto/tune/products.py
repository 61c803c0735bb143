"""Matrix products of a CPU training in float32 through oneDNN, forward and backward.

PyTorch sends float32 products to MKL, which on some CPUs (AMD's among them) runs at under half of oneDNN's speed
(measured on the products of 8 short rows: 75-105 against 165-230 GFLOP/s a core). Few-shot training is little else
than such products: a step went from about 210 to 150 ms (27 M parameters). Results are those of float32 up to the order of summation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from mto.evaluate.packed import can_pack


@contextlib.contextmanager
def fast_products(model: nn.Module, *, active: bool = True) -> Iterator[bool]:
    """Within the block every plain `nn.Linear` of a float32 model on a CPU multiplies through oneDNN.

    Yields whether it could be done; elsewhere nothing happens. Do not use it under autocast.
    """
    layers = [m for m in model.modules() if type(m) is nn.Linear and "forward" not in vars(m)]
    if not active or not layers or not can_pack(model):
        yield False
        return
    try:
        for layer in layers:
            layer.forward = _forward(layer)  # type: ignore[assignment,method-assign]
        yield True
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)  # an interrupt may come before the last layer was changed


@contextlib.contextmanager
def frozen_products(model: nn.Module, *, precision: str = "fp32") -> Iterator[bool]:
    """The same for a model whose weights want no gradient, in float32 or bfloat16.

    Nothing is kept for the gradient of weights. In bfloat16 weights are cast once: autocast would cast those that want no gradient
    again in every step. Yields whether it could be done; where it could not, ``bf16`` is left to autocast.
    """
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    layers = [m for m in model.modules() if type(m) is nn.Linear and "forward" not in vars(m)]
    if not layers or not can_pack(model) or (precision == "bf16" and not _has_bf16()):
        yield False
        return
    try:
        for layer in layers:
            layer.forward = _frozen_forward(layer, dtype)  # type: ignore[assignment,method-assign]
        yield True
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)


def _has_bf16() -> bool:
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is not None and bool(supported())


def _frozen_forward(layer: nn.Linear, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    weight = layer.weight.detach().to(dtype)
    bias = None if layer.bias is None else layer.bias.detach().to(dtype)

    def forward(states: Tensor) -> Tensor:
        flat = states.to(dtype).reshape(-1, states.shape[-1])
        product: Tensor = _FrozenProduct.apply(flat, weight, bias)
        return product.view(*states.shape[:-1], -1)

    return forward


class _FrozenProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.weight = weight  # not saved: it is nobody's variable, and lives as long as the block
        return _multiply(states, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _multiply(grads[0], ctx.weight.t()), None, None


def _forward(layer: nn.Linear) -> Callable[[Tensor], Tensor]:
    def forward(states: Tensor) -> Tensor:
        flat = states.reshape(-1, states.shape[-1])
        product: Tensor = _Product.apply(flat, layer.weight, layer.bias)
        return product.view(*states.shape[:-1], -1)

    return forward


def _multiply(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """``left @ right.T + bias``; any strides."""
    return torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], "")


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(states, weight)
        ctx.has_bias = bias is not None
        return _multiply(states, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        states, weight = ctx.saved_tensors
        grad = grads[0]
        return (
            _multiply(grad, weight.t()) if ctx.needs_input_grad[0] else None,
            _multiply(grad.t(), states.t()) if ctx.needs_input_grad[1] else None,
            grad.sum(0) if ctx.has_bias and ctx.needs_input_grad[2] else None,
        )
