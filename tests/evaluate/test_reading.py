"""What is written is read as the option that it is, whatever the options look like."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mto.evaluate.reading import read_option
from mto.families import Answer, load_model
from mto.tasks.spelling import as_it_is, unaccented, written_back
from mto.templates import Layout

WORDS = st.lists(
    st.sampled_from(["a", "A", "the", "B", "C", "C++", "-", "5", "1", "10", ">", "<", "red", "Ball", "é", "e", "U.S.", "us", "'", "½"]),
    min_size=1, max_size=3,
).map(" ".join)  # fmt: skip
TEXTS = WORDS | st.text(min_size=1, max_size=6).map(str.strip).filter(bool)
OPTIONS = st.lists(TEXTS, min_size=2, max_size=5)


def read(
    text: str, options: list[str], names: tuple[str, ...] = (), rest: tuple[str, ...] = ()
) -> int | None:
    answer = Answer(text, (), not text, False, rest)
    return read_option(answer, [[one] for one in options], 0, names, masked=bool(rest)).option


@given(OPTIONS)
def test_the_text_of_an_option_is_read_as_it(options: list[str]) -> None:
    assume(len({as_it_is(one) for one in options}) == len(options))
    assert [read(one, options) for one in options] == list(range(len(options)))


@given(OPTIONS)
def test_so_is_what_a_tokenizer_makes_of_it(options: list[str]) -> None:
    kept = [one for one in options if unaccented(written_back(one)) == unaccented(one) != ""]
    assume(len(kept) > 1 and len({unaccented(one) for one in kept}) == len(kept))
    assert [read(written_back(one), kept) for one in kept] == list(range(len(kept)))


def test_a_real_tokenizer_writes_no_option_so_that_it_is_lost(trial_mini: Path) -> None:
    adapter = load_model(trial_mini).adapter
    options = ["C++", "C", "C#", "-5", "5", ">", "<", "U.S.", "us", "naïve", "don't", "dont", "A", "the"]
    back = [adapter.decode(adapter.encode(one)) for one in options]
    assert "c + +" in back  # else the test tests nothing
    assert [read(one, options) for one in back] == list(range(len(options)))


@given(OPTIONS, st.randoms(use_true_random=False))
def test_the_order_of_the_options_decides_nothing(options: list[str], random) -> None:
    """Equal options are none, so the first of them has no right of its own."""
    said = random.choice(options)
    found, back = read(f"{said}.", options), read(f"{said}.", options[::-1])
    assert (found is None) == (back is None)
    assert found is None or back == len(options) - 1 - found


@given(OPTIONS, st.sampled_from(["choices", "letters", "numbers"]))
def test_a_name_is_read_with_its_text_and_alone(options: list[str], names) -> None:
    marks = tuple(Layout(names=names).name(n) for n in range(len(options)))
    for number, (mark, text) in enumerate(zip(marks, options, strict=True)):
        assert read(f"{mark} {text}", options, marks) == number
        assert read(mark, options, marks) == number
        assert read(f"({mark})", options, marks) == number
        assert read(text, options, marks, rest=(mark,)) == number


@pytest.mark.parametrize(
    ("text", "options", "found"),
    [
        ("c + +", ["C", "C++"], 1),
        ("c", ["C++", "C"], 1),
        ("- 5", ["5", "-5"], 1),
        (">", ["<", ">"], 1),
        ("a", ["A", "B"], 0),
        ("A.", ["A", "B"], 0),
        ("C.", ["C", "C++"], None),  # by then they are the same
        ("the library!", ["a library", "the library"], 1),
        ("library", ["a library", "the library"], None),
        ("naive", ["naïve", "clever"], 0),
        ("!", ["?", "a"], None),
    ],
)
def test_what_was_misread_once(text: str, options: list[str], found: int | None) -> None:
    assert read(text, options) == found


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("a red ball", "letters", None),
        ("b a red ball", "letters", 1),
        ("B: red", "letters", 1),
        ("ball", "letters", None),
        ("1, 000 balls", "numbers", None),
        ("2. balls", "numbers", 1),
        ("-1", "numbers", None),
        ("choice 2 red", "choices", 1),
    ],
)
def test_a_word_that_is_also_a_name_is_none_by_itself(text: str, names, found: int | None) -> None:
    marks = tuple(Layout(names=names).name(n) for n in range(2))
    assert read(text, ["a pot", "a red ball"], marks) == found
