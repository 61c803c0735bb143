"""The lean attention must be transformers' eager attention: values and every gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mto.train.attention import NAME, attention_kind
from mto.train.batches import collate
from mto.train.loss import seq2seq_loss
from tests.train.tiny import pairs


def _loss_and_gradients(model: Any, batch: Any, kind: str) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    with attention_kind(model, kind):
        loss = seq2seq_loss(model, batch)
        loss.backward()
    return loss.detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("rows", [1, 6])
def test_equals_eager_with_and_without_pads(tiny: Any, rows: int) -> None:
    """One row has no pads (no encoder mask); six rows of unequal length have."""
    batch = collate(pairs(rows), 0, multiple_of=1)
    wanted, wanted_gradients = _loss_and_gradients(tiny.model, batch, "eager")
    given, given_gradients = _loss_and_gradients(tiny.model, batch, "lean")
    torch.testing.assert_close(given, wanted)
    assert given_gradients.keys() == wanted_gradients.keys()
    for name, gradient in wanted_gradients.items():
        torch.testing.assert_close(given_gradients[name], gradient, msg=lambda m, n=name: f"{n}: {m}")


def test_bf16_is_as_close_to_fp32_as_eager(tiny: Any) -> None:
    batch = collate(pairs(6), 0)
    exact, _ = _loss_and_gradients(tiny.model, batch, "eager")
    with torch.autocast("cpu", torch.bfloat16):
        eager, _ = _loss_and_gradients(tiny.model, batch, "eager")
        lean, gradients = _loss_and_gradients(tiny.model, batch, "lean")
    assert abs(lean - exact) < abs(eager - exact) + 2e-3
    assert all(torch.isfinite(g).all() for g in gradients.values())


def test_the_model_is_set_back(tiny_bart: Any) -> None:
    model = tiny_bart.model
    before = model.config._attn_implementation
    with attention_kind(model, "lean"):
        assert model.config._attn_implementation == NAME == model.model.encoder.config._attn_implementation
    assert model.config._attn_implementation == before == model.model.encoder.config._attn_implementation


def test_dropout_in_attention_keeps_the_mean_and_has_a_gradient(tiny_bart: Any) -> None:
    from mto.train.attention import lean_attention

    torch.manual_seed(0)
    q, k = (torch.randn(2, 2, 5, 8) for _ in range(2))
    v = torch.randn(2, 2, 5, 8, requires_grad=True)
    plain, _ = lean_attention(None, q, k, v, None)
    drawn = torch.stack([lean_attention(None, q, k, v, None, dropout=0.25)[0] for _ in range(4000)])
    assert (drawn.mean(0) - plain).abs().max() < 0.1
    one, _ = lean_attention(None, q, k, v, None, dropout=0.25)
    (gradient,) = torch.autograd.grad((one * one.detach()).sum(), v)
    # out = A v is linear in v, so <dL/dv, v> = <out, out> for the same mask.
    torch.testing.assert_close((gradient * v).sum(), (one * one).sum())


def test_a_mask_that_hides_nothing_is_left_out() -> None:
    from transformers.masking_utils import bidirectional_mask_function

    from mto.train.attention import lean_mask

    asked: dict[str, Any] = {"batch_size": 2, "q_length": 3, "kv_length": 3}
    asked["mask_function"] = bidirectional_mask_function
    keep = torch.tensor([[True, True, True], [True, True, False]])
    assert lean_mask(**asked, attention_mask=keep | True) is None
    hidden = lean_mask(**asked, attention_mask=keep)
    assert hidden is not None
    assert (hidden[1, 0, :, 2] < -1e4).all()
    assert not hidden[0].any()
