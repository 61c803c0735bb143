"""BLEU and chrF as sacrebleu computes them: one score an example, and one over all of them.

The score over all is the one that is published; the mean of scores of examples is another number, with which intervals
and paired tests can be made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from mto.evaluate.metrics.registry import Metric, Scored


@lru_cache(maxsize=1)
def _bleu(*, one: bool) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(effective_order=one)  # of a short text no 4-gram may match


@lru_cache(maxsize=1)
def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()


def bleu(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
    """Sentence BLEU with effective order, exponential smoothing: ``float64[n]`` in points.

    >>> bleu(["the cat sat"], [["the cat sat", "a cat was sitting"]]).round(3).tolist()
    [100.0]
    """
    return _each(_bleu(one=True), predictions, references)


def chrf(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
    """Sentence chrF (6 characters, beta 2): ``float64[n]`` in points."""
    return _each(_chrf(), predictions, references)


def corpus(name: str, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU or chrF over all examples, in points.

    Args:
        name: ``bleu`` or ``chrf``.
    """
    most = max(len(several) for several in references)
    streams = [[several[n] if n < len(several) else None for several in references] for n in range(most)]
    scorer = _bleu(one=False) if name == "bleu" else _chrf()
    return _points(scorer.corpus_score(list(predictions), streams).score)


def _each(scorer: Any, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
    return np.array(
        [
            _points(scorer.sentence_score(p, list(several)).score)
            for p, several in zip(predictions, references, strict=True)
        ]
    )


def _points(score: float) -> float:
    """Within 0 and 100: sums of floating point may leave them by a hair."""
    return min(100.0, max(0.0, float(score)))


def _signature(scorer: Any) -> str:
    """The settings as sacrebleu writes them, without the number of references, which belongs to the data."""
    scorer.sentence_score("a", ["a"])  # it says nothing before it has scored something
    parts = str(scorer.get_signature()).split("|")
    return f"sacrebleu, {'|'.join(part for part in parts if not part.startswith('nrefs'))}"


BLEU = Metric("bleu", "BLEU", lambda: f"mean of sentence BLEU; {_signature(_bleu(one=True))}", bleu)
CHRF = Metric("chrf", "chrF", lambda: f"mean of sentence chrF; {_signature(_chrf())}", chrf)
CORPUS = ("bleu", "chrf")
"""Metrics that are also computed over all examples together."""
