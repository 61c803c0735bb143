"""What the decision of this version of the package knows, and the weights that follow from it for one task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from mto.config import Strict, parse
from mto.match.decision.evidence import TaskEvidence, known_features
from mto.match.decision.sums import Sums
from mto.match.decision.task_type import TypeWeights
from mto.match.decision.weights import Weights


@dataclass(frozen=True)
class DecisionWeights:
    """Weights for the template family and for the task type."""

    family: Weights
    type: TypeWeights


class ShippedWeights(Strict):
    """``weights.json``.

    Attributes:
        family: sums over the tested relations, from which weights are fitted for what is known of a task; or weights set by hand.
        type: weights of the signals on the task type, fitted on every relation.
        type_without: relation name (``xWant``) to the same without that relation.
    """

    version: int = 2
    family: Sums | Weights
    type: TypeWeights
    type_without: dict[str, TypeWeights] = {}


def shipped_weights(task: str, evidence: TaskEvidence) -> DecisionWeights:
    """The package's weights for a task, fitted for the features that are known of it.

    A relation of the study is never judged by weights that saw its test scores.
    """
    relation = task.rpartition("/")[2]
    return DecisionWeights(
        _family(relation, known_features(evidence)), _read().type_without.get(relation, _read().type)
    )


@lru_cache(maxsize=64)
def _family(relation: str, known: frozenset[str]) -> Weights:
    found = _read().family
    return found if isinstance(found, Weights) else found.weights(known=known, without=relation)


@lru_cache(maxsize=1)
def _read() -> ShippedWeights:
    place = files("mto.match.decision").joinpath("weights.json")
    return parse(
        ShippedWeights, json.loads(place.read_text(encoding="utf-8")), source="weights.json", lines={}
    )
