"""Pairs as ids: the layout, what is left out, and that the reader of answers gives the target back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.adapt.writing import write_pairs
from mto.errors import FamilyError
from mto.prepare.pairs import Pair
from tests.adapt.prepared import pair
from tests.conftest import WORDS, bart_model, loaded, t5_model, t5_tokenizer, word_tokenizer

PHRASES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
# A cell may spell anything, special tokens too.
ODD = st.one_of(
    PHRASES, st.text(alphabet="abz <>/_0s&;.,!extrid", min_size=1, max_size=12), st.just("</s> <extra_id_0>")
)


@pytest.fixture(scope="module", params=["t5", "bart"])
def adapter(request: pytest.FixtureRequest) -> Any:
    if request.param == "t5":
        tokenizer = t5_tokenizer()
        return loaded(t5_model(tokenizer), tokenizer, "tiny").adapter
    tokenizer = word_tokenizer()
    return loaded(bart_model(tokenizer), tokenizer, "tiny").adapter


def test_the_layout_of_both_objectives(adapter: Any) -> None:
    written = write_pairs([pair(), pair()], ["denoising", "lm"], adapter, max_tokens=50)
    mask, end = adapter.sentinel(0), adapter.eos_id
    before, after, use = (adapter.encode(t) for t in ("the hammer is used to", "in the house", "eat food"))
    assert written.source.to_lists() == [[*before, mask, *after, end], [*before, *after, end]]
    assert written.target.to_lists() == [[mask, *use, end], [*use, end]]
    assert written.masked.tolist() == [True, False] and written.kept.tolist() == [0, 1]
    assert written.tokens()["denoising"] == written.tokens()["lm"] + 2


@given(before=PHRASES, target=ODD, after=st.one_of(st.just(""), ODD), mask=st.booleans())
def test_the_reader_of_answers_gives_the_target_back(
    adapter: Any, before: str, target: str, after: str, mask: bool
) -> None:
    one = Pair(before, target, after, "lm", 0.5, "", "phrase", 0.0, "", "")
    written = write_pairs([one], ["denoising" if mask else "lm"], adapter, max_tokens=300)
    ids = adapter.encode(target)
    assert len(written) == bool(ids)
    if not ids:
        return
    answer = adapter.read_answer(written.target.to_lists()[0], masks_asked=int(mask))
    assert list(answer.ids) == ids and answer.text == adapter.decode(ids) and not answer.unasked_sentinel
    source = written.source.to_lists()[0]
    assert source.count(adapter.eos_id) == 1 and sum(map(adapter.is_sentinel, source)) == mask


@given(target=PHRASES)
def test_a_plain_target_is_read_word_for_word(adapter: Any, target: str) -> None:
    written = write_pairs([pair(use=target)], ["denoising"], adapter, max_tokens=300)
    assert adapter.read_answer(written.target.to_lists()[0], masks_asked=1).text == target


def test_what_does_not_fit_is_left_out_and_counted(adapter: Any) -> None:
    given = [pair(), pair(use="run " * 30), pair(use=""), replace(pair(), before="", after=""), pair("nail")]
    written = write_pairs(given, ["lm"] * 5, adapter, max_tokens=20)
    assert (len(written), written.too_long, written.empty, written.kept.tolist()) == (2, 1, 2, [0, 4])
    assert len(write_pairs([], [], adapter, max_tokens=20)) == 0


def test_masks_need_sentinels(adapter: Any) -> None:
    bare = replace(adapter, sentinel_ids=())
    assert len(write_pairs([pair()], ["lm"], bare, max_tokens=50)) == 1
    with pytest.raises(FamilyError, match="objective 'denoising' writes masks"):
        write_pairs([pair()], ["denoising"], bare, max_tokens=50)
