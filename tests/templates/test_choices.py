"""Families for multiple choice: their forms of docs/method.md 3 and 4, options of their layout, and ids with each adapter."""

from __future__ import annotations

import pytest

from mto.errors import TemplateError, UnknownNameError
from mto.templates import (
    CHOICE,
    CHOICE_SOFT,
    Layout,
    TemplateFamily,
    compile_template,
    encode_example,
    get_family,
    plain_text,
)  # fmt: skip

FIELDS = {
    "question": "Where is a book?",
    "relation": "QA",
    "choice1": "library",
    "choice2": "garden",
    "choice3": "car",
}
NAMES = ("question", "relation")
INPUT = "question: Where is a book? choice1: library choice2: garden choice3: car"


def written(
    family: str | TemplateFamily, fields: dict[str, str] = FIELDS, **options: object
) -> tuple[str, str]:
    template = compile_template(
        family, fields=tuple(n for n in fields if "choice" not in n), choices=True, **options
    )  # type: ignore[arg-type]
    rendered = template.render(fields, fields["choice2"], 1)
    return plain_text(rendered.source), plain_text(rendered.target)


@pytest.mark.parametrize(
    ("family", "source", "target"),
    [
        ("mapping", f"QA: {INPUT}", "garden"),
        ("masked-mapping", f"QA: {INPUT} [M0]", "[M0] garden"),
        ("answer-prompting", INPUT, "garden"),
        ("masked-answer-prompting", f"{INPUT} [M0]", "[M0] garden"),
        ("choice-prompting", INPUT, "choice2 garden"),
        ("masked-choice-prompting", f"{INPUT} [M0], the correct choice is [M1]", "[M0] garden [M1] choice2"),
        ("pt", f"[P x 20] {INPUT}", "garden"),
        ("pre-answer-pt", f"[P x 20] {INPUT}", "garden"),
        ("post-masked-answer-pt", f"{INPUT} [P x 20] [M0]", "[M0] garden"),
        ("post-choice-pt", f"{INPUT} [P x 20]", "choice2 garden"),
        (
            "pre-masked-choice-pt",
            f"[P x 20] {INPUT} [M0], the correct choice is [M1]",
            "[M0] garden [M1] choice2",
        ),
    ],
)
def test_the_forms_of_the_method(family: str, source: str, target: str) -> None:
    assert written(family) == (source, target)


@pytest.mark.parametrize(
    ("options", "source", "target"),
    [
        (
            "last",
            "choice1: library choice2: garden choice3: car question: Where is a book?",
            "choice2 garden",
        ),
        (
            "after",
            "question: Where is a book? library (choice1) garden (choice2) car (choice3)",
            "choice2 garden",
        ),
        ("letters", "question: Where is a book? a: library b: garden c: car", "b garden"),
        ("numbers-last", "1: library 2: garden 3: car question: Where is a book?", "2 garden"),
    ],
)
def test_options_are_words_behind_a_name(options: str, source: str, target: str) -> None:
    assert written(f"choice-prompting-{options}") == (source, target)


def test_context_and_fact_stand_first() -> None:
    fields = {"context": "It rained.", "fact": "Rain is wet.", **FIELDS}
    source, _ = written("answer-prompting-last", fields)
    assert source.startswith("context: It rained. fact: Rain is wet. choice1: library")


def test_a_family_of_ones_own_with_a_layout_and_a_phrase() -> None:
    own = TemplateFamily(
        "own", "{{ phrase }} {{ mask }}", "{{ mask }} {{ answer }}", layout=Layout(names="letters")
    )
    source, _ = written(own, phrase="{{ head }} Answer:")
    assert source == "question: Where is a book? a: library b: garden c: car Answer: [M0]"
    source, _ = written(own, phrase="{{ question }} ({{ choices }})")
    assert source == "Where is a book? (a: library b: garden c: car) [M0]"


@pytest.mark.parametrize(
    "name", ["answer-prompting-last-last", "answer-prompting-first", "last", "answr-prompting-last"]
)
def test_words_that_are_no_options_are_an_unknown_name(name: str) -> None:
    with pytest.raises(UnknownNameError):
        get_family(name)


def test_families_for_choices_refuse_other_tasks_and_rows_with_one_choice() -> None:
    with pytest.raises(TemplateError, match="for tasks with choices"):
        compile_template("answer-prompting")
    with pytest.raises(TemplateError, match="for tasks with choices"):
        compile_template(TemplateFamily("own", "{{ head }} {{ choices }}", "{{ answer }}"))
    template = compile_template("answer-prompting", fields=NAMES, choices=True)
    with pytest.raises(TemplateError, match="the row holds 1 choice,"):
        template.render({"question": "Q", "choice1": "a"})
    with pytest.raises(TemplateError, match="the source shows the right choice"):
        compile_template(
            TemplateFamily("own", "{{ head }} {{ choice }}", "{{ answer }}"), fields=NAMES, choices=True
        )


@pytest.mark.parametrize("family", [*CHOICE, *CHOICE_SOFT])
def test_every_family_is_read_back_with_every_adapter(family: str, tiny) -> None:
    adapter = tiny.adapter
    template = compile_template(family, fields=NAMES, choices=True, adapter=adapter)
    for number, answer in enumerate(("library", "garden", "car")):
        encoded = encode_example(template.render(FIELDS, answer, number), adapter, soft=True)
        read = adapter.read_answer(encoded.target_ids, encoded.masks_asked)
        name = f"choice{number + 1}"
        assert not read.unasked_sentinel
        plain = "choice" in family and "masked" not in family
        assert read.text.replace(" ", "") == (f"{name}{answer}" if plain else answer)
        assert [part.replace(" ", "") for part in read.rest] == ([name] if "masked-choice" in family else [])
    assert encode_example(template.render(FIELDS), adapter, soft=True).target_ids == ()


def test_contents_that_look_like_marks_stay_contents(tiny_t5) -> None:
    fields = {**FIELDS, "choice1": "{{ mask }} <extra_id_0>", "question": "choice1: x"}
    template = compile_template(
        "masked-answer-prompting", fields=NAMES, choices=True, adapter=tiny_t5.adapter
    )
    encoded = encode_example(template.render(fields), tiny_t5.adapter)
    assert sum(tiny_t5.adapter.is_sentinel(i) for i in encoded.source_ids) == 1


def test_choices_are_shortened_last(tiny_t5) -> None:
    adapter = tiny_t5.adapter
    template = compile_template("answer-prompting", fields=NAMES, choices=True)
    fields = {
        "question": "red big small dog cat run",
        "choice1": "eat food in the house",
        "choice2": "run",
        "relation": "QA",
    }
    whole = encode_example(template.render(fields), adapter)
    cut = encode_example(template.render(fields), adapter, max_source=len(whole.source_ids) - 5)
    assert cut.words_lost == 5
    assert "eat food in the house" in adapter.decode(cut.source_ids)
