"""LoRA as a way of tuning: the checkpoint keeps every bit, and the tuned model is the one that was scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("peft")

from mto.errors import ConfigError, TemplateError
from mto.tasks import Split, Task
from mto.tune import LoraSettings, TuneConfig, load_tuned, run_cell, tune
from mto.tune.low_rank import LowRank
from tests.tune.conftest import SMALL

LORA = SMALL.model_copy(
    update={"method": "lora", "ladder": (4,), "rates": (0.1,), "lora": LoraSettings(rank=4)}
)


@pytest.mark.parametrize("kind", ["tiny_bart", "tiny_t5"])
def test_the_checkpoint_keeps_every_bit_and_the_model_is_the_one_that_was_scored(
    kind: str, task: Task, split: Split, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    loaded = request.getfixturevalue(kind)
    before = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    wanted = [p.requires_grad for p in loaded.model.parameters()]
    result = run_cell(loaded, task, split, "prompting", LORA, keep_weights=True)
    after = loaded.model.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[n], after[n]) for n in before)
    assert [p.requires_grad for p in loaded.model.parameters()] == wanted and not loaded.model.training
    assert "peft_config" not in vars(loaded.model)
    assert result.trained and result.trained < sum(t.numel() for t in before.values()) / 2
    assert result.weights is not None
    assert any(not torch.equal(before[n], result.weights[n]) for n in before if n in result.weights)
    tuned = tune(loaded, task, family="prompting", split=split, config=LORA)
    tuned.save(tmp_path / "own", dtype="float32")
    again = load_tuned(tmp_path / "own")
    assert result.test is not None
    assert [a.text for a in again.predict(list(split.test))] == list(result.test.predictions)


def test_only_the_updates_are_trained_and_each_of_them_is(tiny_t5: Any) -> None:
    updates = LowRank(tiny_t5.model, LoraSettings(rank=2), seed=0)
    ids = torch.tensor([[5, 6, 7, 1]])
    with torch.no_grad():
        plain = tiny_t5.model(input_ids=ids, labels=ids).logits
    for update in updates.updates:
        torch.nn.init.normal_(update, generator=torch.Generator().manual_seed(update.numel()))
    with updates.in_place(tiny_t5.model):
        placed = tiny_t5.model(input_ids=ids, labels=ids)
        placed.loss.backward()
    assert all(p.grad is None for p in tiny_t5.model.parameters())
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in updates.parameters())
    with updates.merged(), torch.no_grad():
        merged = tiny_t5.model(input_ids=ids, labels=ids).logits
    assert torch.allclose(placed.logits, merged, atol=1e-5) and not torch.allclose(plain, merged, atol=1e-3)
    with torch.no_grad():
        assert torch.equal(tiny_t5.model(input_ids=ids, labels=ids).logits, plain)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_dev_is_measured_with_the_updates(precision: str, tiny_t5: Any, task: Task, split: Split) -> None:
    config = LORA.model_copy(update={"ladder": (0, 4), "precision": precision})
    result = run_cell(tiny_t5, task, split, "prompting", config)
    assert result.sweep is not None
    untuned, tuned = result.sweep.points
    assert tuned.nats_per_byte != untuned.nats_per_byte


def test_what_cannot_be_is_said(tiny_t5: Any, task: Task, split: Split) -> None:
    for targets in (("lm_head",), ("nowhere",)):
        config = LORA.model_copy(update={"lora": LoraSettings(targets=targets)})
        with pytest.raises(ConfigError, match=targets[0]):
            run_cell(tiny_t5, task, split, "prompting", config)
    with pytest.raises(TemplateError, match="method 'prompt'"):
        run_cell(tiny_t5, task, split, "pt", LORA)
    with pytest.raises(ValueError, match="belong to method 'lora'"):
        TuneConfig(lora=LoraSettings())
