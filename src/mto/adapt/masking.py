"""The objectives that read whole sentences: random spans, prefixes, the mixture of UL2, and what a checkpoint was taught before."""

from __future__ import annotations

from collections.abc import Mapping

from mto.adapt.choosing import require_masks
from mto.families import Adapter
from mto.objectives import Denoising, Mixture, Objective, PrefixLM, SpecialIds

LONG = (0.5, 8.0)
"""Density and mean span of UL2's hard denoiser, with a span that fits sentences (Tay et al. 2022, table 1)."""


def sentence_objective(name: str, adapter: Adapter, density: float, mean_span: float) -> Objective:
    """``spans``, ``prefixes`` or ``ul2``, for one checkpoint.

    ``ul2`` gives each sentence to one of three, with equal chances: spans as asked for (R), half of the sentence in long spans (X),
    or a prefix and its continuation, a quarter of the sentence on average (S). No mode token is written: the checkpoints that can
    be adapted here were not taught any.

    Raises:
        FamilyError: it writes masks, and the checkpoint has no sentinels.
    """
    special = SpecialIds.of(adapter)
    if name == "prefixes":
        return PrefixLM(special, name="lm")
    require_masks(adapter, f"objective '{name}'")
    spans = Denoising(special, density=density, mean_span=mean_span, whole_words=True)
    if name == "spans":
        return spans
    hard = Denoising(special, density=LONG[0], mean_span=LONG[1], whole_words=True, name="denoising long")
    return Mixture((spans, hard, PrefixLM(special, max_suffix=0.5, name="lm")), (1.0, 1.0, 1.0), name="ul2")


def taught_objective(adapter: Adapter, speaks: Mapping[str, float]) -> Objective:
    """What general text is written with, so that a checkpoint keeps what it knows: as it was last trained.

    Args:
        speaks: share of its last training by objective; where that names neither denoising nor LM, both count alike.
    """
    special = SpecialIds.of(adapter)
    shares = {name: speaks.get(name, 0.0) for name in ("denoising", "lm")}
    if not any(shares.values()):
        shares = {"denoising": 0.5, "lm": 0.5}
    parts: dict[str, Objective] = {"lm": PrefixLM(special, name="lm")}
    if adapter.writes_masks:
        parts["denoising"] = Denoising(special, whole_words=True)
    taught = {name: part for name, part in parts.items() if shares[name] > 0} or parts
    if len(taught) == 1:
        return next(iter(taught.values()))
    return Mixture(tuple(taught.values()), tuple(shares[name] for name in taught), name="taught")
