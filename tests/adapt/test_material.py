"""Readers and batches: every row once an epoch, masks anew, exact position, replay in its share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mto.adapt.masking import sentence_objective, taught_objective
from mto.adapt.material import EpochSource, Fixed, Masked, Rows, usable_sentences
from mto.adapt.writing import write_pairs
from mto.errors import DataError, FamilyError
from mto.families import word_start_rows
from mto.objectives import SpecialIds, reconstruct
from tests.adapt.prepared import general, pairs


def fixed(adapter: Any) -> Fixed:
    given = pairs()
    written = write_pairs(given, [p.objective for p in given], adapter, max_tokens=60)
    return Fixed(Rows(written.source, written.target, written.masked))


def masked(adapter: Any, name: str = "spans", count: int | None = None) -> Masked:
    starts = word_start_rows(adapter.tokenizer)
    objective = sentence_objective(name, adapter, 0.3, 2.0)
    texts = [p.sentence for p in pairs()]
    return Masked(
        usable_sentences(texts, adapter, objective, starts, max_tokens=60), starts, objective, count
    )


def seen(source: EpochSource, batches: int) -> list[tuple[Any, Any]]:
    return [(b.input_ids.tolist(), b.labels.tolist()) for b in (next(source) for _ in range(batches))]


def test_an_epoch_holds_every_pair_once_and_the_next_one_in_another_order(tiny_bart: Any) -> None:
    adapter = tiny_bart.adapter
    source = EpochSource([fixed(adapter)], pad_id=0, tokens=200, seed=3)
    one = source.budget(1)
    rows = [tuple(i for i in row if i) for ids, _ in seen(source, one.batches) for row in ids]
    assert sorted(rows) == sorted(map(tuple, fixed(adapter).rows.source.to_lists()))
    again = [tuple(i for i in row if i) for ids, _ in seen(source, one.batches) for row in ids]
    assert sorted(again) == sorted(rows) and again != rows
    assert sum(one.tokens.values()) == sum(fixed(adapter).rows.tokens().values())
    assert source.budget(2).batches >= 2 * one.batches - 1 and 0 < one.shares["lm"] < 1


@pytest.mark.parametrize("kind", ["pairs", "spans", "ul2", "both"])
def test_a_stored_position_gives_the_same_next_batches(tiny_bart: Any, kind: str) -> None:
    adapter = tiny_bart.adapter

    def build(seed: int = 1) -> EpochSource:
        readers = {
            "pairs": [fixed(adapter)], "spans": [masked(adapter)], "ul2": [masked(adapter, "ul2")],
            "both": [fixed(adapter), masked(adapter, "spans", 31)],
        }[kind]  # fmt: skip
        return EpochSource(readers, pad_id=0, tokens=150, seed=seed)

    whole = build()
    seen(whole, whole.budget(2).batches - 3)
    state = whole.state_dict()
    rest = seen(whole, 8)
    other = build()
    other.load_state_dict(state)
    assert seen(other, 8) == rest
    with pytest.raises(DataError, match="other pairs or another seed"):
        build(2).load_state_dict(state)


@pytest.mark.parametrize("name", ["spans", "prefixes", "ul2"])
def test_sentences_are_masked_anew_and_stay_whole(tiny_bart: Any, name: str) -> None:
    reader = masked(tiny_bart.adapter, name)
    one, two = reader.epoch(0, 5), reader.epoch(1, 5)
    assert one.source.to_lists() != two.source.to_lists()
    assert one.source.to_lists() == reader.epoch(0, 5).source.to_lists()
    special = SpecialIds.of(tiny_bart.adapter)
    for rows in (one, two):
        assert reconstruct(rows.source, rows.target, special).to_lists() == reader.sentences.to_lists()
    share = {"spans": 1.0, "prefixes": 0.0, "ul2": 2 / 3}[name]
    assert one.masked.mean() == pytest.approx(share, abs=0.03)
    marks = np.array([special.is_sentinel(row).any() for row in one.source])
    assert (marks == one.masked).all()


def test_replay_walks_through_all_of_its_text(tiny_bart: Any) -> None:
    reader = masked(tiny_bart.adapter, "prefixes", 30)
    special, size = SpecialIds.of(tiny_bart.adapter), len(masked(tiny_bart.adapter, "prefixes").sentences)
    read = []
    for number in range(6):
        rows = reader.epoch(number, 2)
        assert len(rows.source) == 30
        read += [tuple(r) for r in reconstruct(rows.source, rows.target, special).to_lists()]
    assert {*read[:size]} == {*map(tuple, reader.sentences.to_lists())} and len({*read}) == size < len(read)


def test_general_text_is_written_as_the_checkpoint_was_taught(tiny_bart: Any) -> None:
    adapter = tiny_bart.adapter
    assert taught_objective(adapter, {"denoising": 1.0}).name == "denoising"
    assert taught_objective(adapter, {"lm": 1.0, "supervised": 3.0}).name == "lm"
    both = taught_objective(adapter, {"supervised": 1.0})
    assert both.name == "taught" and both.weights == (0.5, 0.5)  # type: ignore[attr-defined]
    bare = type("A", (), {"sentinel_ids": (), "eos_id": 1, "writes_masks": False, "name": "bare"})()
    assert taught_objective(bare, {"denoising": 1.0}).name == "lm"
    assert sentence_objective("prefixes", bare, 0.15, 3.0).name == "lm"
    with pytest.raises(FamilyError, match="objective 'ul2' writes masks"):
        sentence_objective("ul2", bare, 0.15, 3.0)


def test_short_and_long_sentences_are_left_out_and_nothing_at_all_is_an_error(tiny_bart: Any) -> None:
    adapter, starts = tiny_bart.adapter, word_start_rows(tiny_bart.adapter.tokenizer)
    objective = sentence_objective("spans", adapter, 0.15, 3.0)
    found = usable_sentences(["run", "water " * 80, *general(3)], adapter, objective, starts, max_tokens=60)
    assert len(found) == 3
    empty = usable_sentences(["run"], adapter, objective, starts, max_tokens=60)
    with pytest.raises(DataError, match="nothing to train on"):
        EpochSource([Masked(empty, starts, objective)], pad_id=0, tokens=100, seed=0)
