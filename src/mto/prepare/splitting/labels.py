"""Words of labels in a sentence: what a classification's target is in raw text ("The soup was [great]")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mto.prepare.splitting.places import Place, words_of

_JOINED = "-'\N{RIGHT SINGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class LabelWord:
    """A label's word in a sentence: the label, and where the word stands."""

    label: str
    place: Place


class LabelWords:
    """Looks for the words of labels.

    Args:
        labels: name of each label to the words that stand for it.

    >>> words = LabelWords({"positive": ("great", "good"), "negative": ("bad",)})
    >>> text = "Good food is never bad, and the no-good cook was GREAT."
    >>> found = words.find(text)
    >>> found.label, found.place.of(text)
    ('positive', 'GREAT')
    """

    def __init__(self, labels: Mapping[str, Sequence[str]]) -> None:
        self._label = {_folded(word): name for name, words in labels.items() for word in words}
        longest_first = sorted(self._label, key=lambda word: (-len(word), word))
        words = "|".join(r"\s+".join(map(re.escape, word.split(" "))) for word in longest_first)
        # As `align` has it, a word that is joined to another one is no word of its own: "no-one", "well-known".
        self._pattern = re.compile(
            rf"(?<!\w)(?<!\w[{_JOINED}])(?:{words or '(?!)'})(?!\w)(?![{_JOINED}]\w)", re.IGNORECASE
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels."""
        return tuple(dict.fromkeys(self._label.values()))

    def find(self, text: str) -> LabelWord | None:
        """The last word of a label in a sentence; None where there is none, or only as the first word, which leaves nothing in front of it."""
        last = None
        for match in self._pattern.finditer(text):
            last = match
        if last is None or last.start() <= next((word.start for word in words_of(text)), 0):
            return None
        return LabelWord(self._label[_folded(last.group())], Place(last.start(), last.end()))


def _folded(word: str) -> str:
    return " ".join(word.split()).lower()
