"""Objectives by name: what a configuration says, built for a model's special ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mto.objectives.pairs import Objective
from mto.objectives.special import SpecialIds
from mto.registry import Registry

Builder = Callable[[Any, SpecialIds], Objective]

objectives: Registry[Builder] = Registry("objective")
objectives.register(
    "denoising",
    "mto.objectives.config:build_denoising",
    summary="spans replaced by sentinels, against the spans",
)
objectives.register("lm", "mto.objectives.config:build_lm", summary="a beginning, against its continuation")
objectives.register(
    "mixed", "mto.objectives.config:build_mixed", summary="one of several objectives, per row"
)


def build_objective(config: Any, special: SpecialIds) -> Objective:
    """Build what a configuration names: one of `mto.objectives.config`, or any object with a registered `name`.

    Raises:
        UnknownNameError: no objective has this name.
        ObjectiveError: its numbers make no sense together.
    """
    return objectives.get(config.name)(config, special)
