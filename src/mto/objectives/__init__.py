"""Unsupervised objectives over token ids: denoising, prefix LM and mixtures (numpy only)."""

from __future__ import annotations

from mto.objectives.denoising import Denoising
from mto.objectives.layouts import KeptSource, Layout, NoiseTarget, SentinelSource, Spans, SpanTarget
from mto.objectives.masks import NoiseMask, SpanNoise, SuffixNoise
from mto.objectives.mixture import Mixture
from mto.objectives.pairs import Objective, Pairs
from mto.objectives.parts import Parts
from mto.objectives.prefix_lm import PrefixLM
from mto.objectives.ragged import Ragged, join
from mto.objectives.reconstruct import reconstruct
from mto.objectives.special import SpecialIds

__all__ = [
    "Denoising",
    "KeptSource",
    "Layout",
    "Mixture",
    "NoiseMask",
    "NoiseTarget",
    "Objective",
    "Pairs",
    "Parts",
    "PrefixLM",
    "Ragged",
    "SentinelSource",
    "SpanNoise",
    "SpanTarget",
    "Spans",
    "SpecialIds",
    "SuffixNoise",
    "join",
    "reconstruct",
]
