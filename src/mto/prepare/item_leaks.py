"""Finding sentences that give test items away: questions, texts with a label, sources with targets.

Three things give an item away, all compared as normalised words (`mto.prepare.words`):

* *a text of it word after word*: of the input (for a classification that is all; a label says nothing in raw text) or of the right
  answer, sentence by sentence, where it has five words or more. A shorter text of a classification, or a shorter answer, counts where
  the raw sentence holds nothing else, because "a joy" stands in many;
* *what is asked, with the right answer*: three quarters of the input's content words, in any order, and the right answer word after word.
  So "The fridge is where milk is kept cold" gives away "Where do you keep milk cold?" with the answer "fridge", and "The fridge is white" does not;
* *a short input in one piece, with the right answer*, where the input has fewer than two content words.

Memory grows with the items, not with the text; a sentence is compared with those items alone that share a rare word with it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mto.prepare.clean import FUNCTION_WORDS
from mto.prepare.sentences import sentences
from mto.prepare.words import Normaliser

LONG = 5
"""Words from which a text alone gives an item away."""
SHARE = 0.75
"""Of the content words of an input that must stand in a sentence beside the right answer."""
Words = tuple[str, ...]
Item = tuple[int, int]
"""Task and number of an item."""
_APART = re.compile(r"\s+(?=n['’]t\b|['’](?:s|re|ll|ve|d|m)\b)", re.IGNORECASE)  # "it 's" of tokenised texts


@dataclass(frozen=True)
class _Fact:
    """What is asked, and the right answer.

    Attributes:
        content: content words of the input.
        least: so many of them must stand in a sentence.
        answer: the right answer.
        pieces: texts that must stand in it word after word, each between blanks: the answer, and perhaps the whole input.
    """

    item: Item
    content: frozenset[str]
    least: int
    answer: Words
    pieces: tuple[str, ...]

    def stands(self, words: frozenset[str], joined: str) -> bool:
        return len(self.content & words) >= self.least and all(piece in joined for piece in self.pieces)


class ItemIndex:
    """Items, looked up by the words of a sentence.

    >>> index, words = ItemIndex(Normaliser()), Normaliser()
    >>> index.add((0, 0), ("Where do you keep milk cold?",), "fridge")
    True
    >>> index.find(words("The fridge is where cold milk was kept.")), index.find(words("The fridge is white and cold."))
    ([(0, 0)], [])
    """

    def __init__(self, normalise: Normaliser) -> None:
        self._normalise = normalise
        self._stop = frozenset(word for text in FUNCTION_WORDS for word in normalise(text))
        self._long: dict[Words, dict[Words, list[Item]]] = {}
        self._short: dict[Words, list[Item]] = {}
        self._facts: list[_Fact] = []

    def add(self, item: Item, texts: Sequence[str], answer: str | None) -> bool:
        """Add an item; False where it holds no word that could be compared.

        Args:
            texts: of its input.
            answer: the right answer; None for a classification.
        """
        found = [self._add_text(item, text, alone=answer is None) for text in texts]
        if answer is not None:
            found += [self._add_text(item, answer, alone=True), self._add_fact(item, " ".join(texts), answer)]
        return any(found)

    def _add_text(self, item: Item, text: str, *, alone: bool) -> bool:
        found = False
        for spelling in dict.fromkeys((text, _APART.sub("", text))):
            for one in sentences(spelling):
                words = tuple(self._normalise(one))
                if len(words) >= LONG:
                    _put(self._long.setdefault(words[:LONG], {}), words, item)
                elif words and alone:
                    _put(self._short, words, item)
                else:
                    continue
                found = True
        return found

    def _add_fact(self, item: Item, text: str, answer: str) -> bool:
        words, right = self._normalise(text), self._normalise(answer)
        content = frozenset(words) - self._stop
        if not words or not right:
            return False
        pieces = (_joined(right),) if len(content) > 1 else (_joined(right), _joined(words))
        least = math.ceil(SHARE * len(content)) if len(content) > 3 else len(content)
        self._facts.append(_Fact(item, content, least, tuple(right), pieces))
        return True

    @cached_property
    def _by_word(self) -> dict[str, list[_Fact]]:
        """Facts by rare words of which a sentence that gives them away must hold one; no more facts may be added."""
        often = Counter(word for fact in self._facts for word in (*fact.content, *fact.answer))
        found: dict[str, list[_Fact]] = {}
        for fact in self._facts:
            rare = sorted(fact.content, key=lambda word: (often[word], word))
            # Of n content words k must stand in the sentence, so one of any n - k + 1 does; and the answer must whole.
            some = rare[: len(rare) - fact.least + 1]
            one = min(fact.answer, key=lambda word: (often[word], word))
            for word in some if some and sum(often[w] for w in some) < often[one] else (one,):
                found.setdefault(word, []).append(fact)
        return found

    def find(self, words: Sequence[str]) -> list[Item]:
        """The items that a sentence gives away, each once.

        Args:
            words: the sentence's normalised words.
        """
        found = dict.fromkeys(self._texts(tuple(words)))
        known = frozenset(words)
        joined = ""
        for word in dict.fromkeys(words):
            for fact in self._by_word.get(word, ()):
                joined = joined or _joined(words)
                if fact.stands(known, joined):
                    found[fact.item] = None
        return list(found)

    def _texts(self, words: Words) -> Iterator[Item]:
        yield from self._short.get(words, ())
        for at in range(len(words) - LONG + 1):
            for text, items in self._long.get(words[at : at + LONG], {}).items():
                if words[at : at + len(text)] == text:
                    yield from items


def _put(into: dict[Words, list[Item]], words: Words, item: Item) -> None:
    items = into.setdefault(words, [])
    if item not in items[-1:]:
        items.append(item)


def _joined(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "
