"""What is known about each template family of a task before anything is tuned, as numbers that a model can weigh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mto.config import Strict
from mto.errors import DataError

Floats = NDArray[np.float64]

FEATURES: Mapping[str, str] = {
    "bits": "bits a target byte without tuning, fewer is better",
    "tuned_bits": "bits a target byte after tuning on part of the labelled rows, fewer is better",
    "depth_rank": "logarithm of 1 + DepthRank without tuning, lower is better",
    "agrees": "share of the last stage of pre-training that had this family's objective",
    "guidelines": "lean of the guidelines, for masked families; turned round for the others",
    "classifier": "lean of the task classifier, for masked families; turned round for the others",
    "masked": "whether the family writes a mask",
    "natural": "whether the family writes a natural phrase",
    "both": "whether it writes a mask and a natural phrase",
}
"""Name and meaning of every feature. What is not known of a task is 0 for all its families, so that it decides nothing."""


class FamilyEvidence(Strict):
    """One template family on one task and checkpoint.

    Attributes:
        family: name.
        objective: the objective that it looks like (docs/method.md 3); Mapping looks like none.
        masked: whether its source holds a mask.
        natural: whether it writes the task's natural phrase.
        cost: mean ids of an example, source and target: what a step or an answer costs.
        bits, tuned_bits: bits a target byte, or None where not measured.
        depth_rank: mean rank of the gold tokens, or None.
        agrees: share of the last stage of the checkpoint's pre-training that had its objective; None where that is not known.
    """

    family: str
    objective: Literal["denoising", "lm"] | None
    masked: bool
    natural: bool
    cost: float
    bits: float | None = None
    tuned_bits: float | None = None
    depth_rank: float | None = None
    agrees: float | None = None


class TaskEvidence(Strict):
    """All families of one task, and what is said of the task as a whole.

    Attributes:
        families: two or more make a choice; with one there is none.
        guidelines, classifier: leans, -1 (map-phrasal) to 1 (mask-filling), or None where not asked.
    """

    families: tuple[FamilyEvidence, ...]
    guidelines: float | None = None
    classifier: float | None = None


def feature_matrix(evidence: TaskEvidence) -> Floats:
    """Features of every family, each column centred over the families: float64 ``[families, len(FEATURES)]``.

    Centred, because only differences between families choose one: a hard task is hard for all. A feature that is not known for
    every family says nothing (0).

    Two families with 2.0 and 1.0 bits a byte get -0.5 and +0.5 in the first column.

    Raises:
        DataError: no families.
    """
    if not evidence.families:
        raise DataError("there is no template family to choose from")
    rows = [_raw(family, evidence) for family in evidence.families]
    columns = []
    for name in FEATURES:
        values = [row[name] for row in rows]
        known = [v for v in values if v is not None]
        whole = np.array(known) if len(known) == len(values) else np.zeros(len(values))
        columns.append(whole - whole.mean())
    return np.stack(columns, axis=1)


def known_features(evidence: TaskEvidence) -> frozenset[str]:
    """Names of the features that are known for every family."""
    rows = [_raw(family, evidence) for family in evidence.families]
    return frozenset(name for name in FEATURES if all(row[name] is not None for row in rows))


def _raw(family: FamilyEvidence, task: TaskEvidence) -> dict[str, float | None]:
    side = 1.0 if family.masked else -1.0

    def leaning(lean: float | None) -> float | None:
        return None if lean is None else side * lean

    def less(value: float | None) -> float | None:
        return None if value is None else -value

    return {
        "bits": less(family.bits),
        "tuned_bits": less(family.tuned_bits),
        "depth_rank": None if family.depth_rank is None else -float(np.log1p(family.depth_rank)),
        "agrees": family.agrees,
        "guidelines": leaning(task.guidelines),
        "classifier": leaning(task.classifier),
        "masked": float(family.masked),
        "natural": float(family.natural),
        "both": float(family.masked and family.natural),
    }


def relative_scores(scores: Sequence[float]) -> Floats:
    """Scores of a task's families as shares above or below their mean: float64 ``[families]``; all 0 where the mean is 0.

    Scores 10 and 30 become -0.5 and +0.5: what counts is how much better a family is, and tasks differ in how high they score.
    """
    values = np.asarray(scores, dtype=np.float64)
    mean = float(values.mean()) if values.size else 0.0
    result: Floats = values / mean - 1.0 if mean > 0 else np.zeros_like(values)
    return result
