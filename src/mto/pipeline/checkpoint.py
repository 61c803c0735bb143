"""The checkpoint of a comparison: where its weights lie, and what it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mto.pipeline.config import CompareConfig

if TYPE_CHECKING:
    from mto.families import LoadedModel


def load_checkpoint(config: CompareConfig, device: str) -> LoadedModel:
    """Load the weights that a configuration names; reports call them by `CompareConfig.model`.

    Raises:
        UnknownNameError, FamilyError: as `mto.families.load_model` does.
    """
    from mto.families import load_model

    if config.weights is None:
        return load_model(config.model, device=device)
    return replace(load_model(config.weights, device=device), ref=config.model)
