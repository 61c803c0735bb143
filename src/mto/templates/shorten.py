"""Over-long examples lose words from their longest field, and from nothing else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mto.templates.layout import CHOICE_FIELDS
from mto.templates.segments import FIXED_FIELDS, FieldSpan, Segment, TextSegment

Segments = tuple[Segment, ...]


@dataclass(frozen=True)
class Shortened:
    """Segments that fit, and how many words they lost (a word cut in two counts as lost)."""

    segments: Segments
    words_lost: int


def shorten(segments: Segments, fits: Callable[[Segments], bool]) -> Shortened | None:
    """Drop last words of the field that is longest at the moment, one by one, until the segments fit.

    Literals, masks, the answer and the relation's name are never touched, and each field keeps its first word;
    where first words alone are too long (a text without spaces), they are cut at a character. Fields are compared
    by their number of words; the first one wins a tie. A field that stands twice is shortened in both places. Choices
    lose words only when every other field has one word left.

    Returns:
        The segments with the fewest words lost, or None when the literals alone do not fit.
    """
    words = _word_counts(segments)
    most = sum(count - 1 for count in words.values() if count)
    if not most or not fits(_keep_words(segments, _levels(words, most))):
        return _cut_characters(_keep_words(segments, _levels(words, most)), most, fits)
    # What fits is mostly far shorter than a text that is long without end, so the search begins at the short end: fits(high) is known.
    high, kept = most, 1
    while high - kept >= 1 and fits(_keep_words(segments, _levels(words, high - kept))):
        high, kept = high - kept, 2 * kept
    low = max(1, high - kept + 1)
    while low < high:
        middle = (low + high) // 2
        if fits(_keep_words(segments, _levels(words, middle))):
            high = middle
        else:
            low = middle + 1
    return Shortened(_keep_words(segments, _levels(words, high)), high)


def _cut_characters(segments: Segments, lost: int, fits: Callable[[Segments], bool]) -> Shortened | None:
    longest = max((span.end - span.start for span in _spans(segments)), default=0)
    if longest < 2 or not fits(_keep_characters(segments, 1)):
        return None
    low, high = 1, longest  # fits(low) is known; look for the most that fits
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_keep_characters(segments, middle)) else (low, middle - 1)
    cut = len({span.name for span in _spans(segments) if span.end - span.start > low})
    return Shortened(_keep_characters(segments, low), lost + cut)


def _spans(segments: Segments) -> list[FieldSpan]:
    found = [span for segment in segments if isinstance(segment, TextSegment) for span in segment.fields]
    return [span for span in found if span.name not in FIXED_FIELDS]


def _word_counts(segments: Segments) -> dict[str, int]:
    counts: dict[str, int] = {}
    for segment in segments:
        if isinstance(segment, TextSegment):
            for span in segment.fields:
                if span.name not in FIXED_FIELDS:
                    counts[span.name] = len(segment.text[span.start : span.end].split())
    return counts


def _levels(words: Mapping[str, int], lost: int) -> dict[str, int]:
    """Words that each field keeps after `lost` words were dropped, always from the longest.

    >>> _levels({"question": 6, "hint": 4}, 3)
    {'question': 3, 'hint': 4}
    """
    keep = dict(words)
    choices = [name for name in words if name in CHOICE_FIELDS]
    for names in ([name for name in words if name not in CHOICE_FIELDS], choices):
        lost -= _lower(keep, names, lost)
    return keep


def _lower(keep: dict[str, int], names: Sequence[str], lost: int) -> int:
    """Take so many words off these fields, always from the longest, and leave one word each; gives how many were there to take."""

    def above(level: int) -> int:
        return sum(max(0, keep[name] - level) for name in names)

    lost = min(lost, above(1))
    low, high = 1, max((keep[name] for name in names), default=1)
    while low < high:  # the lowest level that does not take too many
        middle = (low + high) // 2
        low, high = (low, middle) if above(middle) <= lost else (middle + 1, high)
    rest = lost - above(low)
    for name in names:
        keep[name] = min(keep[name], low)
        if rest and keep[name] == low:
            keep[name], rest = low - 1, rest - 1
    return lost


def _keep_words(segments: Segments, keep: Mapping[str, int]) -> Segments:
    def cut(name: str, content: str) -> str:
        # One word more than is kept is looked for, not all words of a text without end.
        ends = [word.end() for word in itertools.islice(re.finditer(r"\S+", content), keep[name] + 1)]
        return content[: ends[keep[name] - 1]] if keep[name] < len(ends) else content

    return _map_fields(segments, cut)


def _keep_characters(segments: Segments, keep: int) -> Segments:
    return _map_fields(segments, lambda name, content: content.strip()[:keep])


def _map_fields(segments: Segments, change: Callable[[str, str], str]) -> Segments:
    """The segments with every field's content changed; the relation's name is left as it is."""
    result: list[Segment] = []
    for segment in segments:
        if not isinstance(segment, TextSegment):
            result.append(segment)
            continue
        text, spans, done = "", [], 0
        for span in segment.fields:
            text += segment.text[done : span.start]
            content, done = segment.text[span.start : span.end], span.end
            content = content if span.name in FIXED_FIELDS else change(span.name, content)
            spans.append(FieldSpan(span.name, len(text), len(text) + len(content)))
            text += content
        result.append(TextSegment(text + segment.text[done:], tuple(spans)))
    return tuple(result)
