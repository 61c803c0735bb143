"""Spans are found where they stand, in whatever spelling a tokenizer leaves them, and the cut loses no word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mto.prepare.splitting.places import Place, align, cut, words_of

WORD = some.text(alphabet="abcXYZé'-0", min_size=1, max_size=5).filter(
    lambda word: any(map(str.isalnum, word))
)
SIGN = some.sampled_from(["", "", "", ",", ".", '"', "!"])
SENTENCE = some.lists(some.tuples(WORD, SIGN).map("".join), min_size=1, max_size=9).map(" ".join)


@given(SENTENCE, some.data())
def test_every_run_of_words_is_found_and_cut_and_join_give_the_sentence(
    sentence: str, data: some.DataObject
) -> None:
    words = words_of(sentence)
    first = data.draw(some.integers(0, len(words) - 1))
    last = data.draw(some.integers(first, len(words) - 1))
    span = sentence[words[first].start : words[last].end]
    place = align(span, sentence)
    assert place is not None and place.of(sentence).casefold() == span.casefold()
    before, target, after = cut(sentence, place)
    joined = "".join((before + target + after).split())
    whole = "".join(sentence.split())
    assert whole in (joined, joined + ".")
    assert target == target.strip() and before == before.strip() and after == after.strip()


@given(SENTENCE, some.data())
def test_what_a_lower_casing_tokenizer_writes_is_found_as_well(sentence: str, data: some.DataObject) -> None:
    words = words_of(sentence)
    first = data.draw(some.integers(0, len(words) - 1))
    span = sentence[words[first].start :]
    spelled = " ".join("".join(f" {c} " if not c.isalnum() else c for c in span).split()).lower()
    assert align(spelled.replace("é", "e"), sentence) is not None


def test_the_last_place_counts() -> None:
    assert align("hammer", "A hammer is used to hammer.") == Place(20, 26)


@pytest.mark.parametrize(
    ("span", "sentence", "found"),
    [
        ("man", "A man's best friend.", None),
        ("known", "A well-known man.", None),
        ("well", "A well-known man.", None),
        ("well-known", "A well-known man.", "well-known"),
        ("man ' s best friend", "Dogs are man’s best friend.", "man’s best friend"),
        ("cafe", "She sat in the Café.", "Café"),
        ("nails", "Use the 'nails' now.", "nails"),
        ("use nails", "Use the nails.", None),
        (" . ", "Use the nails.", None),
        ("", "Use the nails.", None),
        ("nails", "", None),
        ("ail", "Use the nails.", None),
    ],
)
def test_places(span: str, sentence: str, found: str | None) -> None:
    place = align(span, sentence)
    assert (place and place.of(sentence)) == found


def test_only_a_last_full_stop_goes() -> None:
    assert cut("He ran home!", Place(7, 11)) == ("He ran", "home", "!")
    assert cut("He ran home.", Place(7, 11)) == ("He ran", "home", "")
    assert cut("He ran.", Place(0, 2)) == ("", "He", "ran.")
