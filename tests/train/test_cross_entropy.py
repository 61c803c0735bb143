"""The fused loss must be the plain loss: value and every gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from mto.train.cross_entropy import fused_cross_entropy


def _case(seed: int = 0, positions: int = 37, width: int = 8, vocabulary: int = 50):
    g = torch.Generator().manual_seed(seed)
    hidden = torch.randn(positions, width, generator=g).requires_grad_()
    weight = torch.randn(vocabulary, width, generator=g).requires_grad_()
    bias = torch.randn(vocabulary, generator=g).requires_grad_()
    labels = torch.randint(0, vocabulary, (positions,), generator=g)
    labels[::4] = -100
    return hidden, weight, bias, labels


@pytest.mark.parametrize("rows", [5, 1000])
@pytest.mark.parametrize("with_bias", [False, True])
def test_equals_plain_cross_entropy_with_all_gradients(rows: int, with_bias: bool) -> None:
    hidden, weight, bias, labels = _case()
    used = bias if with_bias else None
    plain = F.cross_entropy(F.linear(hidden, weight, used), labels)
    wanted = torch.autograd.grad(plain * 3, [hidden, weight, *([bias] if with_bias else [])])
    fused = fused_cross_entropy(
        hidden, weight, labels, bias=used, factor=1 / int((labels >= 0).sum()), rows=rows
    )
    given = torch.autograd.grad(fused * 3, [hidden, weight, *([bias] if with_bias else [])])
    torch.testing.assert_close(fused, plain)
    for a, b in zip(given, wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_huge_logits_stay_finite_and_exact() -> None:
    hidden = torch.tensor([[300.0, 0.0]], requires_grad=True)
    weight = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    loss = fused_cross_entropy(hidden, weight, torch.tensor([1]))
    assert loss.item() == pytest.approx(600.0)
    loss.backward()
    assert torch.isfinite(hidden.grad).all()


def test_bf16_is_close_to_fp32() -> None:
    hidden, weight, _, labels = _case(positions=300, width=64, vocabulary=400)
    count = int((labels >= 0).sum())
    plain = F.cross_entropy(F.linear(hidden, weight * 0.1), labels)
    wanted = torch.autograd.grad(plain, [hidden, weight])
    with torch.autocast("cpu", torch.bfloat16):
        fused = fused_cross_entropy(hidden, weight * 0.1, labels, factor=1 / count)
    given = torch.autograd.grad(fused, [hidden, weight])
    assert fused.item() == pytest.approx(plain.item(), rel=2e-3)
    for a, b in zip(given, wanted, strict=True):
        assert a.dtype == torch.float32
        assert (a - b).norm() < 0.02 * b.norm()


def test_frozen_head_gets_no_gradient_but_states_do() -> None:
    hidden, weight, _, labels = _case()
    fused_cross_entropy(hidden, weight.detach(), labels).backward()
    assert hidden.grad is not None and hidden.grad.abs().sum() > 0


def test_no_label_gives_zero_and_zero_gradients() -> None:
    hidden, weight, _, _ = _case()
    loss = fused_cross_entropy(hidden, weight, torch.full((37,), -100))
    loss.backward()
    assert loss.item() == 0.0
    assert hidden.grad.abs().sum() == 0 and weight.grad.abs().sum() == 0


def test_ignored_positions_are_not_computed() -> None:
    """NaN states at unlabelled positions must not reach the loss."""
    hidden, weight, _, labels = _case()
    poisoned = hidden.detach().clone()
    poisoned[labels < 0] = float("nan")
    assert torch.equal(
        fused_cross_entropy(poisoned, weight, labels), fused_cross_entropy(hidden, weight, labels)
    )
