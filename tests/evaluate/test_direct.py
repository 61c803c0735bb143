from __future__ import annotations

from typing import Any

import pytest
import torch

from mto.evaluate.direct import direct_linears
from mto.evaluate.likelihood import likelihood
from mto.evaluate.packed import packed_linears

from .questions import logits, questions

pytestmark = pytest.mark.usefixtures("needs_onednn")


def test_products_are_the_same_and_it_is_undone(tiny: Any) -> None:
    before = logits(tiny.model)
    with direct_linears(tiny.model):
        assert any("forward" in vars(module) for module in tiny.model.modules())
        torch.testing.assert_close(logits(tiny.model), before, rtol=1e-4, atol=1e-5)
        with torch.no_grad():  # weights may change inside: they are read each time
            tiny.model.get_output_embeddings().weight.mul_(2.0)
        changed = logits(tiny.model)
    assert not torch.allclose(changed, before)
    torch.testing.assert_close(logits(tiny.model), changed, rtol=1e-4, atol=1e-5)
    assert all("forward" not in vars(module) for module in tiny.model.modules())


def test_it_leaves_alone_what_multiplies_in_another_way(tiny: Any) -> None:
    with packed_linears(tiny.model):
        kept = {name: vars(m).get("forward") for name, m in tiny.model.named_modules()}
        with direct_linears(tiny.model):
            assert {name: vars(m).get("forward") for name, m in tiny.model.named_modules()} == kept
        assert {name: vars(m).get("forward") for name, m in tiny.model.named_modules()} == kept
    with pytest.raises(RuntimeError, match="stop"), direct_linears(tiny.model):
        raise RuntimeError("stop")
    assert all("forward" not in vars(module) for module in tiny.model.modules())


def test_likelihood_uses_it_in_float32_only(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        "mto.evaluate.likelihood.direct_linears", lambda model: calls.append(model) or direct_linears(model)
    )
    items = questions(tiny, 5)
    likelihood(tiny, items)
    likelihood(tiny, items, precision="bf16")
    assert calls == [tiny.model]
    tiny.model.double()
    assert likelihood(tiny, items).nll.shape == (5,)
