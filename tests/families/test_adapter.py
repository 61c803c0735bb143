"""What every family must do with sentinels, layout and answers (the contract tests hold the rest)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bart.modeling_bart import shift_tokens_right

from mto.errors import FamilyError
from mto.families import MaskPart, TextPart, find_adapter
from tests.conftest import bart_model, t5_model, t5_tokenizer, word_tokenizer

T5 = find_adapter(t5_model(t5_tokenizer()).config, t5_tokenizer())
BART = find_adapter(bart_model(word_tokenizer()).config, word_tokenizer())
BOTH = pytest.mark.parametrize("adapter", [T5, BART], ids=["t5", "bart"])

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["</s>", "<extra_id_0>", "a <extra_id_0> b", "<extra_id_1></s>", "<pad>", "<mask>", "x</s>y", "▁<extra_id_0>",
         " </s>", "<<extra_id_0>>", "\ue000", "{{ x }}", "<unk>", "<extra_id_0><extra_id_0>"]
    ),
)  # fmt: skip


@BOTH
def test_sentinels_are_distinct_rows_in_order_of_appearance(adapter: Any) -> None:
    ids = adapter.sentinel_ids
    assert len(ids) == 20 == len(set(ids))
    assert all(0 <= i < adapter.vocab_rows for i in ids)
    assert [adapter.tokenizer.convert_ids_to_tokens(i) for i in ids[:2]] == ["<extra_id_0>", "<extra_id_1>"]
    assert ids[0] > ids[1] if adapter is T5 else ids[0] < ids[1]


@BOTH
@given(text=HOSTILE)
def test_no_text_becomes_a_special_token(adapter: Any, text: str) -> None:
    ids = adapter.encode(text)
    special = {*adapter.sentinel_ids, adapter.eos_id, adapter.pad_id}
    assert special.isdisjoint(ids)


@BOTH
def test_encode_many_equals_encode_one_by_one(adapter: Any) -> None:
    texts = ["a hammer", "", "wash the </s> car", "<extra_id_3> dog"]
    assert adapter.encode_many(texts) == [adapter.encode(t) for t in texts]


@BOTH
def test_text_around_a_special_spelling_survives(adapter: Any) -> None:
    assert adapter.decode(adapter.encode("a hammer is used")) == "a hammer is used"
    shown = adapter.decode(adapter.encode("dog <extra_id_0> cat"))
    assert shown.startswith("dog") and shown.endswith("cat") and "extra" in shown.replace(" ", "")


@BOTH
def test_layout_ends_in_one_eos_and_numbers_masks(adapter: Any) -> None:
    text = TextPart(tuple(adapter.encode("a hammer is used for")))
    source = adapter.build_source([text, MaskPart(0)])
    assert source == [*text.ids, adapter.sentinel(0), adapter.eos_id]
    assert adapter.build_target([MaskPart(0), text])[0] == adapter.sentinel_ids[0]


@BOTH
def test_a_mask_over_the_budget_is_refused(adapter: Any) -> None:
    with pytest.raises(FamilyError, match="20 sentinels"):
        adapter.build_source([MaskPart(20)])


@BOTH
@given(
    words=st.lists(st.sampled_from(["hammer", "red", "dog", "the", "kitchen"]), min_size=1, max_size=6),
    masked=st.booleans(),
)
def test_reading_inverts_writing(adapter: Any, words: list[str], masked: bool) -> None:
    text = " ".join(words)
    answer = TextPart(tuple(adapter.encode(text)))
    ids = adapter.build_target([MaskPart(0), answer] if masked else [answer])
    for generated in (ids, [adapter.decoder_start_id, *ids], [*ids, adapter.pad_id, adapter.pad_id]):
        read = adapter.read_answer(generated, masks_asked=int(masked))
        assert (read.text, read.ids, read.empty, read.unasked_sentinel) == (text, answer.ids, False, False)


@BOTH
def test_reader_is_the_same_for_every_family_and_flags_what_was_not_asked(adapter: Any) -> None:
    hammer, s0, s1, s2 = (
        adapter.encode("hammer"),
        adapter.sentinel(0),
        adapter.sentinel(1),
        adapter.sentinel(2),
    )
    closed = [s0, *hammer, s1, *adapter.encode("dog"), adapter.eos_id]
    assert (
        adapter.read_answer(closed, 1).text == "hammer"
        and not adapter.read_answer(closed, 1).unasked_sentinel
    )
    assert adapter.read_answer(closed, 0).text == "hammer" and adapter.read_answer(closed, 0).unasked_sentinel
    assert adapter.read_answer([s2, *hammer], 1).unasked_sentinel
    assert adapter.read_answer([s0, s1, *hammer], 1).empty
    assert adapter.read_answer([], 0).empty and not adapter.read_answer([], 0).unasked_sentinel


@BOTH
def test_stop_rule_agrees_with_the_reader(adapter: Any) -> None:
    s0, s1 = adapter.sentinel(0), adapter.sentinel(1)
    for masks in (0, 1):
        assert (
            adapter.stops(adapter.eos_id, 0, masks)
            and adapter.stops(s1, 1, masks)
            and adapter.stops(s0, 3, masks)
        )
        assert not adapter.stops(s0, 0, masks) and not adapter.stops(s1, 0, masks)
    assert not adapter.stops(s1, 4, 2) and adapter.stops(adapter.sentinel(2), 4, 2)


def test_decoder_inputs_equal_the_models_own_shift(tiny: Any) -> None:
    labels = np.array([[5, 6, 1, -100], [7, 1, -100, -100]])
    own = shift_tokens_right(torch.from_numpy(labels), tiny.adapter.pad_id, tiny.adapter.decoder_start_id)
    if tiny.model.config.model_type == "t5":
        own = tiny.model._shift_right(torch.from_numpy(labels))
    assert np.array_equal(tiny.adapter.decoder_inputs(labels), own.numpy())


def test_fingerprint_depends_on_layout_and_vocabulary() -> None:
    assert T5.fingerprint != BART.fingerprint
    assert T5.fingerprint == find_adapter(t5_model(t5_tokenizer()).config, t5_tokenizer()).fingerprint
    other = t5_tokenizer(10)
    assert T5.fingerprint != find_adapter(t5_model(other).config, other).fingerprint


@BOTH
def test_a_text_full_of_special_spellings_is_still_read(adapter: Any) -> None:
    ids = adapter.encode("</s>" * 3000 + "dog" + "<extra_id_0> " * 500)
    assert {*adapter.sentinel_ids, adapter.eos_id}.isdisjoint(ids) and len(ids) > 3000


def test_a_word_piece_at_the_start_loses_its_mark_but_a_written_one_stays() -> None:
    piece = BART.tokenizer.convert_tokens_to_ids("##ing")
    assert BART.decode([piece, *BART.encode("dog")]) == "ing dog"
    assert BART.decode(BART.encode("## dog")).startswith("#")
