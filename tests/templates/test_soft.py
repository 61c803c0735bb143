"""Soft prompts in templates: where they may stand, what they are called, and that no token is at their place."""

from __future__ import annotations

from typing import Any

import pytest

from mto.errors import TemplateError
from mto.templates import (
    SOFT,
    SoftSegment,
    SoftSpan,
    TemplateFamily,
    compile_template,
    encode_example,
    get_family,
    show_example,
)

PHRASE = "{{ head }} is used for"


def own(source: str, target: str = "{{ answer }}") -> TemplateFamily:
    return TemplateFamily("own", source=source, target=target)


def test_names_are_kept_and_the_others_are_numbered() -> None:
    template = compile_template(
        own('{{ soft(2) }} {{ head }} {{ soft(3, name="task", init="for") }} {{ soft(4) }}')
    )
    expected = (SoftSegment(2, "#1"), SoftSegment(3, "task", "for"), SoftSegment(4, "#2"))
    assert template.soft == expected
    assert template.render({"head": "hammer"}).soft == expected


def test_a_number_of_vectors_replaces_those_of_the_family() -> None:
    template = compile_template("pt").with_vectors(5)
    assert [segment.length for segment in template.render({"head": "hammer"}).soft] == [5]
    with pytest.raises(TemplateError, match="0 vectors"):
        template.with_vectors(0)


@pytest.mark.parametrize("name", SOFT)
def test_vectors_stand_on_pads_and_everything_else_is_as_without_them(name: str, tiny: Any) -> None:
    family = get_family(name)
    plain = own(family.source.replace("{{ soft(20) }}", "").strip(), family.target)
    adapter = tiny.adapter
    fields = {"head": "hammer", "relation": "Use"}
    soft = compile_template(family, phrase=PHRASE, adapter=adapter).render(fields, "eat food")
    hard = compile_template(plain, phrase=PHRASE, adapter=adapter).render(fields, "eat food")
    encoded, without = encode_example(soft, adapter, soft=True), encode_example(hard, adapter)
    (span,) = encoded.soft
    places = range(span.start, span.start + span.length)
    assert (span.length, span.name) == (20, "#1")
    assert all(encoded.source_ids[place] == adapter.pad_id for place in places)
    kept = tuple(i for place, i in enumerate(encoded.source_ids) if place not in places)
    assert kept == without.source_ids
    assert encoded.target_ids == without.target_ids
    assert (encoded.masks_asked, without.soft) == (without.masks_asked, ())


def test_neighbouring_soft_prompts_are_told_apart(tiny_t5: Any) -> None:
    template = compile_template(own('{{ soft(2, name="a") }}{{ soft(3, name="b") }} {{ head }}'))
    encoded = encode_example(template.render({"head": "dog"}), tiny_t5.adapter, soft=True)
    assert encoded.soft == (SoftSpan(0, 2, "a"), SoftSpan(2, 3, "b"))


def test_shortening_takes_words_and_never_vectors(tiny_t5: Any) -> None:
    rendered = compile_template("masked-post-pt").with_vectors(6).render({"head": "red dog run house cat"})
    encoded = encode_example(rendered, tiny_t5.adapter, max_source=10, soft=True)
    assert len(encoded.source_ids) <= 10
    assert encoded.words_lost == 3
    assert [span.length for span in encoded.soft] == [6]


def test_more_vectors_than_the_model_has_positions(tiny_bart: Any) -> None:
    rendered = compile_template("pt").with_vectors(1000).render({"head": "dog"})
    with pytest.raises(TemplateError, match="1000 of them vectors"):
        encode_example(rendered, tiny_bart.adapter, soft=True)


def test_who_has_no_vectors_is_told(tiny_t5: Any) -> None:
    rendered = compile_template("pt").render({"head": "dog"})
    with pytest.raises(TemplateError, match="no vectors for"):
        encode_example(rendered, tiny_t5.adapter)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ soft(0) }} {{ head }}", "number of vectors"),
        ("{{ soft }} {{ head }}", "without a number"),
        ("{{ soft(2, size=3) }} {{ head }}", "other arguments"),
        ("{{ soft(head) }} {{ head }}", "no constant"),
        ('{{ soft(2, name="#1") }} {{ head }}', "no name"),
        ('{{ soft(2, init=" ") }} {{ head }}', "no words"),
        ("{% if head %}{{ soft(2) }}{% endif %} {{ head }}", "without a name"),
        ('{{ soft(2, name="a") }} {{ head }} {{ soft(3, name="a") }}', "stands twice"),
    ],
)
def test_what_cannot_be_meant_is_an_error(source: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        compile_template(own(source))


def test_the_target_and_the_phrase_hold_none() -> None:
    with pytest.raises(TemplateError, match="target holds a soft prompt"):
        compile_template(own("{{ head }}", "{{ soft(2) }} {{ answer }}"))
    with pytest.raises(TemplateError, match="phrase cannot hold 'soft'"):
        compile_template("prompting", phrase="{{ head }} {{ soft(2) }}")


def test_what_a_person_sees_is_a_picture(tiny_t5: Any) -> None:
    fields = {"head": "dog", "relation": "Use"}
    (shown,) = show_example(fields, "run", tiny_t5.adapter, families=["masked-post-pt"], phrase=PHRASE)
    assert "[P x 20]" in shown.source.text
    assert shown.source.shown_ids.count("[P x 20]") == 1
    assert len(shown.source) == len(shown.source.shown_ids) + 19


def test_a_family_says_whether_it_holds_soft_prompts() -> None:
    assert all(get_family(name).soft for name in SOFT)
    assert [name for name in SOFT if get_family(name).conventional] == ["pt"]
    assert not get_family("masked-prompting").soft
