"""The weights that come with the package, with those that never saw a given relation."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from mto.config import Strict, parse
from mto.match.decision.task_type import TypeWeights
from mto.match.decision.weights import Weights


class DecisionWeights(Strict):
    """Weights for the template family and for the task type."""

    family: Weights
    type: TypeWeights


class ShippedWeights(Strict):
    """All weights of a version of the package.

    Attributes:
        whole: fitted on every relation of the study.
        without: relation name (``xWant``) to weights that were fitted without it, so that a relation of the study is never judged
            by weights that saw its test scores.
    """

    version: int = 1
    whole: DecisionWeights
    without: dict[str, DecisionWeights] = {}


def shipped_weights(task: str | None = None) -> DecisionWeights:
    """The package's weights for a task; for a relation of the study those that were fitted without it."""
    weights = _read()
    relation = (task or "").rpartition("/")[2]
    return weights.without.get(relation, weights.whole)


@lru_cache(maxsize=1)
def _read() -> ShippedWeights:
    import json

    place = files("mto.match.decision").joinpath("weights.json")
    return parse(
        ShippedWeights, json.loads(place.read_text(encoding="utf-8")), source="weights.json", lines={}
    )
