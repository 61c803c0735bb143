"""How often splitters find the target of labelled triples written as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mto.errors import DataError
from mto.prepare.sentence import Selected, Sentence
from mto.prepare.splitting.found import Found, Splitter
from mto.prepare.splitting.places import Place, align, words_of
from mto.prepare.splitting.triples import Triple, verbalise
from mto.tasks import Row, Task, draw_split


@dataclass(frozen=True, slots=True)
class Hit:
    """One sentence that a splitter was judged on.

    Attributes:
        kept: whether it found a span.
        exact: whether the span is the target, word by word.
        overlap: F1 of the words of span and target by their places, 0 to 1; 0 where there is no span.
        by: what found it.
    """

    kept: bool
    exact: bool
    overlap: float
    by: str


def held_out_triples(task: Task, *, heads: int, seed: int = 0) -> list[Triple]:
    """Test heads of a task with their first tail, each written with one of the task's phrases, in turn.

    For judging a splitter, never for training one.

    Args:
        heads: most heads.
        seed: draws heads and persons.

    Raises:
        DataError: the task has no test data.
    """
    test = draw_split(task, shots=0, seed=seed, max_test=heads, test_seed=seed).test
    if not test:
        raise DataError(f"'{task.name}' has no test heads")
    found = []
    for number, one in enumerate(test):
        row = Row(one.id, one.fields, one.targets[0], one.targets, one.where)
        phrase = task.phrases[number % len(task.phrases)]
        found += verbalise(task, [row], seed=seed, phrases=[phrase])
    return found


def judge(splitter: Splitter, triples: Sequence[Triple], *, known: bool = True) -> list[Hit]:
    """What a splitter finds in sentences whose target is known.

    Args:
        known: whether it is told which task each sentence belongs to. A splitter that is not must do without the task's phrases.

    Returns:
        One `Hit` a triple, in order.
    """
    batch = [Selected(Sentence(one.sentence, ""), one.task if known else "", 0.0, "") for one in triples]
    return [_hit(one, found) for one, found in zip(triples, splitter.split(batch), strict=True)]


def _hit(triple: Triple, found: Found) -> Hit:
    if found.place is None:
        return Hit(False, False, 0.0, "")
    right = align(triple.target, triple.sentence)
    assert right is not None  # `verbalise` gives no others
    got, true = _words(triple.sentence, found.place), _words(triple.sentence, right)
    both = len(got & true)
    overlap = 2 * both / (len(got) + len(true)) if both else 0.0
    return Hit(True, got == true, overlap, found.by)


def _words(sentence: str, place: Place) -> set[int]:
    """Numbers of the words in a span."""
    return {
        number
        for number, word in enumerate(words_of(sentence))
        if place.start <= word.start and word.end <= place.end
    }


def mean(values: Iterable[float]) -> float:
    """The mean; 0 for nothing."""
    given = list(values)
    return sum(given) / len(given) if given else 0.0
