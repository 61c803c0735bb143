"""LoRA through PEFT: low-rank updates are trained in place of all weights, and merged into the weights at the end."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from mto.errors import ConfigError
from mto.families.load import keep_head
from mto.tune.config import LoraSettings
from mto.tune.low_rank import peft_config


class LoraTraining:
    """A model whose attention layers carry low-rank updates; only those are trained.

    Args:
        model: changed in place. Embeddings and head stay as they are, so that an untied head stays untied.
        seed: of the updates' first values; equal in every process.

    Raises:
        ConfigError: PEFT is not installed, or a target names no layer.
    """

    def __init__(self, model: Any, settings: LoraSettings, *, seed: int) -> None:
        asked = peft_config(settings)
        from peft import get_peft_model

        keep_head(model)
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            try:
                self._wrapped = get_peft_model(model, asked)
            except ValueError as error:  # PEFT's own classes of errors are ValueErrors
                text = str(error).partition(". ")[0]
                raise ConfigError(
                    f"lora.targets: {text}", hint="look at the names of the model's layers"
                ) from error

    def merge(self) -> Any:
        """Add the updates to the weights; the model is a plain one again."""
        return self._wrapped.merge_and_unload()


def trained_share(model: Any) -> tuple[int, int]:
    """Weights that are trained, and weights in all (a tied head counts once)."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, trained in sizes if trained), sum(n for n, _ in sizes)
