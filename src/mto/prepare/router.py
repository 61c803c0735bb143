"""The router: which objective a pair trains with, by the task classifier (METHOD 6: "mixed, per sample")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mto.families import LoadedModel
from mto.match.classifier import FastClassifier, SentenceEncoder, fast_classifier
from mto.prepare.pairs import Objective
from mto.tasks import Row


@dataclass(frozen=True, slots=True)
class Routed:
    """A pair's way.

    Attributes:
        objective: ``denoising`` from a probability of 0.5 on, else ``lm``.
        probability: that the pair is mask-filling.
    """

    objective: Objective
    probability: float


class Router:
    """Asks the fast classifier about (source, target) pairs.

    A pair of a task is judged by a classifier that has not seen the task's relation, so that the choice is made as for any new task.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        """`loaded`: whose encoder reads the pairs; see `fast_classifier` for what it costs where it is not an embedded one."""
        self._loaded = loaded
        self._known: dict[str, FastClassifier] = {}

    def route(self, pairs: Sequence[tuple[str, str]], tasks: Sequence[str]) -> list[Routed]:
        """The way of each pair, in order.

        Args:
            pairs: source and target.
            tasks: the task of each; empty for general text.
        """
        told = np.zeros(len(pairs))
        # A fresh encoder a batch: it keeps the states of all texts that it has read, and raw text has no end.
        encoder = SentenceEncoder(self._loaded)
        for task in dict.fromkeys(tasks):
            numbers = [number for number, one in enumerate(tasks) if one == task]
            rows = [Row("", {"head": pairs[n][0]}, pairs[n][1], (), "") for n in numbers]
            told[numbers] = replace(self._classifier(task), encoder=encoder).predict(rows)
        return [Routed("denoising" if p >= 0.5 else "lm", float(p)) for p in told.round(6)]

    def _classifier(self, task: str) -> FastClassifier:
        if task not in self._known:
            without = (task,) if task else ()
            self._known[task] = replace(fast_classifier(self._loaded, without=without), encoder=None)
        return self._known[task]
