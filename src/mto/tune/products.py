"""Matrix products of a CPU training in float32 through oneDNN, forward and backward.

PyTorch sends float32 products to MKL, which on some CPUs (AMD's among them) runs at under half of oneDNN's speed
(measured on the products of 8 short rows: 75-105 against 165-230 GFLOP/s a core). Few-shot training is little else
than such products: a step went from about 210 to 150 ms (27 M parameters), and by a tenth further where rows of pads are left out.
Results are those of float32 up to the order of summation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mto.evaluate.packed import can_pack
from mto.train.loss import is_fusable
from mto.train.real_rows import Rows, Side, real_rows, side_of, spread


@contextlib.contextmanager
def fast_products(model: nn.Module, *, active: bool = True, skip_pads: bool = True) -> Iterator[bool]:
    """Within the block every plain `nn.Linear` of a float32 model on a CPU multiplies through oneDNN.

    Args:
        skip_pads: rows of pads are left out in a training (`mto.train.real_rows`); what is then in them reaches no loss.

    Yields whether it could be done; elsewhere nothing happens. Do not use it under autocast.
    """
    layers = _layers(model) if active and can_pack(model) else {}
    with _replaced(layers, lambda layer, side: _forward(layer, side if skip_pads else None)):
        yield bool(layers)


@contextlib.contextmanager
def frozen_products(model: nn.Module, *, precision: str = "fp32", skip_pads: bool = True) -> Iterator[bool]:
    """The same for a model whose weights want no gradient, in float32 or bfloat16.

    Nothing is kept for the gradient of weights. In bfloat16 weights are cast once: autocast would cast those that want no gradient
    again in every step. Yields whether it could be done; where it could not, ``bf16`` is left to autocast.
    """
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    able = can_pack(model) and (precision == "fp32" or _has_bf16())
    layers = _layers(model) if able else {}
    with _replaced(layers, lambda layer, side: _frozen_forward(layer, dtype, side if skip_pads else None)):
        yield bool(layers)


Forward = Callable[[Tensor], Tensor]


def _layers(model: nn.Module) -> dict[nn.Linear, Side | None]:
    """Plain linear layers that nobody has changed, and whose rows they multiply."""
    known = is_fusable(model)
    return {
        layer: side_of(name) if known else None
        for name, layer in model.named_modules()
        if type(layer) is nn.Linear and "forward" not in vars(layer)
    }


@contextlib.contextmanager
def _replaced(
    layers: Mapping[nn.Linear, Side | None], forward: Callable[[nn.Linear, Side | None], Forward]
) -> Iterator[None]:
    try:
        for layer, side in layers.items():
            layer.forward = forward(layer, side)  # type: ignore[assignment,method-assign]
        yield
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)  # an interrupt may come before the last layer was changed


def _has_bf16() -> bool:
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is not None and bool(supported())


def _frozen_forward(layer: nn.Linear, dtype: torch.dtype, side: Side | None) -> Forward:
    weight = layer.weight.detach().to(dtype)
    # In oneDNN's own order for the forward pass; backward, which reads the weight the other way round, gains nothing from a copy.
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, None)
    bias = None if layer.bias is None else layer.bias.detach().to(dtype)

    def forward(states: Tensor) -> Tensor:
        rows = real_rows(states, side, dtype)
        product: Tensor = _FrozenProduct.apply(rows.values, packed, weight, bias, rows)
        return product.view(*states.shape[:-1], -1)

    return forward


def _forward(layer: nn.Linear, side: Side | None) -> Forward:
    def forward(states: Tensor) -> Tensor:
        rows = real_rows(states, side, states.dtype)
        product: Tensor = _Product.apply(rows.values, layer.weight, layer.bias, rows)
        return product.view(*states.shape[:-1], -1)

    return forward


class _FrozenProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, packed: Tensor, weight: Tensor, bias: Tensor | None, rows: Rows
    ) -> Tensor:
        # Not saved: the weight is nobody's variable, and lives as long as the block; the places are the batch's.
        ctx.weight, ctx.places = weight, rows.places
        return spread(_multiply(values, packed, bias), rows.places, rows.count)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _multiply(_taken(grads[0], ctx.places), ctx.weight.t()), None, None, None, None


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor | None, rows: Rows) -> Tensor:
        ctx.save_for_backward(values, weight)
        ctx.has_bias, ctx.places = bias is not None, rows.places
        return spread(_multiply(values, weight, bias), rows.places, rows.count)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values, weight = ctx.saved_tensors
        grad = _taken(grads[0], ctx.places)
        return (
            _multiply(grad, weight.t()) if ctx.needs_input_grad[0] else None,
            _multiply(grad.t(), values.t()) if ctx.needs_input_grad[1] else None,
            grad.sum(0) if ctx.has_bias and ctx.needs_input_grad[2] else None,
            None,
        )


def _multiply(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """``left @ right.T + bias``; any strides."""
    return torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], "")


def _taken(grad: Tensor, places: Tensor | None) -> Tensor:
    return grad if places is None else grad.index_select(0, places)
