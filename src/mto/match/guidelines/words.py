"""Words of a text, with the placeholders of event data as ordinary words."""

from __future__ import annotations

import re

_WORD = re.compile(r"_{2,}|[^\W_]+(?:[-'][^\W_]+)*")
_PERSON = re.compile(r"\bperson ?[xyz](?=\b|')", re.IGNORECASE)
_ONE_WORD = {"he's", "it's", "she's", "that's", "there's", "what's", "who's"}


def words(text: str) -> tuple[str, ...]:
    """The words of a text, punctuation left out; a possessive ``'s`` stands alone.

    A person's placeholder (``PersonX``, ``person y``) becomes *someone* and a blank (``___``) *something*, so that a
    tagger reads ordinary English.

    >>> words("PersonX breaks PersonY's ___, again.")
    ('someone', 'breaks', 'someone', "'s", 'something', 'again')
    """
    text = _PERSON.sub("someone", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return tuple(part for word in _WORD.findall(text) for part in _cut(word))


def _cut(word: str) -> tuple[str, ...]:
    if word.startswith("_"):
        return ("something",)
    if word.lower().endswith("'s") and word.lower() not in _ONE_WORD:
        return (word[:-2], "'s")
    return (word,)
