"""Which sentences hold a relation's phrase, or a variant of it.

The literal parts of a template phrase ("{{ head }} can be used for" -> "can be used for") are normalised as sentences are: lemmas, no
articles, no "to". Modal verbs are left out, and pronouns, names of roles and words for persons are one class, so that "the hammer is used
for" and "After lunch he wanted" are variants of a phrase. The parts must stand in order, with at least one word where the head stands and
one behind the last part, where the answer stands. A phrase whose words would otherwise be too common ("{{ head }} can be") keeps its modals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mto.prepare.words import Normaliser

MODALS = frozenset("can could may might will would shall should must".split())
COMMON = frozenset("be have do in of on at for from with and or not that".split())
"""Words that alone say nothing about a relation."""
PERSON = "<person>"
PERSONS = (
    "i you he she we they me him her us them someone somebody anyone anybody everyone everybody one people person man woman "
    "child boy girl guy others personx persony personz"
)
_FIELD = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_OTHER = "other"


@dataclass(frozen=True)
class Pattern:
    """One phrase as it is looked for.

    Attributes:
        parts: literal parts, normalised, joined by blanks with one at each end.
        before: whether the head stands in front of the first part.
        behind: whether a field stands behind the last part, so that head and answer both follow.
        modals: whether modal verbs count.
        strength: literal words of the phrase as it is written; of two phrases that match, the longer says more.
    """

    parts: tuple[str, ...]
    before: bool
    behind: bool
    modals: bool
    strength: int


class PhraseBook:
    """The phrases of several tasks.

    Args:
        phrases: of each task, as template texts.

    >>> book = PhraseBook([["The {{ head }} can be used to"], ["After {{ head }}, PersonX wants"]], Normaliser())
    >>> book.match(Normaliser()("A claw hammer is used for pounding nails.")), book.match(Normaliser()("After lunch he wanted a nap."))
    ([5, 0], [0, 3])
    """

    def __init__(self, phrases: Sequence[Sequence[str]], normalise: Normaliser) -> None:
        self._persons = frozenset(word for text in PERSONS.split() for word in normalise(text))
        self._patterns: list[list[Pattern]] = []
        for task in phrases:
            found = {pattern for text in task if (pattern := self._compile(text, normalise)) is not None}
            self._patterns.append(sorted(found, key=lambda p: (-p.strength, p.parts)))
        self._any_modals = any(p.modals for task in self._patterns for p in task)

    @property
    def looks_for_something(self) -> bool:
        """Whether any phrase has words that can be looked for."""
        return any(self._patterns)

    def _compile(self, phrase: str, normalise: Normaliser) -> Pattern | None:
        texts = _FIELD.split(phrase)
        strength = sum(len(text.replace(",", " ").replace(".", " ").split()) for text in texts)
        words = [normalise(text) for text in texts]
        content = {word for part in words for word in part} - MODALS
        modals = all(word in COMMON or word in self._persons for word in content)
        parts = tuple(part for text in words if (part := self._join(text, modals)) != " ")
        if not parts:
            return None
        return Pattern(parts, not words[0], not words[-1] and len(texts) > 1, modals, strength)

    def _join(self, words: Sequence[str], modals: bool) -> str:
        """Words as they are compared, with a blank between them and at both ends."""
        kept: list[str] = []
        for word in words:
            if word in self._persons:
                if kept and kept[-1] == _OTHER:
                    kept.pop()
                kept.append(PERSON)
            elif modals or word not in MODALS:
                kept.append(word)
        return f" {' '.join(kept)} " if kept else " "

    def match(self, words: Sequence[str]) -> list[int]:
        """For each task the strength of its longest phrase in a sentence of normalised words; 0: none."""
        plain = self._join(words, False)
        full = self._join(words, True) if self._any_modals else plain
        return [_longest(task, plain, full) for task in self._patterns]


def _longest(patterns: Sequence[Pattern], plain: str, full: str) -> int:
    for pattern in patterns:
        text = full if pattern.modals else plain
        if pattern.parts[-1] in text and _stands(pattern, text):  # most sentences lack the last part
            return pattern.strength
    return 0


def _stands(pattern: Pattern, text: str) -> bool:
    at = 0
    for number, part in enumerate(pattern.parts):
        # A part ends with the blank that the next one begins with: one more character leaves room for a word.
        start = at + 1 if number or pattern.before else at
        found = text.find(part, start)
        if found < 0:
            return False
        at = found + len(part) - 1
    return text.count(" ", at + 1) >= (2 if pattern.behind else 1)
