"""Linear layers on CPU through oneDNN with the weights as they lie: nothing is packed first.

`mto.evaluate.packed` packs weights in an order of oneDNN's own, which costs a pass over them with fresh memory (50 ms for 27
million parameters). Generation multiplies a few rows thousands of times, so there it pays. Teacher forcing multiplies
hundreds of rows a few dozen times: there oneDNN is nearly as fast without (90 to 95 % from 64 rows on; MKL has 40 % on
AMD's CPUs), and 120 examples as well as 1,000 were scored faster.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from mto.evaluate.packed import can_pack


@contextlib.contextmanager
def direct_linears(model: nn.Module) -> Iterator[None]:
    """Let every plain `nn.Linear` of a float32 model on a CPU multiply through oneDNN; undone at the end.

    Layers that already multiply in another way are left alone, and so are models that cannot.
    """
    layers = [m for m in model.modules() if type(m) is nn.Linear and "forward" not in vars(m)]
    if not can_pack(model):
        yield
        return
    try:
        for layer in layers:
            layer.forward = _product(layer)  # type: ignore[method-assign, assignment]
        yield
    finally:
        for layer in layers:
            del layer.forward


def _product(layer: nn.Linear) -> Callable[[Tensor], Tensor]:
    multiply: Any = torch.ops.mkldnn._linear_pointwise

    def forward(states: Tensor) -> Tensor:
        # The flat form keeps it to one matrix product whatever the batch shape.
        flat = states.reshape(-1, states.shape[-1])
        return multiply(flat, layer.weight, layer.bias, "none", [], "").view(*states.shape[:-1], -1)

    return forward
