"""Choosing sentences for tasks: the longest phrase first, then nearness to the labelled rows.

A sentence of a classification is found by a word of a label; a phrase of the task counts there only beside such a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mto.prepare.bm25 import Bm25, Floats
from mto.prepare.config import SelectConfig
from mto.prepare.phrases import PhraseBook
from mto.prepare.splitting.labels import LabelWords
from mto.prepare.words import Normaliser

Scorer = Callable[[Sequence[str], Sequence[Sequence[str]]], Floats]
"""Scores ``[sentences, tasks]`` of texts and their normalised words; 0 or less: not near at all."""
Fit = tuple[int, float, str, str]
"""A task that a sentence fits: its number, the score, what found it, and the label whose word stands in it (else empty)."""
PHRASE, LABEL_WORD = "phrase", "label-word"


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
        labels: of each task, the words of its labels; empty for others than classifications.
    """

    def __init__(
        self,
        config: SelectConfig,
        phrases: Sequence[Sequence[str]],
        scorer: Scorer | None,
        normalise: Normaliser,
        labels: Sequence[Mapping[str, Sequence[str]]] = (),
    ) -> None:
        self._config, self._scorer, self._tasks = config, scorer, len(phrases)
        self._labels = {n: LabelWords(one) for n, one in enumerate(labels) if one and config.phrases}
        self._book = PhraseBook(phrases if config.phrases else [[] for _ in phrases], normalise)

    def fits(
        self, texts: Sequence[str], words: Sequence[Sequence[str]], lots: NDArray[np.uint64]
    ) -> list[list[Fit]]:
        """For each sentence the tasks that it may serve: one at most, unless tasks may share.

        The score is nearness s / (1 + s), plus 1 where the phrase or a word of a label stands in the sentence, plus 2 where both do.

        Args:
            lots: a random number for each sentence, for choosing between tasks that it fits equally well.
        """
        scores = (
            self._scorer(texts, words) if self._scorer is not None else np.zeros((len(texts), self._tasks))
        )
        return [
            self._fits(self._book.match(found), self._found_labels(text), row, int(lot))
            for text, found, row, lot in zip(texts, words, scores.tolist(), lots, strict=True)
        ]

    def _found_labels(self, text: str) -> dict[int, str]:
        """The label of each classification of which a word stands in a sentence."""
        found = ((n, words.find(text)) for n, words in self._labels.items())
        return {n: one.label for n, one in found if one is not None}

    def _fits(
        self, strengths: list[int], labels: Mapping[int, str], scores: list[float], lot: int
    ) -> list[Fit]:
        for n in (
            self._labels
        ):  # a word of a label counts as a phrase of one word, and no phrase counts without it
            strengths[n] = strengths[n] + 1 if n in labels else 0
        longest = max(strengths)
        if not longest and max(scores) <= 0:
            return []
        if self._config.shared:
            return [
                self._fit(n, strengths[n], scores[n], labels)
                for n in range(self._tasks)
                if strengths[n] or scores[n] > 0
            ]
        same = [n for n in range(self._tasks) if strengths[n] == longest]
        best = max(scores[n] for n in same)
        same = [n for n in same if scores[n] == best]
        chosen = same[lot % len(same)]
        return [self._fit(chosen, longest, best, labels)]

    def _fit(self, task: int, strength: int, score: float, labels: Mapping[int, str]) -> Fit:
        near = max(score, 0.0)
        by, more = (PHRASE, 1) if strength else (self._config.retrieval, 0)
        if task in labels:
            by, more = (PHRASE, 2) if strength > 1 else (LABEL_WORD, 1)
        return task, round(near / (1 + near) + more, 6), by, labels.get(task, "")


def bm25_scorer(
    rows: Sequence[Sequence[Sequence[str]]],
    terms: dict[str, Any],
    config: SelectConfig,
    normalise: Normaliser,
) -> Scorer:
    """BM25 against labelled rows.

    Args:
        rows: of each task, as (head, target); of a classification the text alone.
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
