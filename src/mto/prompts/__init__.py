"""Soft prompts: trainable vectors at places of the source, for a model whose weights stay as they are (docs/method.md 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.prompts.encoders import PromptEncoder, prompt_encoders
    from mto.prompts.initial import Initial, initial_vectors
    from mto.prompts.placement import Numbers, placed
    from mto.prompts.prompt import Prompted, SoftPrompt, frozen, make_prompt
    from mto.prompts.saving import SavedPrompt, load_prompt

_HOMES = {
    "Initial": "initial",
    "Numbers": "placement",
    "PromptEncoder": "encoders",
    "Prompted": "prompt",
    "SavedPrompt": "saving",
    "SoftPrompt": "prompt",
    "frozen": "prompt",
    "initial_vectors": "initial",
    "load_prompt": "saving",
    "make_prompt": "prompt",
    "placed": "placement",
    "prompt_encoders": "encoders",
}

__all__ = [
    "Initial",
    "Numbers",
    "PromptEncoder",
    "Prompted",
    "SavedPrompt",
    "SoftPrompt",
    "frozen",
    "initial_vectors",
    "load_prompt",
    "make_prompt",
    "placed",
    "prompt_encoders",
]


__getattr__ = lazily(__name__, _HOMES)
