"""The spans of a sentence that may be its target: from any word but the first to the end of the sentence or of the clause."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mto.prepare.splitting.places import Place, words_of

CLAUSE_WORDS = frozenset(
    "because when while if then although though but unless until since which where whereas whenever".split()
)
"""Words that begin a clause of their own."""
_SIGN = re.compile(r"[,;:.?!()\[\]]")
LONGEST = 16
"""Most words of a span that is asked about."""


def likely_spans(sentence: str) -> list[Place]:
    """Spans that begin behind the first word, at most 16 words long, and end with the clause or the sentence.

    >>> text = "Open it, if it rains."
    >>> [place.of(text) for place in likely_spans(text)]
    ['it', 'it, if it rains', 'if it rains', 'it rains', 'rains']
    """
    words = words_of(sentence)
    found = []
    for start in range(1, len(words)):
        for end in sorted({clause_end(words, start, sentence), len(words)}):
            if end - start <= LONGEST:
                found.append(Place(words[start].start, words[end - 1].end))
    return found


def clause_end(words: Sequence[Place], start: int, sentence: str) -> int:
    """Number of the word behind the last one of the clause that begins at word `start`."""
    for at in range(start + 1, len(words)):
        between = sentence[words[at - 1].end : words[at].start]
        if _SIGN.search(between) or words[at].of(sentence).lower() in CLAUSE_WORDS:
            return at
    return len(words)
