"""Unsupervised objectives over token ids: denoising, prefix LM and mixtures (numpy only).

The configuration classes are in `mto.objectives.config`, which is imported only where files are read.
"""

from __future__ import annotations

from mto.objectives.denoising import Denoising
from mto.objectives.layouts import KeptSource, Layout, NoiseTarget, SentinelSource, Spans, SpanTarget
from mto.objectives.lengths import Lengths, solve_lengths
from mto.objectives.masks import NoiseMask, SpanNoise, SuffixNoise
from mto.objectives.mixture import Mixture
from mto.objectives.pairs import Objective, Pairs
from mto.objectives.parts import Parts
from mto.objectives.prefix_lm import PrefixLM
from mto.objectives.ragged import Ragged, join
from mto.objectives.reconstruct import reconstruct
from mto.objectives.registry import build_objective, objectives
from mto.objectives.report import MaskReport
from mto.objectives.special import SpecialIds

__all__ = [
    "Denoising",
    "KeptSource",
    "Layout",
    "Lengths",
    "MaskReport",
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
    "build_objective",
    "join",
    "objectives",
    "reconstruct",
    "solve_lengths",
]
