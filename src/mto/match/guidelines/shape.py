"""The shape of a short text: one noun phrase, an adjective, or a verb phrase or clause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Shape = Literal["noun", "adjective", "verb", "other"]
_NOMINAL = {"NOUN", "PROPN", "PRON", "NUM", "X", "SYM"}
_VERBAL = {"VERB", "AUX"}


def shape(words: Sequence[str], tags: Sequence[str]) -> Shape:
    """The shape by the tags.

    * verb: it begins with *to* and a verb, or with a verb, or a verb follows its subject;
    * adjective: an adjective with what depends on it (*afraid of dogs*);
    * noun: a noun phrase, with whatever hangs on it (*a box to put things in*);
    * other: anything else, such as *in a big crowd*.

    >>> shape(("afraid", "of", "dogs"), ("ADJ", "ADP", "NOUN"))
    'adjective'
    >>> shape(("someone", "scrubs", "it"), ("PRON", "VERB", "PRON"))
    'verb'
    """
    start = 0
    while start < len(tags) - 1 and tags[start] in ("ADV", "CCONJ", "INTJ", "PUNCT"):
        start += 1
    rest = list(tags[start:])
    lower = [word.lower() for word in words[start:]]
    if not rest:
        return "other"
    if rest[0] in _VERBAL or (rest[0] == "PART" and lower[0] != "'s"):
        return "verb"
    if _clause(rest, lower):
        return "verb"
    if rest[0] in ("ADP", "SCONJ"):
        return "other"
    if "ADJ" in rest:
        at = rest.index("ADJ")
        behind = next((tag for tag in rest[at + 1 :] if tag not in ("ADJ", "CCONJ", "ADV")), None)
        if not any(tag in _NOMINAL for tag in rest[:at]) and behind not in (_NOMINAL - {"PRON"}):
            return "adjective" if "DET" not in rest[:at] or behind is None else "noun"
    return "noun" if any(tag in _NOMINAL for tag in rest) else "other"


def _clause(tags: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether a finite verb follows a subject (and not *to*, a preposition or a relative word)."""
    for at in range(1, len(tags)):
        if tags[at] in ("SCONJ", "PART") and lower[at] != "'s" and lower[at] not in ("not", "n't"):
            return False
        if tags[at] in _VERBAL and not lower[at].endswith("ing") and tags[at - 1] not in ("ADP", "DET"):
            return any(tag in _NOMINAL for tag in tags[:at])
    return False
