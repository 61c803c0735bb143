"""LoRA (Hu et al. 2021) through PEFT: low-rank updates of a checkpoint's layers, in the model only while they are trained."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mto.errors import ConfigError
from mto.prompts import frozen
from mto.tune.config import LoraSettings

_NAME = "default"  # what PEFT calls the only set of updates
_OUTER = {"shared", "embed_tokens", "lm_head"}


def check_targets(settings: LoraSettings) -> None:
    """Refuse embeddings and head: an untied head must stay untied.

    Raises:
        ConfigError: it names the target.
    """
    outer = _OUTER & set(settings.targets or ())
    if outer:
        raise ConfigError(
            f"lora.targets: {', '.join(sorted(outer))} cannot take a low-rank update",
            hint="name layers of attention or feed-forward, such as q and v",
        )


def peft_config(settings: LoraSettings) -> Any:
    """The settings as PEFT takes them.

    Raises:
        ConfigError: PEFT is not installed, or see `check_targets`.
    """
    try:
        from peft import LoraConfig
    except ImportError:
        raise ConfigError("LoRA needs the library PEFT", hint="pip install 'mto[peft]'") from None
    check_targets(settings)
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha or 2.0 * settings.rank,  # type: ignore[arg-type, unused-ignore]
        lora_dropout=settings.dropout,
        target_modules=list(settings.targets) if settings.targets else None,
    )


class LowRank(nn.Module):
    """The updates alone: their weights are this module's parameters, the model's are not.

    Args:
        model: its layers are left as they are; see `in_place` and `merged`.
        settings: rank, scale, dropout and the layers that get an update.
        seed: of the first values of the updates.

    Raises:
        ConfigError: as `peft_config`; or a target names no layer.
    """

    def __init__(self, model: Any, settings: LoraSettings, *, seed: int) -> None:
        super().__init__()
        config = peft_config(settings)  # says where PEFT is missing
        from peft import inject_adapter_in_model

        wanted = [p for p in model.parameters() if p.requires_grad]
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            try:
                inject_adapter_in_model(config, model, _NAME)
            except ValueError as error:  # PEFT's own classes of errors are ValueErrors
                text = str(error).partition(". ")[0]
                raise ConfigError(
                    f"lora.targets: {text}", hint="look at the names of the model's layers"
                ) from error
            finally:
                found = [
                    (parent, name, layer)
                    for parent in list(model.modules())
                    for name, layer in list(parent.named_children())
                    if hasattr(layer, "get_delta_weight") and hasattr(layer, "base_layer")
                ]
                for parent, name, layer in found:
                    setattr(parent, name, layer.base_layer)
                for parameter in wanted:
                    parameter.requires_grad_(True)
                vars(model).pop("peft_config", None)
        # Hidden in a tuple, so that the layers below the updates do not count as this module's.
        self._places = tuple(found)
        self.updates = nn.ParameterList(
            part[_NAME].weight for *_, layer in found for part in (layer.lora_A, layer.lora_B)
        )

    @property
    def trained(self) -> int:
        """Numbers that are trained."""
        return sum(update.numel() for update in self.updates)

    @contextlib.contextmanager
    def in_place(self, model: Any) -> Iterator[None]:
        """Within the block the model computes with the updates, and only these want a gradient."""
        with frozen(model):
            try:
                for parent, name, layer in self._places:
                    setattr(parent, name, layer)
                yield
            finally:
                for parent, name, layer in self._places:
                    setattr(parent, name, layer.base_layer)

    @contextlib.contextmanager
    def merged(self) -> Iterator[None]:
        """Within the block the updates are added to the model's weights; after it these have every bit as before."""
        weights: Mapping[int, Tensor] = {
            n: layer.base_layer.weight.detach().clone() for n, (*_, layer) in enumerate(self._places)
        }
        try:
            with torch.no_grad():
                for *_, layer in self._places:
                    layer.base_layer.weight.add_(layer.get_delta_weight(_NAME))
            yield
        finally:
            with torch.no_grad():
                for n, (*_, layer) in enumerate(self._places):
                    layer.base_layer.weight.copy_(weights[n])
