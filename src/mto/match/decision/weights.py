"""The weights of the decision: a ridge regression from evidence to how much better a family scores, with its doubt."""

from __future__ import annotations

import numpy as np

from mto.config import Strict
from mto.errors import DataError
from mto.match.decision.evidence import FEATURES, Floats, TaskEvidence, feature_matrix


class Weights(Strict):
    """A fitted decision.

    Attributes:
        features: names, in the order of the numbers below.
        scale: what each feature is divided by.
        values: weight of each scaled feature, in shares of the mean score.
        drawn: the same fitted on resampled groups, one tuple a draw: how far the weights can be trusted.
        noise: standard deviation of what the features do not explain.
        ridge: the penalty that leaving groups out chose.
        made_from: in words.
    """

    version: int = 1
    features: tuple[str, ...]
    scale: tuple[float, ...]
    values: tuple[float, ...]
    drawn: tuple[tuple[float, ...], ...]
    noise: float
    ridge: float
    made_from: str = ""

    def predict(self, evidence: TaskEvidence) -> Floats:
        """Expected share above or below the families' mean score: float64 ``[families]``."""
        return self._scaled(evidence) @ np.asarray(self.values)

    def sample(self, evidence: TaskEvidence) -> Floats:
        """The same under every resampled weight: float64 ``[draws, families]``."""
        drawn: Floats = np.asarray(self.drawn) @ self._scaled(evidence).T
        return drawn

    def _scaled(self, evidence: TaskEvidence) -> Floats:
        if self.features != tuple(FEATURES):
            raise DataError("these weights belong to other features", hint="fit them again with this version")
        scaled: Floats = feature_matrix(evidence) / np.asarray(self.scale)
        return scaled
