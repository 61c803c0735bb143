"""What the decision of this version of the package knows, and the weights that follow from it for one task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from mto.config import Strict, parse
from mto.match.decision.evidence import TaskEvidence, known_features
from mto.match.decision.sums import Sums
from mto.match.decision.task_type import TypeWeights
from mto.match.decision.weights import Weights
from mto.runs import read_json


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


def weights_for(task: str, evidence: TaskEvidence, file: str | Path | None = None) -> DecisionWeights:
    """The weights for a task, fitted for the features that are known of it.

    A relation of the study is never judged by weights that saw its test scores.

    Args:
        task: its name.
        evidence: tells which features are known.
        file: weights of a study of one's own (`mto study … --weights FILE`); None: the package's.

    Raises:
        RunError, ConfigError: `file` is missing, or no such file.
    """
    relation = task.rpartition("/")[2]
    found = _shipped() if file is None else read_weights(file)
    family = found.family
    if isinstance(family, Sums):
        family = family.weights(known=known_features(evidence), without=relation)
    return DecisionWeights(family, found.type_without.get(relation, found.type))


def read_weights(path: str | Path) -> ShippedWeights:
    """Read what a study learnt."""
    return parse(ShippedWeights, read_json(Path(path)), source=str(path), lines={})


@lru_cache(maxsize=1)
def _shipped() -> ShippedWeights:
    with as_file(files("mto.match.decision").joinpath("weights.json")) as path:
        return read_weights(path)
