"""The loop: what it computes, when it evaluates, saves and stops."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from mto.errors import TrainingError
from mto.train.batches import PairSource
from mto.train.callbacks import Callback
from mto.train.config import TrainConfig
from mto.train.loop import train
from tests.train.tiny import pairs


def source(**changes: Any) -> PairSource:
    return PairSource(**{"pairs": pairs(40), "pad_id": 0, "seed": 3, "rows": 8, **changes})


def config(**changes: Any) -> TrainConfig:
    return TrainConfig(**{"steps": 6, "rate": 1e-2, "precision": "fp32", **changes})


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[k], b[k]) for k in a)


class Recorder(Callback):
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.steps: list[int] = []

    def on_event(self, kind: str, message: str) -> None:
        self.events.append((kind, message))

    def on_step(self, progress: Any) -> None:
        self.steps.append(progress.step)


@pytest.mark.parametrize("optimizer", ["adamw", "adafactor", "muon"])
def test_learns_to_copy(tiny: Any, optimizer: str) -> None:
    result = train(tiny.model, source(), config(steps=25, optimizer=optimizer))
    assert result.losses[-1] < 0.8 * result.losses[0]
    assert (result.steps, result.stopped_because, len(result.losses)) == (25, "steps", 25)
    assert result.tokens == result.source_tokens + result.target_tokens > 25 * 8 * 4
    assert result.tokens_per_second > 0 and 0 < result.peak_share < 1.5


def test_same_seed_same_weights_and_the_global_stream_is_left_alone(tiny_bart: Any) -> None:
    twin = copy.deepcopy(tiny_bart.model)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    train(tiny_bart.model, source(), config(dropout=0.2))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    train(twin, source(), config(dropout=0.2))
    assert same(weights(tiny_bart.model), weights(twin))
    assert tiny_bart.model.config.dropout == 0.0 and tiny_bart.model.model.encoder.layers[0].dropout == 0.0


def test_accumulation_is_one_large_batch(tiny_t5: Any) -> None:
    twin = copy.deepcopy(tiny_t5.model)
    large = train(tiny_t5.model, source(pairs=pairs(16), rows=16), config(steps=1))
    small = train(twin, source(pairs=pairs(16), rows=4), config(steps=1, accumulate=4))
    assert small.losses[0] == pytest.approx(large.losses[0], rel=1e-5)
    assert small.tokens == large.tokens
    for a, b in zip(tiny_t5.model.parameters(), twin.parameters(), strict=True):
        # Adam's first step is nearly the gradient's sign: compare where the gradient is not all but zero.
        assert ((a - b).abs() < 1e-4).float().mean() > 0.99


def test_evaluations_at_a_ladder_and_at_every_n(tiny_t5: Any) -> None:
    asked: list[int] = []

    def evaluate(model: Any, step: int) -> dict[str, float]:
        assert not model.training and not torch.is_grad_enabled()
        torch.rand(5)
        asked.append(step)
        return {"loss": float(step)}

    twin = copy.deepcopy(tiny_t5.model)
    result = train(
        tiny_t5.model, source(), config(dropout=0.1, evaluate_every=4), evaluate=evaluate, at_steps=[0, 1]
    )
    assert asked == [0, 1, 4, 6] == [e.step for e in result.evaluations]
    train(twin, source(), config(dropout=0.1))
    assert same(weights(tiny_t5.model), weights(twin)), "evaluation must not change the training"


def test_patience_stops_and_keep_best_brings_the_best_back(tiny_t5: Any) -> None:
    seen: dict[int, dict[str, torch.Tensor]] = {}

    def evaluate(model: Any, step: int) -> dict[str, float]:
        seen[step] = weights(model)
        return {"score": {2: 5.0}.get(step, 1.0)}

    result = train(
        tiny_t5.model,
        source(),
        config(steps=50, evaluate_every=1, patience=3, watch="score", watch_mode="max", keep_best=True),
        evaluate=evaluate,
    )
    assert (result.steps, result.stopped_because, result.best.step) == (5, "patience", 2)
    assert same(weights(tiny_t5.model), seen[2])


def test_watching_an_unknown_value_names_the_known(tiny_t5: Any) -> None:
    with pytest.raises(TrainingError, match="rouge"):
        train(
            tiny_t5.model,
            source(),
            config(evaluate_every=1, patience=1),
            evaluate=lambda m, s: {"rouge": 1.0},
        )


def test_data_may_end_before_the_budget(tiny_t5: Any) -> None:
    result = train(tiny_t5.model, source(epochs=1), config(steps=50))
    assert (result.steps, result.stopped_because) == (5, "data")


def test_a_loss_that_is_no_number_stops_with_the_last_good_weights(tiny_t5: Any) -> None:
    with torch.no_grad():
        tiny_t5.model.lm_head.weight[7] = float("nan")
    before = weights(tiny_t5.model)
    with pytest.raises(
        TrainingError, match=r"loss is nan in step 1 \(rate 0.01.*weights are those of step 0"
    ) as caught:
        train(tiny_t5.model, source(), config())
    assert "lower the rate" in caught.value.hint
    after = weights(tiny_t5.model)
    assert all(torch.equal(after[k].nan_to_num(), before[k].nan_to_num()) for k in before)


def test_callbacks_hear_of_precision_and_progress(tiny_t5: Any) -> None:
    recorder = Recorder()
    train(tiny_t5.model, source(), config(report_every=4, precision="auto"), callbacks=[recorder])
    assert recorder.steps == [4, 6]
    assert recorder.events[0][0] == "precision" and "GFLOP/s" in recorder.events[0][1]


def test_bf16_follows_fp32(tiny_bart: Any) -> None:
    twin = copy.deepcopy(tiny_bart.model)
    exact = train(tiny_bart.model, source(), config(steps=20, rate=3e-3))
    rough = train(twin, source(), config(steps=20, rate=3e-3, precision="bf16"))
    assert rough.losses[-1] == pytest.approx(exact.losses[-1], rel=0.03)
    assert all(p.dtype == torch.float32 for p in twin.parameters())
