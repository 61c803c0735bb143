"""Cutting a sentence behind its first words, for tasks whose answers are whole sentences: no span of a sentence is like them."""

from __future__ import annotations

from collections.abc import Sequence

from mto.prepare.sentence import Selected
from mto.prepare.splitting.found import FIRST_WORDS, NOTHING, Found
from mto.prepare.splitting.places import Place, words_of

SHARE = 3
"""One word in three stays in the source, two at least."""


class FirstWords:
    """The rest of a sentence behind its first third is the target.

    >>> from mto.prepare.sentence import Selected, Sentence
    >>> text = "A skier skis down the snowy mountain."
    >>> [found] = FirstWords().split([Selected(Sentence(text, ""), "commongen", 0.0, "bm25")])
    >>> found.place.of(text), found.by
    ('down the snowy mountain', 'first-words')
    """

    name = "first words"

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """As `Splitter`; ``by`` is ``first-words``."""
        return [_split(one.sentence.text) for one in batch]


def _split(text: str) -> Found:
    words = words_of(text)
    first = max(2, -(-len(words) // SHARE))
    if first >= len(words):
        return Found(None, why=NOTHING)
    return Found(Place(words[first].start, words[-1].end), FIRST_WORDS)
