"""`seq2seq_loss` must be `model(**batch).loss`, for every shape of head."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mto.train.batches import collate
from mto.train.loss import is_fusable, seq2seq_loss
from tests.train.tiny import pairs


def _gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def test_loss_and_gradients_equal_the_models_own(tiny: Any) -> None:
    model, batch = tiny.model, collate(pairs(6), tiny.adapter.pad_id)
    assert is_fusable(model)
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias.normal_(generator=torch.Generator().manual_seed(1))
    own = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels).loss
    wanted = _gradients(model, own)
    ours = seq2seq_loss(model, batch)
    given = _gradients(model, ours)
    torch.testing.assert_close(ours, own)
    assert given.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(given[name], wanted[name], msg=lambda m, n=name: f"{n}: {m}")


def test_parts_of_a_batch_add_up_with_a_common_factor(tiny_bart: Any) -> None:
    """Mean over all tokens, not the mean of means: what accumulation relies on."""
    data = pairs(6)
    whole, parts = collate(data, 0), [collate(data[:1], 0), collate(data[1:], 0)]
    factor = 1 / whole.target_tokens
    summed = sum(seq2seq_loss(tiny_bart.model, part, factor=factor) for part in parts)
    torch.testing.assert_close(summed, seq2seq_loss(tiny_bart.model, whole))


def test_other_model_types_fall_back_to_their_own_loss(tiny_t5: Any) -> None:
    model, batch = tiny_t5.model, collate(pairs(4), 0)
    fused = seq2seq_loss(model, batch)
    model.config.model_type = "something-else"
    assert not is_fusable(model)
    torch.testing.assert_close(seq2seq_loss(model, batch), fused)
    assert seq2seq_loss(model, batch, factor=0.5).item() == pytest.approx(
        fused.item() * batch.target_tokens * 0.5, rel=1e-5
    )
