"""The decision: signals in, a template family with its confidence out."""

from mto.match.decision.decide import Decision, FamilyForecast, decide
from mto.match.decision.evidence import FEATURES, FamilyEvidence, TaskEvidence, feature_matrix
from mto.match.decision.sums import Case, Sums, collect_sums, fit_weights
from mto.match.decision.weights import Weights

__all__ = [
    "FEATURES",
    "Case",
    "Decision",
    "FamilyEvidence",
    "FamilyForecast",
    "Sums",
    "TaskEvidence",
    "Weights",
    "collect_sums",
    "decide",
    "feature_matrix",
    "fit_weights",
]
