"""Where a span stands in a sentence, and the sentence without it.

A model writes a span in its own spelling: lower case, blanks around punctuation, accents gone. So spans are compared word by word in a
plain spelling, and the place is given in characters of the sentence as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_UNIT = re.compile(r"[^\W_]+|_+|[^\w\s]")
_LETTER = re.compile(r"\w")
_JOINERS = "-'\N{RIGHT SINGLE QUOTATION MARK}\N{NON-BREAKING HYPHEN}"
_PLAIN = str.maketrans(
    {
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a text: characters ``start`` to ``end`` (exclusive)."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The span itself."""
        return text[self.start : self.end]


def words_of(sentence: str) -> tuple[Place, ...]:
    """The words of a sentence, without the punctuation around them; what is punctuation alone is no word.

    >>> [place.of("A man's \\"best\\" friend - a dog.") for place in words_of("A man's \\"best\\" friend - a dog.")]
    ['A', "man's", 'best', 'friend', 'a', 'dog']
    """
    found = []
    for chunk in re.finditer(r"\S+", sentence):
        letters = [match.start() for match in _LETTER.finditer(chunk.group())]
        if letters:
            found.append(Place(chunk.start() + letters[0], chunk.start() + letters[-1] + 1))
    return tuple(found)


def align(span: str, sentence: str) -> Place | None:
    """Where a span stands in a sentence; None where it does not.

    It must begin and end at the border of a word (``known`` does not stand in ``well-known``). Case, accents, blanks, the form of quotation
    marks and punctuation at the span's ends are not looked at. Where the span stands twice, the last place is taken: a target comes
    behind what asks for it, so in "a hammer is used to hammer" it is the second hammer.

    >>> sentence = "You can use it to Pound nails, or not."
    >>> align("pound nails .", sentence), align("ails", sentence)
    (Place(start=18, end=29), None)
    """
    wanted = _trimmed([plain for plain, _, _ in _units(span)])
    if not wanted:
        return None
    units = _units(sentence)
    plain = [unit[0] for unit in units]
    for first in range(len(units) - len(wanted), -1, -1):
        if plain[first : first + len(wanted)] == wanted:
            place = Place(units[first][1], units[first + len(wanted) - 1][2])
            if _at_borders(place, sentence):
                return place
    return None


def cut(sentence: str, place: Place) -> tuple[str, str, str]:
    """The text before a span, the span, and the text behind it.

    A full stop right behind a span that ends the sentence is left out, so that the rest reads like a template that asks for the span.

    >>> sentence = "You can use a hammer to pound nails."
    >>> cut(sentence, align("pound nails", sentence))
    ('You can use a hammer to', 'pound nails', '')
    """
    after = sentence[place.end :].strip()
    return sentence[: place.start].strip(), place.of(sentence), "" if after == "." else after


def _units(text: str) -> list[tuple[str, int, int]]:
    """Runs of letters and digits, and single signs, in plain spelling with their places."""
    return [
        (plain, match.start(), match.end())
        for match in _UNIT.finditer(text)
        if (plain := _plain(match.group()))
    ]


def _plain(text: str) -> str:
    text = text.translate(_PLAIN)
    if text.isascii():
        return text.lower()
    parted = unicodedata.normalize("NFKD", text)
    return "".join(char for char in parted if not unicodedata.combining(char)).casefold()


def _trimmed(units: Sequence[str]) -> list[str]:
    """Without signs at the ends."""
    inner = [number for number, unit in enumerate(units) if _LETTER.match(unit)]
    return list(units[inner[0] : inner[-1] + 1]) if inner else []


def _at_borders(place: Place, sentence: str) -> bool:
    return _ends_word(sentence[place.end : place.end + 2]) and _ends_word(
        sentence[max(0, place.start - 2) : place.start][::-1]
    )


def _ends_word(next_to: str) -> bool:
    """Whether a word is over, seen from the two characters next to it."""
    if not next_to or not (_LETTER.match(next_to[0]) or next_to[0] in _JOINERS):
        return True
    return next_to[0] in _JOINERS and not _LETTER.match(next_to[1:])
