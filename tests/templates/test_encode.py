"""Examples as ids: hostile text stays text, answers read back, and only fields are shortened."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import TemplateError
from mto.templates import (
    BASIC,
    MaskSegment,
    TemplateFamily,
    TextSegment,
    compile_template,
    encode_example,
    encode_many,
    show_example,
)
from mto.templates.lint import literals
from mto.templates.shorten import shorten

PHRASE = "{{ head }} is used for"
HOSTILE = [
    "</s>", "<pad>", "<mask>", "<extra_id_0>", "<extra_id_19>", " <extra_id_1> ", "{{ mask }}", "{{ answer }}",
    "{% raw %}", "{# x #}", "\U000f0000", "\U000f0001", "\U0010fffd", "\ue000", "[M0]", "▁", "\n", "  ", "hammer", "a",
]  # fmt: skip
texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=6).map("".join)
plain = st.text(alphabet="abcdefgh ", min_size=1, max_size=30)


def check_plain(adapter, head: str, answer: str, name: str) -> None:
    template = compile_template(name, phrase=PHRASE)
    encoded = encode_example(
        template.render({"head": head, "relation": "Use"}, answer), adapter, max_source=300
    )
    sentinels = [i for i in encoded.source_ids if adapter.is_sentinel(i)]
    assert sentinels == [adapter.sentinel(k) for k in range(encoded.masks_asked)]
    for ids in (encoded.source_ids, encoded.target_ids):
        assert ids.count(adapter.eos_id) == 1 and ids[-1] == adapter.eos_id
        assert adapter.pad_id not in ids
    read = adapter.read_answer(encoded.target_ids, encoded.masks_asked)
    assert read.text == adapter.decode(adapter.encode(answer.strip()))
    assert not read.unasked_sentinel


@pytest.mark.parametrize("name", BASIC)
@settings(max_examples=40)
@given(head=texts, answer=texts)
def test_hostile_text_stays_plain_and_reads_back_t5(name: str, head: str, answer: str, tiny_t5) -> None:
    check_plain(tiny_t5.adapter, head, answer, name)


@pytest.mark.parametrize("name", BASIC)
@settings(max_examples=40)
@given(head=texts, answer=texts)
def test_hostile_text_stays_plain_and_reads_back_bart(name: str, head: str, answer: str, tiny_bart) -> None:
    check_plain(tiny_bart.adapter, head, answer, name)


@settings(max_examples=40)
@given(head=plain, relation=plain)
def test_a_text_segment_is_tokenised_as_one_text(head: str, relation: str, tiny_t5) -> None:
    adapter = tiny_t5.adapter
    template = compile_template("mapping")
    encoded = encode_example(template.render({"head": head, "relation": relation}), adapter)
    assert list(encoded.source_ids[:-1]) == adapter.encode(f"{relation}: {head}".strip())
    assert encoded.target_ids == ()


def test_spaces_around_a_mask_do_not_matter(tiny) -> None:
    ids = set()
    for source in ("{{ head }} {{ mask }}.", "{{ head }}{{ mask }} .", " {{ head }}  {{ mask }}  . "):
        template = compile_template(TemplateFamily("own", source=source, target="{{ mask }}{{ answer }}"))
        ids.add(encode_example(template.render({"head": "nail"}, "a"), tiny.adapter).source_ids)
    assert len(ids) == 1


def test_many_examples_give_the_same_ids_as_one_by_one(tiny) -> None:
    template = compile_template("masked-prompting", phrase=PHRASE)
    rendered = [template.render({"head": f"a {w} " * n}, w) for n, w in enumerate(["nail", "cat", "nail"], 1)]
    limit = len(encode_example(rendered[1], tiny.adapter).source_ids)
    together = encode_many(rendered, tiny.adapter, max_source=limit)
    assert together == [encode_example(r, tiny.adapter, max_source=limit) for r in rendered]
    assert [e.words_lost > 0 for e in together] == [False, False, True]


def test_many_examples_cost_one_call_of_the_tokenizer(tiny_t5, monkeypatch) -> None:
    adapter, calls = tiny_t5.adapter, []
    inner = type(adapter).encode_many
    monkeypatch.setattr(
        type(adapter), "encode_many", lambda self, texts: calls.append(len(texts)) or inner(self, texts)
    )
    template = compile_template("masked-prompting", phrase=PHRASE)
    encode_many([template.render({"head": f"nail {n % 10}"}, "a") for n in range(100)], adapter)
    assert calls == [11]  # ten different sources and one answer


@settings(max_examples=60)
@given(
    head=st.lists(plain | st.just("x" * 40), min_size=1, max_size=12).map(" ".join), limit=st.integers(30, 60)
)
def test_over_long_sources_lose_field_words_only(head: str, limit: int, tiny_t5) -> None:
    adapter = tiny_t5.adapter
    template = compile_template("masked-prompting", phrase="when {{ head }} then it is")
    rendered = template.render({"head": head}, "cat")
    whole = encode_example(rendered, adapter)
    short = encode_example(rendered, adapter, max_source=limit)
    assert len(short.source_ids) <= limit and short.target_ids == whole.target_ids
    assert (short.words_lost == 0) == (len(whole.source_ids) <= limit)
    assert short.source_ids[:1] == whole.source_ids[:1]
    tail = [*adapter.encode("then it is"), adapter.sentinel(0), adapter.eos_id]
    assert list(short.source_ids[-len(tail) :]) == tail
    assert short.words_lost <= len(head.split())


def test_the_longest_field_loses_first_and_the_relation_never() -> None:
    family = TemplateFamily(
        "own",
        source="{{ relation }} {{ question }} | {{ hint }}? {{ question }} {{ mask }}",
        target="{{ answer }}",
    )
    fields = {"relation": "r " * 20, "question": "q1 q2 q3 q4 q5", "hint": "h1 h2 h3"}
    rendered = compile_template(family, fields=tuple(fields)).render(fields, "a")

    def words(segments) -> int:
        return sum(len(s.text.split()) for s in segments if isinstance(s, TextSegment))

    limit = words(rendered.source) - 7  # the question stands twice: each of its words counts for two
    shorter = shorten(rendered.source, lambda segments: words(segments) <= limit)
    assert shorter is not None and shorter.words_lost == 4
    text = shorter.segments[0]
    assert isinstance(text, TextSegment) and text.text == "r " * 20 + " q1 q2 | h1 h2? q1 q2 "
    assert literals(text) == literals(rendered.source[0])
    assert isinstance(shorter.segments[-1], MaskSegment)


def test_literals_over_the_limit_are_an_error(tiny_t5) -> None:
    template = compile_template("prompting", phrase="{{ head }} " + "is " * 20)
    with pytest.raises(TemplateError, match="over 10 ids long"):
        encode_example(template.render({"head": "cat"}), tiny_t5.adapter, max_source=10)


def test_answers_are_never_cut(tiny_t5) -> None:
    template = compile_template("prompting", phrase=PHRASE)
    with pytest.raises(TemplateError, match="target is 21 ids long, 5 are allowed"):
        encode_example(template.render({"head": "cat"}, "a " * 20), tiny_t5.adapter, max_target=5)


def test_the_checkpoints_own_limit_holds(tiny_bart) -> None:
    template = compile_template("prompting", phrase=PHRASE)
    encoded = encode_example(template.render({"head": "cat " * 2000}), tiny_bart.adapter)
    assert len(encoded.source_ids) == tiny_bart.adapter.max_positions
    assert encoded.words_lost == 2000 - (600 - 4)


def test_show_tells_what_each_family_writes(tiny) -> None:
    adapter = tiny.adapter
    shown = show_example({"head": "hammer", "relation": "use"}, "nail", adapter, phrase=PHRASE)
    assert [one.family.name for one in shown] == list(BASIC)
    for one in shown:
        assert one.answer == "nail"
        assert len(one.source) == len(one.source.tokens) == len(one.source.ids)
        assert one.masks_asked == one.family.source.count("mask")
        assert adapter.show(one.source.ids) == one.source.text
    assert (
        len(show_example({"head": "hammer", "relation": "use"}, "nail", adapter)) == 2
    )  # no phrase: Mappings only
