"""Dropout drawn a byte an element: right rate, right mean, right gradient, given back after."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from mto.train.dropout import dropout_rate, quick_dropout, random_keep


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_mask_has_the_rounded_rate_and_mean_one(rate: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    keep = random_keep(torch.empty(333, 301, dtype=dtype), rate)
    real = round(256 * rate) / 256
    assert keep.dtype == dtype and set(keep.unique().tolist()) == {
        0.0,
        float(torch.tensor(1 / (1 - real), dtype=dtype)),
    }
    assert (keep == 0).float().mean().item() == pytest.approx(real, abs=0.005)
    # Neighbours come from one draw; they must not depend on each other.
    dropped = (keep == 0).flatten().float()
    assert (dropped[1:] * dropped[:-1]).mean().item() == pytest.approx(real**2, abs=0.005)


def test_functional_and_module_dropout_use_it_only_inside() -> None:
    x = torch.ones(64, 64, requires_grad=True)
    own = F.dropout
    torch.manual_seed(1)
    plain = F.dropout(x, 0.5)
    torch.manual_seed(1)
    with quick_dropout():
        quick = torch.nn.Dropout(0.5)(x)
        assert F.dropout(x, 0.5, training=False) is x and F.dropout(x, 0.0) is x
    with pytest.raises(KeyboardInterrupt), quick_dropout():
        raise KeyboardInterrupt
    assert F.dropout is own
    torch.manual_seed(1)
    assert torch.equal(F.dropout(x, 0.5), plain) and not torch.equal(quick, plain)
    quick.sum().backward()
    assert torch.equal(x.grad, quick)


def test_rates_of_a_model_change_and_come_back(tiny: Any) -> None:
    model = tiny.model.train()

    def two() -> bool:
        ids = torch.tensor([[5, 6, 7, 1]])
        first, second = (model(input_ids=ids, labels=ids).loss for _ in range(2))
        return torch.equal(first, second)

    assert two()
    with dropout_rate(model, 0.5):
        assert not two()
    assert two()


def test_a_compiled_model_draws_its_masks_the_same_way() -> None:
    """Drawn anew at each call, the same mask in forward and backward, and torch's own dropout given back."""
    own = F.dropout
    x = torch.ones(64, 64, requires_grad=True)
    with quick_dropout(compiled=True):
        compiled = torch.compile(torch.nn.Dropout(0.5), dynamic=False)
        torch.manual_seed(1)
        first, second = compiled(x), compiled(x)
    assert F.dropout is own
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(first, random_keep(x, 0.5))
    first.sum().backward()
    assert torch.equal(x.grad, first)
