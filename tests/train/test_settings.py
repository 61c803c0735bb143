"""Configuration, schedules, precision, optimisers and the small parts around the loop."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from mto.errors import TrainingError
from mto.train import precision
from mto.train.config import TrainConfig
from mto.train.loop import train
from mto.train.memory import reused_memory
from mto.train.optimizers import build_optimizers
from mto.train.precision import choose_precision
from mto.train.scaling import LossScale
from mto.train.schedules import rate_share
from mto.train.throughput import ModelSize, matrix_peak, model_size
from tests.train.test_loop import config, same, source, weights
from tests.train.tiny import Bag, bag_loss


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"stepz": 3}, "stepz"),
        ({"steps": 0}, "greater than 0"),
        ({"schedule": "wsd", "warmup": 6, "decay": 5}, "exceed steps"),
        ({"decay": 5}, "belongs to schedule"),
        ({"optimizer": "adafactor", "scale_by_rms": True}, "scale_by_rms"),
        ({"muon_rate": 0.1}, "muon_rate"),
        ({"dropout": 1.0}, "less than 1"),
    ],
)
def test_wrong_settings_are_refused_with_their_name(bad: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        TrainConfig(**{"steps": 10, **bad})


def shares(**changes: Any) -> list[float]:
    settings = TrainConfig(**{"steps": 10, **changes})
    return [round(rate_share(settings, step), 4) for step in range(10)]


def test_schedules_by_hand() -> None:
    assert shares(warmup=4) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1]
    assert shares(schedule="wsd", warmup=2, decay=4) == [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert shares(schedule="wsd", decay=2, floor=0.1)[-2:] == [1, 0.55]
    cosine = shares(schedule="cosine", warmup=2, floor=0.2)
    assert cosine[:3] == [0.5, 1, 1] and cosine[6] == pytest.approx(0.6) and cosine[-1] > 0.2
    assert cosine[2:] == sorted(cosine[2:], reverse=True)


def test_precision_follows_the_measurement_and_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for ratio, wanted in ((4.5, "bf16"), (1.1, "fp32")):
        speeds = {torch.float32: 1e11, torch.bfloat16: ratio * 1e11}
        monkeypatch.setattr(precision, "_known_speed", lambda dtype, *_, speeds=speeds: speeds[dtype])
        chosen = choose_precision("auto", width=384)
        assert (
            chosen.name == wanted and f"{ratio} times" in chosen.reason and chosen.reason.startswith(wanted)
        )


def test_fp16_is_refused_for_t5_unless_forced(tiny_t5: Any, tiny_bart: Any) -> None:
    with pytest.raises(TrainingError, match="overflows") as caught:
        train(tiny_t5.model, source(), config(precision="fp16"))
    assert "bf16" in caught.value.hint
    assert choose_precision("fp16", model=tiny_t5.model, force_fp16=True).dtype == torch.float16
    assert choose_precision("fp16", model=tiny_bart.model).dtype == torch.float16


def test_fp16_learns_with_its_loss_scale() -> None:
    """On a tiny model of linear layers: many CPUs compute fp16 very slowly."""
    settings = {"steps": 12, "rate": 3e-2}
    exact = train(Bag(), source(), config(**settings), loss=bag_loss)
    rough = train(Bag(), source(), config(precision="fp16", **settings), loss=bag_loss)
    assert rough.losses[-1] < 0.95 * rough.losses[0]
    assert rough.losses == pytest.approx(exact.losses, rel=0.01)


def test_loss_scale_halves_leaves_out_and_gives_up() -> None:
    scale = LossScale(active=True, value=4.0)
    assert scale.overflowed(math.inf) and scale.value == 2.0
    assert not scale.overflowed(1.0)
    with pytest.raises(TrainingError, match="every loss scale"):
        while True:
            scale.overflowed(math.nan)
    assert not LossScale(active=False).overflowed(math.inf)


def test_muon_takes_hidden_matrices_only(tiny_t5: Any) -> None:
    settings = config(optimizer="muon", muon_rate=0.5, rate=0.25)
    muon, *others = build_optimizers(tiny_t5.model, settings).groups
    names = {id(p): n for n, p in tiny_t5.model.named_parameters()}
    taken = {names[id(p)] for p in muon["params"]}
    assert all(
        ".layer." in n
        and n.endswith(("q.weight", "k.weight", "v.weight", "o.weight", "wi.weight", "wo.weight"))
        for n in taken
    )
    rest = {names[id(p)] for group in others for p in group["params"]}
    assert "shared.weight" in rest and any("relative_attention_bias" in n for n in rest)
    assert taken | rest == set(names.values()) and not taken & rest
    assert muon["peak"] == 0.5 and {g["peak"] for g in others} == {0.25}


def test_weight_decay_spares_vectors(tiny_bart: Any) -> None:
    for group in build_optimizers(tiny_bart.model, config(weight_decay=0.1)).groups:
        assert all((p.ndim > 1) == (group["weight_decay"] == 0.1) for p in group["params"])


def test_scale_by_rms_sets_the_rate_of_each_tensor() -> None:
    model = torch.nn.Linear(4, 3)
    with torch.no_grad():
        model.weight.fill_(0.5)
        model.bias.zero_()
    optimizers = build_optimizers(model, config(scale_by_rms=True, rate=0.1))
    model.weight.grad, model.bias.grad = torch.ones(3, 4), torch.ones(3)
    optimizers.step(0.5)
    # Adam's first step is the rate itself: 0.1 * 0.5 * RMS, with RMS at least 1e-3.
    assert model.weight[0, 0].item() == pytest.approx(0.5 - 0.1 * 0.5 * 0.5, abs=1e-6)
    assert model.bias[0].item() == pytest.approx(-0.1 * 0.5 * 1e-3, rel=1e-3)


def test_frozen_parameters_stay_and_all_frozen_is_an_error(tiny_t5: Any) -> None:
    model = tiny_t5.model
    model.encoder.requires_grad_(False)
    before = weights(model)
    train(model, source(), config(steps=2))
    after = weights(model)
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    assert moved and not any(k.startswith("encoder.block") for k in moved)
    model.requires_grad_(False)
    with pytest.raises(TrainingError, match="requires a gradient"):
        train(model, source(), config(steps=2))


def test_model_size_counts_what_multiplies(tiny: Any) -> None:
    """Against the matrices by hand: 2 layers of width 32, 4 attention matrices of 32 x 32, feed-forward of 64."""
    size = model_size(tiny.model)
    gated = "gated" in getattr(tiny.model.config, "feed_forward_proj", "")
    attention, forward = 4 * 32 * 32, (3 if gated else 2) * 32 * 64
    vocabulary = tiny.model.get_input_embeddings().weight.shape[0]
    assert size == ModelSize(
        2 * (attention + forward), 2 * (2 * attention + forward), 2 * 2 * 32 * 32, 32 * vocabulary
    )
    assert ModelSize(10, 8, 1, 6).step_flops(3000, 1000) == 6 * (11 * 3000 + 13 * 1000)
    assert model_size(torch.nn.Linear(2, 2)) is None


def test_peak_is_measured_once() -> None:
    assert matrix_peak(torch.float32) == matrix_peak(torch.float32) > 1e8


def test_memory_is_set_only_where_it_can_be() -> None:
    with reused_memory(active=False) as done:
        assert done is False
    with reused_memory() as done:
        assert done is sys.platform.startswith("linux") and torch.ones(2**20).sum() == 2**20


def test_levers_do_not_change_what_is_learnt(tiny: Any) -> None:
    """All on against all off, in fp32, to rounding."""
    twin = copy.deepcopy(tiny.model)
    on = train(tiny.model, source(), config(steps=5, rate=1e-3))
    off = train(
        twin, source(), config(steps=5, rate=1e-3, attention="eager", quick_dropout=False, reuse_memory=False)
    )
    assert on.losses == pytest.approx(off.losses, rel=1e-4)


@pytest.mark.slow
def test_compiled_equals_plain(tiny: Any) -> None:
    twin = copy.deepcopy(tiny.model)
    plain = train(tiny.model, source(rows=40), config(steps=3, rate=1e-3))
    compiled = train(twin, source(rows=40), config(steps=3, rate=1e-3, compile=True))
    assert compiled.losses == pytest.approx(plain.losses, rel=1e-4)
    assert not same(weights(twin), {k: torch.zeros_like(v) for k, v in weights(twin).items()})


def test_settings_are_light_to_import() -> None:
    code = "import sys, mto.train.config, mto.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
