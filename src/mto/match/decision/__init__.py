"""The decision: signals in, a template family with its confidence out."""

from mto.match.decision.decide import Decision, FamilyForecast, decide
from mto.match.decision.evidence import FEATURES, FamilyEvidence, TaskEvidence, feature_matrix
from mto.match.decision.weights import Case, Weights, fit_weights

__all__ = [
    "FEATURES",
    "Case",
    "Decision",
    "FamilyEvidence",
    "FamilyForecast",
    "TaskEvidence",
    "Weights",
    "decide",
    "feature_matrix",
    "fit_weights",
]
