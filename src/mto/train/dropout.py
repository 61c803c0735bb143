"""Change every dropout rate of a model for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import nn

# Plain float attributes that transformers' T5 and BART layers hand to functional dropout.
_RATES = ("dropout", "attention_dropout", "activation_dropout", "dropout_rate")


@contextlib.contextmanager
def dropout_rate(model: nn.Module, rate: float | None) -> Iterator[None]:
    """Within the block all dropout rates of `model` are `rate`; None leaves them. They come back at the end."""
    before: list[tuple[Any, str, float]] = []
    if rate is not None:
        for module in model.modules():
            names = ("p",) if isinstance(module, nn.Dropout) else _RATES
            before += [
                (module, n, getattr(module, n)) for n in names if isinstance(getattr(module, n, None), float)
            ]
        for module, name, _ in before:
            setattr(module, name, rate)
    try:
        yield
    finally:
        for module, name, old in before:
            setattr(module, name, old)
