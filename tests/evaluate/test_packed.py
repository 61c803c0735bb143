from __future__ import annotations

from typing import Any

import pytest
import torch

from mto.evaluate import forward as forward_module
from mto.evaluate.forward import evaluating
from mto.evaluate.generate import generate
from mto.evaluate.likelihood import likelihood
from mto.evaluate.packed import can_pack, packed_linears
from mto.families import MaskPart, TextPart, load_model

from .questions import Encoded, logits, questions

pytestmark = pytest.mark.usefixtures("needs_onednn")


def test_packed_products_are_the_same(tiny: Any) -> None:
    before = logits(tiny.model)
    with packed_linears(tiny.model):
        inside = logits(tiny.model)
    torch.testing.assert_close(inside, before, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits(tiny.model), before, rtol=0, atol=0)


def test_it_is_undone_after_an_error_and_may_be_nested(tiny: Any) -> None:
    with pytest.raises(RuntimeError, match="stop"), packed_linears(tiny.model), packed_linears(tiny.model):
        raise RuntimeError("stop")
    assert all("forward" not in vars(module) for module in tiny.model.modules())
    with packed_linears(tiny.model):
        with packed_linears(tiny.model):
            pass
        assert any("forward" in vars(module) for module in tiny.model.modules())


def test_changed_weights_are_packed_anew(tiny: Any) -> None:
    with packed_linears(tiny.model):
        first = logits(tiny.model)
    with torch.no_grad():
        tiny.model.get_output_embeddings().weight.mul_(2.0)
    with packed_linears(tiny.model):
        assert not torch.allclose(logits(tiny.model), first)


def test_what_cannot_be_packed_is_left_alone(tiny: Any) -> None:
    tiny.model.double()
    assert not can_pack(tiny.model)
    with packed_linears(tiny.model):
        assert all("forward" not in vars(module) for module in tiny.model.modules())


def test_many_questions_are_packed(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = forward_module.packed_linears
    monkeypatch.setattr(forward_module, "packed_linears", lambda *a: calls.append(a[1]) or real(*a))
    generate(tiny, questions(tiny, 40), max_new_tokens=2)
    generate(tiny, questions(tiny, 5), max_new_tokens=2)
    generate(tiny, questions(tiny, 40), max_new_tokens=2, precision="bf16")
    assert calls == [torch.float32, torch.bfloat16]
    with evaluating(tiny.model, rows=40) as forward:
        assert forward.model is tiny.model


def test_packed_answers_and_likelihoods_of_a_real_checkpoint(
    trial_mini: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model(trial_mini)
    adapter = loaded.adapter
    nouns = (
        "book knife hammer cup dog cat bread house car fish lamp chair boat phone ball tree shoe ring".split()
    )
    items = []
    for noun in nouns:
        part = TextPart(tuple(adapter.encode(f"you can find a {noun} in")))
        target = tuple(adapter.build_target([MaskPart(0), TextPart(tuple(adapter.encode("the house")))]))
        items.append(Encoded(tuple(adapter.build_source([part, MaskPart(0)])), 1, target))
        items.append(Encoded(tuple(adapter.build_source([part])), 0, target[1:]))
    assert len(items) >= forward_module.PACK_FROM
    packed = generate(loaded, items, max_new_tokens=8), likelihood(loaded, items)
    monkeypatch.setattr(forward_module, "PACK_FROM", 10**9)
    plain = generate(loaded, items, max_new_tokens=8), likelihood(loaded, items)
    assert packed[0] == plain[0]
    torch.testing.assert_close(torch.tensor(packed[1].nll), torch.tensor(plain[1].nll), rtol=1e-4, atol=1e-4)
