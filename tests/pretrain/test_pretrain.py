"""A whole pre-training on a few lines: from each start, resumed, and into a checkpoint that loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mto.config import load_config, parse
from mto.errors import ConfigError, RunError
from mto.families import load_model
from mto.pretrain import PretrainConfig, pretrain
from mto.pretrain.run import objective_shares
from tests.conftest import ROOT
from tests.pretrain.test_source import corpus

MIXED = {"name": "mixed", "parts": [{"name": "denoising", "weight": 1}, {"name": "lm", "weight": 3}]}


def config(tmp_path: Path, start: dict[str, Any], steps: int = 4, **more: Any) -> PretrainConfig:
    if not (tmp_path / "a.txt").exists():
        corpus(tmp_path, 1500)
    data = {
        "name": "tiny", "start": start, "corpus": str(tmp_path), "texts": [{"files": ["*.txt"]}], "window": 24,
        "line_tokens": [5, 16], "window_objective": {"name": "denoising"}, "line_objective": MIXED, "batch_tokens": 200,
        "held_out": 0.1, "validation_texts": 10, "train": {"steps": steps, "rate": 1e-3, "precision": "fp32", "evaluate_every": 2, "checkpoint_every": 2},
    }  # fmt: skip
    return parse(PretrainConfig, data | more)


SCRATCH = {
    "kind": "scratch",
    "vocabulary": 300,
    "sentinels": 20,
    "width": 16,
    "feed_forward": 32,
    "head_width": 8,
    "heads": 2,
    "layers": 1,
    "decoder_layers": 1,
}


def test_from_scratch_and_on_from_that_checkpoint(tmp_path: Path) -> None:
    first = pretrain(config(tmp_path, SCRATCH), tmp_path / "runs" / "first")
    loaded = load_model(first.model)
    assert loaded.adapter.name == "sentinel-text" and loaded.model.config.model_type == "t5"
    assert loaded.metadata.tokens_seen == first.training.tokens > 500
    assert loaded.metadata.objectives == {"denoising": 0.625, "lm": 0.375}
    assert {
        "denoising/windows",
        "lm/windows bits a byte",
    } <= loaded.metadata.losses.keys() and loaded.metadata.probe
    head, shared = loaded.model.get_output_embeddings().weight, loaded.model.get_input_embeddings().weight
    assert head.data_ptr() != shared.data_ptr()  # T5 v1.1: the head is a tensor of its own, also after saving
    card = (first.model / "README.md").read_text()
    assert "random weights" in card and "Held-out loss" in card and "*.txt" in card
    lm = {"window_objective": {"name": "lm"}, "line_objective": {"name": "lm"}, "name": "branch"}
    branch = pretrain(
        config(tmp_path, {"kind": "checkpoint", "checkpoint": "first/model"}, **lm),
        tmp_path / "runs" / "second",
    )
    assert branch.metadata.tokens_seen == first.training.tokens + branch.training.tokens
    assert (
        branch.metadata.objectives["lm"] > 0.5
        and load_model(branch.model).adapter.fingerprint == loaded.adapter.fingerprint
    )


def test_a_finished_run_is_not_trained_again_and_a_longer_one_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = pretrain(config(tmp_path, SCRATCH), out)
    again = pretrain(config(tmp_path, SCRATCH), out)
    assert (
        again.training.resumed_at == 4
        and load_model(again.model).revision == load_model(first.model).revision
    )
    longer = pretrain(config(tmp_path, SCRATCH, steps=6), out)
    assert (longer.training.resumed_at, longer.training.steps) == (4, 6)
    straight = pretrain(config(tmp_path, SCRATCH, steps=6), tmp_path / "straight")
    assert straight.training.losses == longer.training.losses
    assert load_model(straight.model).revision == load_model(longer.model).revision


def test_another_configuration_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    pretrain(config(tmp_path, SCRATCH, steps=2), tmp_path / "run")
    with pytest.raises(RunError, match="different: window"):
        pretrain(config(tmp_path, SCRATCH, window=20), tmp_path / "run")


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "pretrain").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_config_is_valid(path: Path) -> None:
    found = load_config(PretrainConfig, path)
    assert found.name == path.stem and sum(objective_shares(found).values()) == pytest.approx(1.0)


def test_what_cannot_work_is_refused_at_once(tmp_path: Path) -> None:
    for more in ({"line_tokens": [3, 9]}, {"batch_tokens": 30}, {"start": {"kind": "nothing"}}):
        with pytest.raises(ConfigError):
            config(tmp_path, more.pop("start", SCRATCH), **more)
