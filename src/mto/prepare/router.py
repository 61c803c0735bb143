"""The router: which objective a pair trains with, by the task classifier (docs/method.md 6: "mixed, per sample").

The classifier's own rows have bare heads ("hammer"); a pair's source is most of a sentence ("A hammer is used for"). Read by coefficients
that were fitted to bare heads, sources look like events, and too many pairs go to language modelling. So the router fits the fast
classifier to labelled rows that are written as sentences and cut as pairs are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mto.families import LoadedModel
from mto.match.classifier import FastClassifier, Labelled, SentenceEncoder, leave_out, train_fast_classifier
from mto.match.classifier.labelled import meaning
from mto.prepare.pairs import Objective
from mto.prepare.splitting.places import align, cut
from mto.prepare.splitting.triples import verbalise
from mto.tasks import Row, Task, draw_split, load_task, read_task_file, task_files

LIBRARY = "household"
PENALTIES = (0.01,)
"""Of the fit: the lowest loss on `household` itself, each relation left out in turn (0.39 nats; 0.47 with ten times as much or as little)."""


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

    It is fitted to the relations of `household`, some seconds for the first pair, and for each task without the relation of its name, so
    that the choice is made as for a task that nobody knows.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        """`loaded`: whose encoder reads the pairs."""
        self._loaded = loaded
        self._labelled: tuple[Labelled, ...] = ()
        self._read: SentenceEncoder | None = None
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
            rows = [_row(*pairs[n]) for n in numbers]
            told[numbers] = replace(self._classifier(meaning(task)), encoder=encoder).predict(rows)
        return [Routed("denoising" if p >= 0.5 else "lm", float(p)) for p in told.round(6)]

    def _classifier(self, relation: str) -> FastClassifier:
        """The fit without a relation."""
        if not self._labelled:
            self._labelled = labelled_pairs()
            self._read = SentenceEncoder(self._loaded)
        known = relation if any(one.meaning == relation for one in self._labelled) else ""
        if known not in self._known:
            rows = leave_out(self._labelled, (known,))
            fitted = train_fast_classifier(self._read, rows, penalties=PENALTIES)
            self._known[known] = replace(fitted, encoder=None)
        return self._known[known]


def labelled_pairs(library: str = LIBRARY, data: str | None = None) -> tuple[Labelled, ...]:
    """Labelled rows of every relation of known type as (source, target) pairs; never test data.

    Args:
        library: a task library.
        data: where its rows are, as for `load_task`.

    Raises:
        DataError: the data are missing.
    """
    file, _ = read_task_file(task_files.get(library))
    names = [f"{library}/{name}" for name, spec in file.relations.items() if spec.type]
    return tuple(_labelled(load_task(name, data=data)) for name in names)


def _labelled(task: Task) -> Labelled:
    split = draw_split(task, shots=len(task.train), seed=0)
    given, rows = (*split.train, *split.dev), []
    for number, phrase in enumerate(task.phrases):
        some = given[number :: len(task.phrases)]  # one phrase a row, in turn
        for triple in verbalise(task, some, seed=0, phrases=[phrase]):
            place = align(triple.target, triple.sentence)
            assert place is not None  # `verbalise` gives no others
            before, target, after = cut(triple.sentence, place)
            rows.append(_row(f"{before} {after}".strip(), target))
    assert task.type is not None  # `labelled_pairs` takes no others
    return Labelled(tuple(rows), task.type, task.name)


def _row(source: str, target: str) -> Row:
    return Row(source, {"head": source}, target, (target,), "")
