"""DepthRank and the Maskability Index (docs/method.md 5): how well a checkpoint expects a task's targets, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.match.depthrank.frequency import TokenWeights
    from mto.match.depthrank.mask_index import Maskability, MaskabilityReport, maskability
    from mto.match.depthrank.recipe import Recipe
    from mto.match.depthrank.results import FamilyScore, FamilyScores, MaskPair, TokenDetail
    from mto.match.depthrank.scoring import score_families
    from mto.match.depthrank.shots import cross_scores, tuned_scores

_HOMES = {
    "FamilyScore": "results",
    "FamilyScores": "results",
    "MaskPair": "results",
    "Maskability": "mask_index",
    "MaskabilityReport": "mask_index",
    "Recipe": "recipe",
    "TokenDetail": "results",
    "TokenWeights": "frequency",
    "cross_scores": "shots",
    "maskability": "mask_index",
    "score_families": "scoring",
    "tuned_scores": "shots",
}

__all__ = [
    "FamilyScore",
    "FamilyScores",
    "MaskPair",
    "Maskability",
    "MaskabilityReport",
    "Recipe",
    "TokenDetail",
    "TokenWeights",
    "cross_scores",
    "maskability",
    "score_families",
    "tuned_scores",
]


__getattr__ = lazily(__name__, _HOMES)
