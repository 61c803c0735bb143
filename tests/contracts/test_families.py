"""The contract that every model family keeps, whatever the template family, objective or length.

Each kind of checkpoint is one row of the matrix; a new kind is added to the `tiny` fixture and to `REAL`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import ObjectiveError
from mto.evaluate.generate import generate
from mto.families import find_adapter, load_model
from mto.objectives import Denoising, Mixture, PrefixLM, Ragged, SpecialIds, reconstruct
from mto.tasks import load_task
from mto.templates import BASIC, compile_template, encode_many
from mto.train import collate
from mto.train.loss import seq2seq_loss
from tests.conftest import bart_model, t5_model, t5_tokenizer, word_tokenizer

ADAPTERS = {
    "t5": find_adapter(t5_model(t5_tokenizer()).config, t5_tokenizer()),
    "sentinel-text": find_adapter(bart_model(word_tokenizer()).config, word_tokenizer()),
}
KINDS = pytest.mark.parametrize("kind", ADAPTERS)
TASKS = [load_task(f"household/{relation}") for relation in ("ObjectUse", "xWant")]


def text_ids(adapter: Any) -> list[int]:
    special = {*adapter.tokenizer.all_special_ids, *adapter.sentinel_ids}
    return [i for i in range(len(adapter.tokenizer)) if i not in special]


@KINDS
@given(data=st.data())
def test_corrupting_then_reconstructing_is_the_identity(kind: str, data: st.DataObject) -> None:
    adapter = ADAPTERS[kind]
    special, ids = SpecialIds.of(adapter), text_ids(adapter)
    rows = data.draw(
        st.lists(st.lists(st.sampled_from(ids), min_size=5, max_size=60), min_size=1, max_size=6)
    )
    batch = Ragged.from_lists(rows)
    objective = Mixture((Denoising(special), PrefixLM(special)), (1.0, 1.0))
    pairs = objective(batch, np.random.default_rng(data.draw(st.integers(0, 99))))
    assert reconstruct(pairs.source, pairs.target, special).to_lists() == rows


@KINDS
@pytest.mark.parametrize("length", [5, 8, 12, 20, 40])
def test_masks_of_short_texts_have_the_asked_density_and_fall_everywhere(kind: str, length: int) -> None:
    adapter = ADAPTERS[kind]
    rng = np.random.default_rng(length)
    batch = Ragged.from_lists(rng.choice(text_ids(adapter), (4000, length)).tolist())
    noise = Denoising(SpecialIds.of(adapter), density=0.2, mean_span=2.0)(batch, rng).noise.values.reshape(
        -1, length
    )
    assert noise.mean() == pytest.approx(max(0.2, 1 / length), abs=0.02)
    at_the_end_alone = np.array([row[-1] and not row[: length - row.sum()].any() for row in noise])
    assert at_the_end_alone.mean() < 0.35
    assert (noise.any(axis=1) & ~noise.all(axis=1)).all() and noise.mean(axis=0).min() > 0.03


@KINDS
@pytest.mark.parametrize("family", BASIC)
def test_labels_end_in_one_eos_and_hold_no_pad_and_literals_no_unknown(kind: str, family: str) -> None:
    adapter = ADAPTERS[kind]
    for task in TASKS:
        template = compile_template(family, phrase=task.phrases[0], adapter=adapter)
        rendered = [template.render(e.fields, t) for e in task.train[:8] for t in e.targets]
        for item in encode_many(rendered, adapter):
            for ids in (item.source_ids, item.target_ids):
                assert list(ids).count(adapter.eos_id) == 1 and ids[-1] == adapter.eos_id
                assert adapter.pad_id not in ids and max(ids) < adapter.vocab_rows
            assert sum(map(adapter.is_sentinel, item.source_ids)) == item.masks_asked
        plain = template.render({**task.train[0].fields, "head": "dog"}, "cat")
        assert adapter.unk_id not in encode_many([plain], adapter)[0].source_ids


@pytest.mark.parametrize("family", BASIC)
def test_reading_inverts_rendering(tiny: Any, family: str) -> None:
    adapter = tiny.adapter
    task = TASKS[0]
    template = compile_template(family, phrase=task.phrases[0], adapter=adapter)
    tails = [t for e in task.train[:20] for t in e.targets]
    items = encode_many([template.render(task.train[0].fields, tail) for tail in tails], adapter)
    for tail, item in zip(tails, items, strict=True):
        answer = adapter.read_answer(item.target_ids, item.masks_asked)
        assert answer.ids == tuple(adapter.encode(tail)) and not answer.unasked_sentinel and not answer.empty


def test_extra_padding_changes_no_loss(tiny: Any) -> None:
    pairs = [([5, 6, 7, 8, 1], [9, 10, 1]), ([11, 12, 1], [13, 14, 15, 16, 1])]
    short = collate(pairs, tiny.adapter.pad_id, multiple_of=1)
    long = collate(pairs, tiny.adapter.pad_id, shape=(24, 16))
    with torch.no_grad():
        assert float(seq2seq_loss(tiny.model, short)) == pytest.approx(
            float(seq2seq_loss(tiny.model, long)), abs=1e-5
        )


@pytest.mark.parametrize("family", BASIC)
def test_generation_stops(tiny: Any, family: str) -> None:
    template = compile_template(family, phrase=TASKS[0].phrases[0], adapter=tiny.adapter)
    items = encode_many([template.render(e.fields) for e in TASKS[0].test[:6]], tiny.adapter)
    for answer in generate(tiny, items, max_new_tokens=7):
        assert len(answer.ids) <= 7 and tiny.adapter.eos_id not in answer.ids
        assert not any(map(tiny.adapter.is_sentinel, answer.ids))


@KINDS
def test_more_spans_than_sentinels_is_an_error(kind: str) -> None:
    adapter = ADAPTERS[kind]
    batch = Ragged.from_lists([text_ids(adapter)[:1] * 400])
    with pytest.raises(ObjectiveError, match="sentinels"):
        Denoising(SpecialIds.of(adapter), density=0.15, mean_span=1.0)(batch, np.random.default_rng(0))


def test_a_trained_checkpoint_keeps_the_contract_too(trial_mini: Path) -> None:
    loaded = load_model(trial_mini)
    adapter = loaded.adapter
    assert adapter.name == "sentinel-text" and len(adapter.sentinel_ids) == 100
    for family in BASIC:
        template = compile_template(family, phrase=TASKS[0].phrases[0], adapter=adapter)
        items = encode_many([template.render(e.fields, e.targets[0]) for e in TASKS[0].train], adapter)
        assert all(adapter.unk_id not in (*item.source_ids, *item.target_ids) for item in items)
