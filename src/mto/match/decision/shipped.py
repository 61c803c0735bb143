"""What the decision of this version of the package knows, and the weights that follow from it for one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from mto.config import Strict, parse
from mto.match.decision.evidence import TaskEvidence, known_features
from mto.match.decision.sums import Sums
from mto.match.decision.task_type import TypeCases, TypeWeights
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
        type: leans of the signals on relations of known type, from which weights are fitted in the same way; or weights set by hand.
    """

    version: Literal[3] = 3
    family: Sums | Weights
    type: TypeCases | TypeWeights


def weights_for(
    task: str,
    evidence: TaskEvidence,
    leans: Mapping[str, float | None] | None = None,
    file: str | Path | None = None,
) -> DecisionWeights:
    """The weights for a task, fitted for the features and signals that are known of it.

    A relation of the study is never judged by weights that saw its test scores.

    Args:
        task: its name.
        evidence: tells which features are known.
        leans: of the signals; those that are None were not asked.
        file: weights of a study of one's own (`mto study … --weights FILE`); None: the package's.

    Raises:
        RunError, ConfigError: `file` is missing, or no such file.
    """
    relation = task.rpartition("/")[2]
    found = _shipped() if file is None else read_weights(file)
    family = found.family
    if isinstance(family, Sums):
        family = family.weights(known=known_features(evidence), without=relation)
    kind = found.type
    if isinstance(kind, TypeCases):
        known = [name for name, lean in (leans or {}).items() if lean is not None]
        kind = kind.weights(known=known, without=relation)
    return DecisionWeights(family, kind)


def read_weights(path: str | Path) -> ShippedWeights:
    """Read what a study learnt."""
    return parse(ShippedWeights, read_json(Path(path)), source=str(path), lines={})


@lru_cache(maxsize=1)
def _shipped() -> ShippedWeights:
    with as_file(files("mto.match.decision").joinpath("weights.json")) as path:
        return read_weights(path)
