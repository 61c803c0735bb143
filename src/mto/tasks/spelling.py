"""When two texts are the same text: as they stand, or as a tokenizer would have written either of them back.

Written answers are read, and options are compared, by the same steps. Each one passes over more than the one before.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Sequence

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def as_it_is(text: str) -> str:
    """The text without blanks at both ends."""
    return text.strip()


def plain(text: str) -> str:
    """Without differences in case; blanks are joined.

    >>> plain(" New  York")
    'new york'
    """
    return " ".join(text.split()).casefold()


def unspaced(text: str) -> str:
    """Also without blanks, and with compatible characters as one (NFKC): tokenizers write blanks around marks.

    >>> unspaced("C++") == unspaced("c + +"), unspaced("-5") == unspaced("- 5"), unspaced("5") == unspaced("- 5")
    (True, True, False)
    """
    return "".join(unicodedata.normalize("NFKC", plain(text)).casefold().split())


def unaccented(text: str) -> str:
    """Also without accents, as lower-case tokenizers write it.

    >>> unaccented("Naïve Café")
    'naivecafe'
    """
    split = unicodedata.normalize("NFKD", unspaced(text))
    return "".join(c for c in split if unicodedata.category(c) != "Mn")


def written_back(text: str) -> str:
    """As a lower-case word-piece tokenizer writes a text back: no accents, blanks around every mark.

    >>> written_back("Café-C++")
    'cafe - c + +'
    """
    split = unicodedata.normalize("NFD", text.lower())
    return _spaced(
        split if text.isascii() else "".join(c for c in split if unicodedata.category(c) != "Mn"), " {} "
    )


def unmarked(text: str) -> str:
    """NFKC and lower case; each punctuation character (of Unicode or ASCII) becomes a space; spaces are made single.

    >>> unmarked("A.") == unmarked("a"), unmarked("don't") == unmarked("don ' t")
    (True, True)
    """
    return _spaced(unicodedata.normalize("NFKC", text).lower(), " ")


def _spaced(text: str, shape: str) -> str:
    """With each mark in this shape, and single spaces. ASCII goes by table: whole data sets are read so."""
    marks = set(string.punctuation)
    if not text.isascii():
        marks |= {c for c in set(text) if unicodedata.category(c).startswith("P")}
    table = {ord(c): shape.format(c) for c in marks & set(text)}
    return " ".join(text.translate(table).split())


def normalise(text: str) -> str:
    """Lower case; punctuation becomes a space; the articles a, an, the go; spaces are made single.

    Punctuation is every Unicode punctuation character and every ASCII one. It becomes a space, not nothing as in
    SQuAD's script, so that "don't" and "don ' t" (as word-piece tokenizers write it back) are the same.

    >>> normalise("The ice-cream,  in a Box!")
    'ice cream in box'
    >>> normalise("don't") == normalise("don ' t")
    True
    """
    return " ".join(_ARTICLES.sub(" ", unmarked(text)).split())


STEPS: tuple[Callable[[str], str], ...] = (as_it_is, plain, unspaced, unaccented, unmarked, normalise)
"""From strict to loose."""


def the_one(text: str, options: Sequence[Sequence[str]]) -> int | None:
    """The option that a text is, by the first step at which it equals any; None where it equals none, or more than one.

    A text of which a step leaves nothing equals nothing there.

    Args:
        options: the texts that stand for each option.

    >>> the_one("c + +", [["C"], ["C++"]]), the_one("The library.", [["a library"], ["a garden"]])
    (1, 0)
    >>> the_one(">", [["<"], [">"]]), the_one("library!", [["a library"], ["the library"]])
    (1, None)
    """
    for step in STEPS:
        ours = step(text)
        found = [n for n, texts in enumerate(options) if ours and any(step(one) == ours for one in texts)]
        if found:
            return found[0] if len(found) == 1 else None
    return None
