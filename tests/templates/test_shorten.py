"""Which words go when an example is too long: the same as one by one from the longest, also for texts without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mto.templates.layout import CHOICE_FIELDS
from mto.templates.segments import FieldSpan, TextSegment
from mto.templates.shorten import _levels, shorten

FIELDS = ("question", "context", sorted(CHOICE_FIELDS)[0], sorted(CHOICE_FIELDS)[1])


def one_by_one(words: dict[str, int], lost: int) -> dict[str, int]:
    """The rule as it is said: again and again the last word of the longest field, of choices only when nothing else is left."""
    keep = dict(words)
    for _ in range(lost):
        longest = max(keep, key=lambda name: (keep[name] > 1 and name not in CHOICE_FIELDS, keep[name]))
        keep[longest] -= 1
    return keep


@given(st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 12), min_size=1), st.data())
def test_levels_are_what_one_by_one_gives(words: dict[str, int], data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, sum(count - 1 for count in words.values())))
    assert _levels(words, lost) == one_by_one(words, lost)


@given(st.integers(2, 300), st.integers(1, 299))
def test_the_fewest_words_are_lost(length: int, room: int) -> None:
    text = " ".join(f"w{n}" for n in range(length))
    segments = (TextSegment(text, (FieldSpan("head", 0, len(text)),)),)
    found = shorten(segments, lambda now: len(now[0].text.split()) <= room)  # type: ignore[union-attr]
    assert found is not None
    assert found.words_lost == (max(1, length - room))


def test_a_text_of_millions_of_words_is_read_a_few_times_only() -> None:
    text = "x " * 3_000_000
    read = []

    def fits(now: tuple[TextSegment, ...]) -> bool:
        read.append(len(now[0].text))
        return len(now[0].text) <= 1000

    found = shorten((TextSegment(text, (FieldSpan("head", 0, len(text)),)),), fits)  # type: ignore[arg-type]
    assert found is not None and len(found.segments[0].text) == 999  # type: ignore[union-attr]
    assert len(read) < 30 and sum(read) < 20_000
