"""Choosing sentences for tasks: the longest phrase first, then nearness to the labelled rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mto.prepare.bm25 import Bm25, Floats
from mto.prepare.config import SelectConfig
from mto.prepare.phrases import PhraseBook
from mto.prepare.words import Normaliser

Scorer = Callable[[Sequence[str], Sequence[Sequence[str]]], Floats]
"""Scores ``[sentences, tasks]`` of texts and their normalised words; 0 or less: not near at all."""
Fit = tuple[int, float, str]
"""A task that a sentence fits: its number, the score, and what found it."""


def query_words(rows: Sequence[Sequence[str]], normalise: Normaliser) -> list[list[str]]:
    """The words of labelled rows that are looked for: of head and target, each once, placeholders left out."""
    placeholders = {"personx", "persony", "personz"}
    return [
        [word for word in dict.fromkeys(normalise(" ".join(row))) if word not in placeholders] for row in rows
    ]


class Selector:
    """Says which tasks a sentence fits.

    Args:
        config: how to choose.
        phrases: of each task.
        scorer: nearness to the rows of each task; None: phrases alone choose.
    """

    def __init__(
        self,
        config: SelectConfig,
        phrases: Sequence[Sequence[str]],
        scorer: Scorer | None,
        normalise: Normaliser,
    ) -> None:
        self._config, self._scorer, self._tasks = config, scorer, len(phrases)
        self._book = PhraseBook(phrases if config.phrases else [[] for _ in phrases], normalise)

    def fits(
        self, texts: Sequence[str], words: Sequence[Sequence[str]], lots: NDArray[np.uint64]
    ) -> list[list[Fit]]:
        """For each sentence the tasks that it may serve: one at most, unless tasks may share.

        The score is nearness s / (1 + s), plus 1 where the phrase stands in the sentence.

        Args:
            lots: a random number for each sentence, for choosing between tasks that it fits equally well.
        """
        scores = (
            self._scorer(texts, words) if self._scorer is not None else np.zeros((len(texts), self._tasks))
        )
        return [
            self._fits(self._book.match(found), row, int(lot))
            for found, row, lot in zip(words, scores.tolist(), lots, strict=True)
        ]

    def _fits(self, strengths: list[int], scores: list[float], lot: int) -> list[Fit]:
        longest = max(strengths)
        if not longest and max(scores) <= 0:
            return []
        if self._config.shared:
            return [
                self._fit(n, strengths[n], scores[n])
                for n in range(self._tasks)
                if strengths[n] or scores[n] > 0
            ]
        same = [n for n in range(self._tasks) if strengths[n] == longest]
        best = max(scores[n] for n in same)
        same = [n for n in same if scores[n] == best]
        chosen = same[lot % len(same)]
        return [self._fit(chosen, longest, best)]

    def _fit(self, task: int, strength: int, score: float) -> Fit:
        near = max(score, 0.0)
        by = "phrase" if strength else self._config.retrieval
        return task, round(near / (1 + near) + (1 if strength else 0), 6), by


def bm25_scorer(
    rows: Sequence[Sequence[Sequence[str]]],
    terms: dict[str, Any],
    config: SelectConfig,
    normalise: Normaliser,
) -> Scorer:
    """BM25 against labelled rows.

    Args:
        rows: of each task, as (head, target).
        terms: what the first pass counted: ``frequency``, ``sentences``, ``length``.
    """
    scorer = Bm25(
        [query_words(task, normalise) for task in rows],
        terms["frequency"], terms["sentences"], terms["length"], k1=config.k1, b=config.b,
    )  # fmt: skip
    return lambda texts, words: scorer(words)


def embedding_scorer(rows: Sequence[Sequence[Sequence[str]]], config: SelectConfig) -> Scorer:
    """Cosine between the mean encoder states of a sentence and of the nearest row ("head target") of each task."""
    from mto.families import load_model
    from mto.match.classifier.features import SentenceEncoder

    loaded = load_model(config.model)
    queries = [
        _unit(SentenceEncoder(loaded)([" ".join(row) for row in task])) if task else None for task in rows
    ]

    def score(texts: Sequence[str], words: Sequence[Sequence[str]]) -> Floats:
        states = _unit(SentenceEncoder(loaded)(texts))  # a new one each time: it remembers every text
        columns = [
            (states @ query.T).max(axis=1) if query is not None else np.zeros(len(texts)) for query in queries
        ]
        return np.stack(columns, axis=1)

    return score


def _unit(states: Floats) -> Floats:
    return states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
