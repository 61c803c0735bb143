"""Families composed with phrases: the table of docs/method.md 3, and every finding of the lint."""

from __future__ import annotations

import pytest

from mto.errors import TemplateError
from mto.templates import (
    BASIC,
    AnswerSegment,
    MaskSegment,
    TemplateFamily,
    TextSegment,
    compile_template,
    get_family,
    plain_text,
)

FIELDS = {"head": "hammer", "relation": "ObjectUse"}
PHRASE = "{{ head }} is used for"


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("mapping", "ObjectUse: hammer", "pounding nails"),
        ("masked-mapping", "ObjectUse: hammer [M0]", "[M0] pounding nails"),
        ("prompting", "hammer is used for", "pounding nails"),
        ("masked-prompting", "hammer is used for [M0]", "[M0] pounding nails"),
    ],
)
def test_the_four_families_write_what_the_method_says(name: str, source: str, target: str) -> None:
    rendered = compile_template(name, phrase=PHRASE).render(FIELDS, "pounding nails")
    assert (plain_text(rendered.source), plain_text(rendered.target)) == (source, target)


def test_literals_and_fields_are_one_segment() -> None:
    rendered = compile_template("masked-prompting", phrase=PHRASE).render(FIELDS)
    first = rendered.source[0]
    assert isinstance(first, TextSegment) and first.text == "hammer is used for "
    assert first.text[first.fields[0].start : first.fields[0].end] == "hammer"
    assert rendered.target[-1] == AnswerSegment(None)


def test_only_mapping_is_conventional_and_objectives_follow_the_method() -> None:
    told = {name: (get_family(name).objective, get_family(name).conventional) for name in BASIC}
    assert told == {
        "mapping": (None, True),
        "masked-mapping": ("denoising", False),
        "prompting": ("lm", False),
        "masked-prompting": ("denoising", False),
    }


def test_masks_are_numbered_by_appearance_and_can_be_named() -> None:
    family = TemplateFamily(
        "two",
        source="{{ mask }} of {{ head }} {{ mask }}",
        target="{{ mask(1) }} {{ answer }} {{ mask(0) }} x",
    )
    rendered = compile_template(family).render(FIELDS, "a")
    assert [s.index for s in rendered.source if isinstance(s, MaskSegment)] == [0, 1]
    assert [s.index for s in rendered.target if isinstance(s, MaskSegment)] == [1, 0]
    assert rendered.masks_asked == 2


@pytest.mark.parametrize("content", ["{{ mask }}", "\U000f0000", "\U000f0001\U000f0002", "{% if %}", "[M0]"])
def test_content_that_looks_like_a_marker_stays_content(content: str) -> None:
    rendered = compile_template("masked-prompting", phrase=PHRASE).render({"head": content}, content)
    assert rendered.masks_asked == 1
    assert isinstance(rendered.source[0], TextSegment)
    assert rendered.source[0].text == f"{content} is used for "
    assert rendered.target[-1] == AnswerSegment(content)


def test_a_phrase_with_a_condition_reads_as_english() -> None:
    phrase = "{{ head | upper_first }} {% if head.endswith('s') %}are{% else %}is{% endif %} used for"
    template = compile_template("prompting", phrase=phrase)
    assert plain_text(template.render({"head": "nails"}).source) == "Nails are used for"
    assert plain_text(template.render({"head": "nail"}).source) == "Nail is used for"


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("{{ haed }} {{ head }}", "{{ answer }}", "unknown field 'haed'(.|\n)*did you mean 'head'"),
        ("{{ head }}", "nails", "no answer slots"),
        ("{{ head }}", "{{ answer }} {{ answer }}", "2 answer slots"),
        ("{{ head }} {{ answer }}", "{{ answer }}", "source shows the answer"),
        ("{{ head }}", "{{ mask }} {{ answer }}", "mask 0 of the target does not stand in the source"),
        ("{{ head }} {{ mask }}", "{{ mask }} {{ answer }} {{ mask }}", "mask 1 of the target"),
        ("{{ head }} {{ mask }}", "{{ mask(0) }} {{ answer }} {{ mask(0) }}", "twice in the target"),
        ("{{ mask(1) }} {{ head }} {{ mask(0) }}", "{{ answer }}", r"order \[1, 0\]"),
        ("{{ head }}", "{{ answer }}.", "text stands after the answer"),
        ("{{ head }}", "so {{ answer }}", "text stands before the answer"),
        ("{{ mask }} {{ head }} {{ mask }}", "{{ mask }} {{ mask }} {{ answer }}", "several masks"),
        ("{{ relation }}: {{ mask }}", "{{ mask }} {{ answer }}", "no input field"),
        ("{{ phrase }}", "{{ answer }}", "needs a phrase"),
        ("{{ head | uper }}", "{{ answer }}", "unknown filter 'uper'(.|\\n)*did you mean 'upper'"),
    ],
)
def test_lint_finds(source: str, target: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        compile_template(TemplateFamily("own", source=source, target=target))


def test_lint_reports_all_problems_at_once() -> None:
    family = TemplateFamily("own", source="{{ haed }} {{ relatoin }}", target="{{ mask }} so {{ answer }}.")
    with pytest.raises(TemplateError) as caught:
        compile_template(family)
    text = str(caught.value)
    assert "5 problems in family 'own'" in text
    for part in ("'haed'", "'relatoin'", "mask 0", "before the answer", "after the answer"):
        assert part in text


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("is used for", "holds no input"),
        ("{{ relation }} of", "holds no input"),
        ("{{ head }} is used for {{ mask }}", "cannot hold 'mask'"),
        ("{{ haed }} {{ head }}", "did you mean 'head'"),
        ("{{ head ", "unexpected end"),
    ],
)
def test_lint_of_the_phrase(phrase: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        compile_template("prompting", phrase=phrase, phrase_where="t.yaml:9")
    assert caught.value.where == "t.yaml:9"


def test_a_branch_without_an_answer_is_found_when_it_is_taken() -> None:
    family = TemplateFamily(
        "own", source="{{ head }}", target="{% if head == 'nail' %}x{% else %}{{ answer }}{% endif %}"
    )
    template = compile_template(family)
    template.render({"head": "hammer"}, "a")
    with pytest.raises(TemplateError, match="no answer slots"):
        template.render({"head": "nail"}, "a")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(TemplateError, match=r"field 'relation' is missing \(found: head\)"):
        compile_template("mapping").render({"head": "hammer"})


def test_characters_unknown_to_the_tokenizer_are_named(tiny_t5) -> None:
    family = TemplateFamily("own", source="{{ head }} ~ for", target="{{ answer }}")
    with pytest.raises(TemplateError, match="'~' in '~ for' are unknown"):
        compile_template(family, adapter=tiny_t5.adapter)
    # The user's own text is not the template's fault.
    compile_template("prompting", phrase=PHRASE, adapter=tiny_t5.adapter).render({"head": "~"})


def test_masks_over_the_sentinel_budget_are_an_error(tiny_bart) -> None:
    family = TemplateFamily("own", source="{{ head }}" + " {{ mask }}" * 21, target="{{ mask }} {{ answer }}")
    with pytest.raises(TemplateError, match="has 20 sentinels"):
        compile_template(family, adapter=tiny_bart.adapter)


def test_lost_line_breaks_are_a_warning(tiny_t5) -> None:
    family = TemplateFamily("own", source="{{ head }}: it is\nused for", target="{{ answer }}")
    (warning,) = compile_template(family, adapter=tiny_t5.adapter).warnings
    assert warning.level == "warning" and r"'\n' in the template is lost" in str(warning)
