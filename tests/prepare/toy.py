"""Toy sentences for the makers of pairs."""

from __future__ import annotations

from collections.abc import Sequence

from mto.prepare.sentence import Selected, Sentence
from mto.prepare.splitting.found import NOTHING, Found
from mto.prepare.splitting.places import Place
from mto.prepare.splitting.triples import Triple

THINGS = "hammer nail knife book car house cat dog".split()
USE = "household/ObjectUse"


def selected(text: str, task: str = USE, score: float = 1.0) -> Selected:
    """A sentence chosen for a task."""
    return Selected(Sentence(text, "file.txt:1"), task, score, "phrase" if task else "random")


def triples() -> list[Triple]:
    """Sentences that the tiny checkpoints can learn to split: the target is what follows *for*."""
    return [
        Triple(f"the {thing} is used for {other} food.", f"{other} food", "toy/Use")
        for thing in THINGS
        for other in ("red", "big", "small")
    ]


class Last:
    """A splitter that takes the last `words` words; of a sentence with *nothing* in it, none."""

    name = "last"

    def __init__(self, words: int = 1) -> None:
        self.words = words

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        return [self._one(one.sentence.text) for one in batch]

    def _one(self, text: str) -> Found:
        if "nothing" in text:
            return Found(None, why=NOTHING)
        end = len(text.rstrip("."))
        start = len(" ".join(text.split(" ")[: -self.words])) + 1 if text.count(" ") >= self.words else 0
        return Found(Place(start, end), "model")
