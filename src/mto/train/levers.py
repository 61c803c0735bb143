"""What makes a training step faster, switched on for the time of the training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from mto.train.attention import attention_kind
from mto.train.config import TrainConfig
from mto.train.dropout import dropout_rate, quick_dropout
from mto.train.loss import is_fusable
from mto.train.memory import reused_memory


class Levers:
    """Attention, dropout and memory as the configuration says, for one model on one device.

    `training` holds for the whole training, `forward` for each forward pass; inside `pause` (evaluation) the model computes
    as its owner has set it.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, device: torch.device) -> None:
        self._model, self._config, self._on_cpu = model, config, device.type == "cpu"
        self._before: Any = getattr(getattr(model, "config", None), "_attn_implementation", None)
        self._quick = config.quick_dropout and self._on_cpu

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """Everything on; set back at the end."""
        config, attention = self._config, self._config.attention
        if attention == "auto":
            attention = "lean" if self._on_cpu and is_fusable(self._model) else "model"
        with (
            reused_memory(active=config.reuse_memory and self._on_cpu),
            dropout_rate(self._model, config.dropout),
            attention_kind(self._model, attention),
        ):
            yield

    def forward(self) -> AbstractContextManager[Any]:
        """Around a forward pass only: outside, torch's functions are torch's."""
        if not self._quick:
            return nullcontext()
        return quick_dropout(compiled=self._config.compile)

    def pause(self) -> AbstractContextManager[Any]:
        """Attention as it was before the training."""
        return attention_kind(self._model, self._before or "model")


@contextlib.contextmanager
def own_random_stream(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's default generators (for dropout), and give them back as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
