from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn

from mto.evaluate.packed import can_pack
from mto.train import collate, seq2seq_loss
from mto.train.cross_entropy import IGNORE
from mto.tune import products
from mto.tune.products import fast_products, frozen_products
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


# Half of the positions are pads; one row has a position without a label before its last one.
PADDED = collate([((5, 6, 7, 8, 9, 10, 1), (8, 9, 7, 5, 6, 11, 12, 1)), ((5, 1), (10, IGNORE, 1)), ((6, 1), (1,))], pad_id=0)  # fmt: skip


def test_pads_are_left_out_and_loss_and_gradients_stay(tiny, multiplied: list[int]) -> None:
    if not can_pack(tiny.model):
        missing("oneDNN in this torch")
    tiny.model.eval()  # no dropout: what it draws depends on nothing here, but two passes would differ
    before, theirs = gradients(tiny.model, PADDED)
    with fast_products(tiny.model, skip_pads=False):
        gradients(tiny.model, PADDED)
    source, target = PADDED.attention_mask.numel(), PADDED.labels.numel()
    assert set(multiplied) == {source, target}
    multiplied.clear()
    with fast_products(tiny.model):
        after, ours = gradients(tiny.model, PADDED)
    assert set(multiplied) == {7 + 2 + 2, 8 + 3 + 1}
    assert after == pytest.approx(before, abs=1e-5) and ours.keys() == theirs.keys()
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-5, rtol=1e-4)


def test_layers_inside_lora_leave_pads_out_too(tiny_t5, multiplied: list[int]) -> None:
    if not can_pack(tiny_t5.model):
        missing("oneDNN in this torch")
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    model = get_peft_model(
        tiny_t5.model, LoraConfig(r=2, target_modules=["q", "v"], init_lora_weights=False)
    ).eval()
    before, theirs = gradients(model.base_model.model, PADDED)
    with frozen_products(
        model.base_model.model.encoder.block[0]
    ) as inside:  # a part of a model is of no known shape
        assert inside
    with fast_products(model.base_model.model):
        after, ours = gradients(model.base_model.model, PADDED)
    assert set(multiplied) == {7 + 2 + 2, 8 + 3 + 1}
    assert after == pytest.approx(before, abs=1e-5)
    assert ours.keys() == theirs.keys() and any("lora_A" in name for name in ours)
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-5, rtol=1e-4)


def test_outside_of_a_loss_every_row_is_multiplied(tiny_bart, multiplied: list[int]) -> None:
    if not can_pack(tiny_bart.model):
        missing("oneDNN in this torch")
    tiny_bart.model.eval()
    arguments = {
        "input_ids": PADDED.input_ids,
        "attention_mask": PADDED.attention_mask,
        "labels": PADDED.labels,
    }
    with torch.no_grad():
        logits = tiny_bart.model(**arguments).logits
        with fast_products(tiny_bart.model):
            torch.testing.assert_close(tiny_bart.model(**arguments).logits, logits, atol=1e-5, rtol=1e-4)
    assert set(multiplied) == {PADDED.attention_mask.numel(), PADDED.labels.numel()}


@pytest.fixture
def multiplied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each forward product, the head's aside (it is a plain product of labelled rows)."""
    found: list[int] = []
    real = products.real_rows

    def noted(states: torch.Tensor, side: Any, dtype: torch.dtype) -> Any:
        rows = real(states, side, dtype)
        if side is not None or states.dim() == 3:
            found.append(len(rows.values))
        return rows

    monkeypatch.setattr(products, "real_rows", noted)
    return found


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

    def interrupted(layer: nn.Linear, side: object) -> object:
        assert side is None  # of a model of no known shape no row is left out
        calls.append(layer)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(layer, None)

    monkeypatch.setattr(products, "_forward", interrupted)
    monkeypatch.setattr(products, "can_pack", lambda model: True)
    with pytest.raises(KeyboardInterrupt), products.fast_products(model):
        pass
    assert len(calls) == 2 and all("forward" not in vars(layer) for layer in model)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_frozen_model_gives_the_same_loss_and_gradient_of_its_prompt(precision: str, tiny_t5: Any) -> None:
    from mto.prompts import Prompted, frozen
    from mto.train import collate
    from mto.tune.learner import prompt_loss
    from tests.prompts.conftest import encoded, made, numbered, template_of

    template = template_of("masked-post-pt", tiny_t5)
    prompt = made(template, tiny_t5, "residual-mlp")
    items = numbered(prompt, tiny_t5, encoded(template, tiny_t5))
    batch = collate([(item.source_ids, item.target_ids) for item in items], tiny_t5.adapter.pad_id)

    def run(fast: bool) -> tuple[float, torch.Tensor]:
        prompt.zero_grad()
        context = frozen_products(tiny_t5.model, precision=precision) if fast else nullcontext(True)
        with (
            frozen(tiny_t5.model),
            context as done,
            torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
        ):
            if not done:
                pytest.skip("this CPU has no such products")
            loss = prompt_loss(Prompted(tiny_t5.model, prompt), batch)
            loss.backward()
        grad = prompt.parts[0].inner.grad
        assert isinstance(grad, torch.Tensor)
        return float(loss), grad.clone()

    (loss, grad), (fast_loss, fast_grad) = run(False), run(True)
    close = 1e-5 if precision == "fp32" else 2e-2
    assert fast_loss == pytest.approx(loss, rel=close)
    assert float((fast_grad - grad).norm() / grad.norm()) < 10 * close
    assert not any("forward" in vars(layer) for layer in tiny_t5.model.modules())
