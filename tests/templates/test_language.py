"""The language: markers and contents never meet, and only what is meant to work works."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import TemplateError
from mto.templates.language import AnswerRef, FieldRef, MaskRef, parse_text, write


def pieces(source: str, **fields: str) -> tuple[object, ...]:
    return write(parse_text(source), None, fields or {"head": "hammer"})


def test_output_is_split_into_literals_and_references() -> None:
    assert pieces("a {{ head }} {{ mask }}, {{ answer }}") == (
        "a ", FieldRef("head"), " ", MaskRef(None), ", ", AnswerRef()
    )  # fmt: skip


@given(st.text(alphabet=st.characters(min_codepoint=0xE000, max_codepoint=0x10FFFF, categories=["Co"])))
def test_private_use_literals_stay_literals(literal: str) -> None:
    found = pieces(literal + "{{ head }}")
    assert "".join(piece for piece in found if isinstance(piece, str)) == literal
    assert found[-1] == FieldRef("head")


def test_literals_in_every_block_but_one_are_still_told_apart() -> None:
    blocks = "".join(chr(block * 256) for block in range(0xF00, 0x10F0))
    assert pieces(blocks + "{{ mask }}") == (blocks, MaskRef(None))


def test_escapes_cannot_forge_a_marker() -> None:
    forged = r'{{ "\U000f0000" }}{{ head }}'
    assert pieces(forged) == ("\U000f0000", FieldRef("head"))


def test_filters_are_kept_with_the_field() -> None:
    (piece,) = pieces("{{ head | trim | upper_first }}")
    assert isinstance(piece, FieldRef)
    assert piece.fill({"head": " PersonX runs"}) == "PersonX runs"
    assert piece.fill({"head": "iPod"}) == "IPod"


def test_conditions_see_the_content_and_output_does_not() -> None:
    text = parse_text("{{ head }} {% if head.endswith('s') %}are{% else %}is{% endif %}")
    assert not text.static
    assert write(text, None, {"head": "nails"}) == (FieldRef("head"), " are")
    assert write(text, None, {"head": "nail"}) == (FieldRef("head"), " is")


@pytest.mark.parametrize("source", ["{% if head | lenth %}{% endif %}", "{{ head | uper_first }}"])
def test_an_unknown_filter_is_found_when_parsed_in_any_branch(source: str) -> None:
    with pytest.raises(TemplateError, match="unknown filter"):
        parse_text(source)


@pytest.mark.parametrize("condition", ["head == 'x'", "'x' in head", "head.startswith('x')"])
def test_conditions_by_equality_and_content(condition: str) -> None:
    text = parse_text(f"{{% if {condition} %}}yes{{% endif %}}")
    assert write(text, None, {"head": "x"}) == ("yes",)
    assert write(text, None, {"head": "y"}) == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ head.__class__ }}", "unsafe"),
        ("{{ head._marks }}", "unsafe"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ head + 's' }}", "unsupported operand"),
        ("{{ (head ~ 's') | upper }}", "filter 'upper' applies to a field itself"),
        ("{{ mask | upper }}", "filter 'upper' applies to a field itself"),
        ("{{ mask(-1) }}", "number of a mask"),
        ("{% for _ in 'x' * 300 %}{{ mask }}{% endfor %}", "more than 256"),
        ("{{ '%c' % 983045 }}{{ mask }}", "out of range"),
        ("{% include 'x' %}", "no loader"),
    ],
)
def test_what_is_forbidden_is_an_error_with_a_place(source: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        write(parse_text(source), None, {"head": "hammer"}, where="f.yaml:3")
    assert caught.value.where == "f.yaml:3"


def test_bad_syntax_names_line_and_place() -> None:
    with pytest.raises(TemplateError, match=r"f\.yaml:3: .*line 2") as caught:
        parse_text("one\n{{ head", where="f.yaml:3")
    assert caught.value.where == "f.yaml:3"


def test_a_last_newline_is_kept() -> None:
    assert pieces("{{ head }}\n") == (FieldRef("head"), "\n")


def test_globals_that_draw_random_text_are_gone() -> None:
    assert parse_text("{{ lipsum }}").names == {"lipsum"}
