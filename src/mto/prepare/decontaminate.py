"""Finding sentences that give test examples away: those that hold the head and a tail of one dev or test example.

Head and tail are compared as normalised words (`mto.prepare.words`): lower case, lemmas, no articles, no "to", each standing in the
sentence word after word. "PersonX", "PersonY" and the blank ("___") are no words: at their place up to three words of any kind may
stand, such as a name, a pronoun or "his friend". So "PersonX washes PersonY's car" stands in "Tom washed his neighbour's car", and
"PersonX eats" in every sentence with a form of "eat". That drops rather too much than too little. Items of other kinds than completion
are looked for by `mto.prepare.item_leaks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mto.prepare.item_leaks import ItemIndex
from mto.prepare.words import Normaliser
from mto.tasks import Example, Kind, Task
from mto.templates import CHOICE_FIELDS

GAP = 3
"""Most words that may stand where a placeholder is."""
_PLACEHOLDER = re.compile(r"\bperson ?[xyz]\b(?:['’]s)?|\b[xyz]['’]s\b|_+", re.IGNORECASE)
Chunks = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Guarded:
    """One head that must not stand in the text together with one of its tails, or one item that the text must not give away.

    Attributes:
        task: number of its task.
        head: as it is written; of an item for a reader.
        tails: as they are written; of an item the right answers, or the label's name.
        kind: of the task.
        texts: of an item, the texts of its input.
    """

    task: int
    head: str
    tails: tuple[str, ...]
    kind: Kind = "completion"
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Head:
    task: int
    chunks: Chunks
    tails: tuple[tuple[int, Chunks, str], ...]


def guarded(tasks: Sequence[Task]) -> list[Guarded]:
    """All dev and test examples of the tasks, not only those that a split draws.

    Of a task without a test file the train rows are guarded: there the score is k-fold over them.
    """
    return [
        Guarded(number, example.head, example.targets, task.kind, _texts(task, example))
        for number, task in enumerate(tasks)
        for example in _examples(task)
    ]


def to_json(examples: Iterable[Guarded]) -> list[list[Any]]:
    """As JSON has them; `from_json` reads it back."""
    return [[one.task, one.head, list(one.tails), one.kind, list(one.texts)] for one in examples]


def from_json(rows: Iterable[Sequence[Any]]) -> list[Guarded]:
    """What `to_json` gave."""
    return [Guarded(task, head, tuple(tails), kind, tuple(texts)) for task, head, tails, kind, texts in rows]


def _examples(task: Task) -> tuple[Example, ...]:
    return (*task.dev, *task.test) if task.test else (*task.train, *task.dev)


def _texts(task: Task, example: Example) -> tuple[str, ...]:
    """The texts of an item's input, without relation and choices."""
    if task.kind == "completion":
        return ()
    return tuple(
        text for name, text in example.fields.items() if name != "relation" and name not in CHOICE_FIELDS
    )


class LeakIndex:
    """Heads and tails, looked up by the words with which a head begins; and items.

    Args:
        examples: what must not stand in the text. A triple is one head with one tail, or one item with one right answer; triples
            are numbered in this order.

    >>> index = LeakIndex([Guarded(0, "claw hammer", ("pounding nails", "pulling a nail"))], Normaliser())
    >>> index.find(Normaliser()("He used the Claw Hammers to pound in... to pound nails."))
    [(0, 0)]
    """

    def __init__(self, examples: Iterable[Guarded], normalise: Normaliser) -> None:
        self._normalise = normalise
        self._heads: dict[tuple[str, ...], list[_Head]] = {}
        self._items: ItemIndex | None = None
        self.triples: list[tuple[int, str, str]] = []
        """Task, head and tail of each triple."""
        self.unusable: dict[int, int] = {}
        """By task, triples without a word that could be compared, such as a head that is only a placeholder."""
        for example in examples:
            if example.kind == "completion":
                self._add(example)
            else:
                self._add_item(example)
        lengths: dict[str, set[int]] = {}
        for key in self._heads:
            lengths.setdefault(key[0], set()).add(len(key))
        self._lengths = {word: tuple(sorted(found)) for word, found in lengths.items()}

    def _add(self, example: Guarded) -> None:
        head = self._chunks(example.head)
        tails = []
        for tail in example.tails:
            chunks = self._chunks(tail)
            if head and chunks:
                tails.append((len(self.triples), chunks, f" {' '.join(chunks[0])} "))
            else:
                self.unusable[example.task] = self.unusable.get(example.task, 0) + 1
            self.triples.append((example.task, example.head, tail))
        if tails:
            self._heads.setdefault(head[0], []).append(_Head(example.task, head, tuple(tails)))

    def _add_item(self, example: Guarded) -> None:
        self._items = self._items or ItemIndex(self._normalise)
        for tail in example.tails:
            answer = None if example.kind == "classification" else tail
            if not self._items.add((example.task, len(self.triples)), example.texts, answer):
                self.unusable[example.task] = self.unusable.get(example.task, 0) + 1
            self.triples.append((example.task, example.head, tail))

    def _chunks(self, text: str) -> Chunks:
        parts = (tuple(self._normalise(part)) for part in _PLACEHOLDER.split(text))
        return tuple(part for part in parts if part)

    def find(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """The triples that stand in a sentence, as (task, number of the triple), each once.

        Args:
            words: the sentence's normalised words.
        """
        lengths = self._lengths
        found: dict[tuple[int, int], None] = {}
        joined = ""
        for at, word in enumerate(words):
            for length in lengths.get(word, ()):
                heads = self._heads.get(tuple(words[at : at + length]))
                if heads is None:
                    continue
                joined = joined or f" {' '.join(words)} "
                for head in heads:
                    if _follow(words, at + length, head.chunks):
                        found |= dict.fromkeys(_tails(head, words, joined))
        return [*found, *(self._items.find(words) if self._items is not None else ())]


def _tails(head: _Head, words: Sequence[str], joined: str) -> Iterable[tuple[int, int]]:
    for number, chunks, first in head.tails:
        if first in joined and (len(chunks) == 1 or _anywhere(words, chunks)):
            yield head.task, number


def _anywhere(words: Sequence[str], chunks: Chunks) -> bool:
    first = chunks[0]
    return any(
        tuple(words[at : at + len(first)]) == first and _follow(words, at + len(first), chunks)
        for at in range(len(words) - len(first) + 1)
    )


def _follow(words: Sequence[str], at: int, chunks: Chunks) -> bool:
    """Whether the chunks behind the first one follow from `at` on, each after a gap of up to `GAP` words."""
    for chunk in chunks[1:]:
        starts = (at + gap for gap in range(GAP + 1))
        place = next((s for s in starts if tuple(words[s : s + len(chunk)]) == chunk), None)
        if place is None:
            return False
        at = place + len(chunk)
    return True
