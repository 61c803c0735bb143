from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from mto.evaluate.packed import can_pack
from mto.train import collate, seq2seq_loss
from mto.tune import products
from mto.tune.products import fast_products
from tests.conftest import missing


def gradients(model: Any, batch: Any) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    loss = seq2seq_loss(model, batch)
    loss.backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return float(loss.detach()), grads


def test_loss_and_gradients_are_those_of_the_model(tiny) -> None:
    if not can_pack(tiny.model):
        missing("oneDNN in this torch")
    batch = collate([((5, 6, 7, 1), (8, 9, 1)), ((5, 1), (10, 1))], pad_id=0)
    before, theirs = gradients(tiny.model, batch)
    with fast_products(tiny.model) as done:
        after, ours = gradients(tiny.model, batch)
    assert done
    assert after == pytest.approx(before, abs=1e-5)
    assert ours.keys() == theirs.keys()
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-5, rtol=1e-4)


def test_it_is_undone_nested_and_refused_where_it_does_not_belong(tiny_bart) -> None:
    model = tiny_bart.model
    with fast_products(model), fast_products(model) as inner:
        assert not inner
        assert "forward" in vars(model.lm_head)
    assert not any("forward" in vars(module) for module in model.modules())
    with fast_products(model, active=False) as done:
        assert not done
    with fast_products(model.to(torch.bfloat16)) as done:
        assert not done


def test_an_interrupt_before_the_last_layer_leaves_no_layer_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    real, calls = products._forward, []

    def interrupted(layer: nn.Linear) -> object:
        calls.append(layer)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(layer)

    monkeypatch.setattr(products, "_forward", interrupted)
    monkeypatch.setattr(products, "can_pack", lambda model: True)
    with pytest.raises(KeyboardInterrupt), products.fast_products(model):
        pass
    assert len(calls) == 2 and all("forward" not in vars(layer) for layer in model)
