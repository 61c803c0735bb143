"""The words of a sentence as they are compared: lower case, lemmas, without articles and "to".

So "She was pounding the nails" and "pound a nail" share the words "pound nail". A lemma is looked up in a table of irregular forms;
other words are cut to their stem by Porter's rules (Porter 1980), which also join some words of one family ("house", "housing").
For finding test examples in raw text this errs on the safe side.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from mto.prepare.irregular import IRREGULAR

ARTICLES = frozenset({"a", "an", "the", "to"})
"""Words that are left out."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MOST = 200_000
_SHORT = {"s": "", "m": "be", "re": "be", "ll": "will", "ve": "have", "d": "would", "t": "not"}
_WHOLE = {
    "can't": ("can", "not"), "cannot": ("can", "not"), "won't": ("will", "not"), "shan't": ("shall", "not"),
    "it's": ("it", "be"), "that's": ("that", "be"), "let's": ("let",), "there's": ("there", "be"),
}  # fmt: skip


class Normaliser:
    """Texts to words; remembers the lemmas of words that it has seen.

    >>> Normaliser()("To hang the Pictures, she hammered nails; it isn't hard.")
    ['hang', 'pictur', 'she', 'hammer', 'nail', 'it', 'be', 'not', 'hard']
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def __call__(self, text: str) -> list[str]:
        """The words of a text, in order."""
        found: list[str] = []
        known = self._known
        for word in _WORD.findall(text.lower()):
            lemmas = known.get(word)
            if lemmas is None:
                lemmas = self._look_up(word)
            found.extend(lemmas)
        return found

    def _look_up(self, word: str) -> tuple[str, ...]:
        if len(self._known) >= _MOST:  # rare words come and go; the memory must not grow with the text
            self._known.clear()
        lemmas = tuple(self._lemma(part) for part in _parts(word.replace("’", "'")) if part not in ARTICLES)
        self._known[word] = lemmas
        return lemmas

    def _lemma(self, word: str) -> str:
        known = IRREGULAR.get(word)
        return known if known is not None else self._stemmer.stem(word)

    @cached_property
    def _stemmer(self) -> Any:
        from nltk.stem.porter import PorterStemmer

        return PorterStemmer()


def _parts(word: str) -> tuple[str, ...]:
    """A contraction as the words that it stands for."""
    if word in _WHOLE:
        return _WHOLE[word]
    stem, mark, ending = word.rpartition("'")
    if not mark:
        return (word,)
    if ending == "t" and stem.endswith("n"):
        return (stem[:-1], "not")
    if ending not in _SHORT:
        return (stem, ending)
    return (stem, _SHORT[ending]) if _SHORT[ending] else (stem,)
