"""Copies of a model's weights that are put back in place: nothing is loaded or built twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Weights:
    """A copy of every parameter and buffer of a model.

    A tied tensor is kept once.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._live = _tensors(model)
        with torch.no_grad():
            self._kept = {name: tensor.detach().clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def take(self) -> None:
        """Copy the model's present weights over the kept ones."""
        for name, tensor in self._live.items():
            self._kept[name].copy_(tensor)

    @torch.no_grad()
    def restore(self) -> None:
        """Copy the kept weights back into the model, drop its gradients, and set it to evaluation."""
        for name, tensor in self._live.items():
            tensor.copy_(self._kept[name])
        self._model.zero_grad(set_to_none=True)
        self._model.eval()

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The kept weights by name; not copies."""
        return self._kept


@torch.no_grad()
def put_weights(model: Any, weights: Mapping[str, Tensor]) -> None:
    """Copy weights that `Weights.tensors` gave into a model of the same shape."""
    for name, tensor in _tensors(model).items():
        tensor.copy_(weights[name])


def _tensors(model: Any) -> dict[str, Tensor]:
    return dict([*model.named_parameters(), *model.named_buffers()])
