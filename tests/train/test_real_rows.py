from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mto.train.batches import Batch
from mto.train.cross_entropy import IGNORE
from mto.train.real_rows import RealRows, real_rows, real_rows_of, side_of, spread

BATCH = Batch(
    input_ids=torch.tensor([[5, 6, 1, 0], [7, 1, 0, 0]]),
    attention_mask=torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]]),
    labels=torch.tensor([[8, IGNORE, 1, IGNORE, IGNORE], [1, IGNORE, IGNORE, IGNORE, IGNORE]]),
)


def places(side: str, shape: tuple[int, ...]) -> list[int] | None:
    found = RealRows(BATCH).places(side, shape)  # type: ignore[arg-type]
    return None if found is None else found.tolist()


def test_places_of_both_sides_by_hand() -> None:
    assert places("source", (2, 4, 16)) == [0, 1, 2, 4, 5]
    # A position without a label is read by the labelled one behind it; what is behind the last label is read by none.
    assert places("target", (2, 5, 16)) == [0, 1, 2, 5]


@pytest.mark.parametrize("shape", [(8, 16), (2, 5, 16), (1, 4, 16), (2, 2, 4, 16)])
def test_states_of_another_shape_keep_all_rows(shape: tuple[int, ...]) -> None:
    assert places("source", shape) is None


def test_few_pads_are_not_worth_it_and_no_real_row_at_all_is_left_alone() -> None:
    full = torch.ones(2, 10, dtype=torch.int64)
    one_pad, nothing = full.clone(), torch.zeros_like(full)
    one_pad[0, -1] = 0
    for mask in (full, one_pad, nothing):
        assert RealRows(Batch(full, mask, full)).places("source", (2, 10, 3)) is None
    none_labelled = torch.full_like(full, IGNORE)
    assert RealRows(Batch(full, full, none_labelled)).places("target", (2, 10, 3)) is None


def test_rows_are_taken_once_for_layers_that_read_the_same_states() -> None:
    states = torch.randn(2, 4, 3)
    with real_rows_of(BATCH):
        query, key = real_rows(states, "source", torch.float32), real_rows(states, "source", torch.float32)
        assert query is key and torch.equal(query.values, states.view(8, 3)[[0, 1, 2, 4, 5]])
        assert real_rows(states, "source", torch.bfloat16).values.dtype == torch.bfloat16
        first = real_rows(states, "source", torch.float32)
        states += 1  # the same tensor with other values
        assert torch.equal(real_rows(states, "source", torch.float32).values, first.values + 1)
        assert real_rows(states, None, torch.float32).places is None
    assert real_rows(states, "source", torch.float32).places is None, "outside of a pass all rows count"


def test_batches_do_not_meet_in_nested_passes() -> None:
    states, other = torch.randn(2, 4, 3), Batch(BATCH.input_ids, 1 - BATCH.attention_mask, BATCH.labels)
    with real_rows_of(BATCH):
        with real_rows_of(other):
            inner = real_rows(states, "source", torch.float32)
        outer = real_rows(states, "source", torch.float32)
    assert inner.places is not None and inner.places.tolist() == [3, 6, 7]
    assert outer.places is not None and outer.places.tolist() == [0, 1, 2, 4, 5]


@given(st.data())
def test_what_is_taken_comes_back_to_its_place_and_so_does_its_gradient(data: st.DataObject) -> None:
    height, length = data.draw(st.integers(1, 4)), data.draw(st.integers(2, 12))
    lengths = data.draw(st.lists(st.integers(0, length), min_size=height, max_size=height))
    mask = (torch.arange(length) < torch.tensor(lengths)[:, None]).long()
    states = torch.randn(height, length, 3, dtype=torch.float64, requires_grad=True)
    with real_rows_of(Batch(mask, mask, mask)):
        rows = real_rows(states, "source", torch.float64)
    kept = mask if rows.places is not None else torch.ones_like(mask)
    back = spread(rows.values.detach(), rows.places, rows.count).view_as(states)
    assert torch.equal(back, states.detach() * kept[..., None])
    weight = torch.randn_like(rows.values)
    (rows.values * weight).sum().backward()
    assert torch.equal(states.grad, spread(weight, rows.places, rows.count).view_as(states))


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("encoder.block.0.layer.0.SelfAttention.q", "source"),
        ("decoder.block.1.layer.0.SelfAttention.k", "target"),
        ("decoder.block.1.layer.1.EncDecAttention.q", "target"),
        ("decoder.block.1.layer.1.EncDecAttention.k", "source"),
        ("decoder.block.1.layer.1.EncDecAttention.v.base_layer", "source"),
        ("base_model.model.decoder.block.1.layer.1.EncDecAttention.v.lora_A.default", "source"),
        ("decoder.block.1.layer.1.EncDecAttention.o", "target"),
        ("decoder.block.1.layer.2.DenseReluDense.wi_0", "target"),
        ("model.encoder.layers.0.self_attn.out_proj", "source"),
        ("model.decoder.layers.0.encoder_attn.v_proj", "source"),
        ("model.decoder.layers.0.encoder_attn.out_proj", "target"),
        ("lm_head", None),
        ("0", None),
    ],
)
def test_side_of_a_layer(name: str, side: str | None) -> None:
    assert side_of(name) == side


def test_names_of_both_families_are_known(tiny) -> None:
    from torch import nn

    sides = {
        name: side_of(name) for name, module in tiny.model.named_modules() if isinstance(module, nn.Linear)
    }
    assert [name for name, side in sides.items() if side is None] == ["lm_head"]
    cross = [name for name in sides if "EncDecAttention" in name or "encoder_attn" in name]
    assert len(cross) % 4 == 0 and sum(sides[name] == "source" for name in cross) == len(cross) // 2
