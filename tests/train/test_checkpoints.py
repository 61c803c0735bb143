"""Checkpoints: whole, checked, complete, and good for going on to the bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from mto.errors import Interrupted, RunError, TrainingError
from mto.train import checkpoints
from mto.train.callbacks import Callback
from mto.train.checkpoints import list_checkpoints, read_checkpoint
from mto.train.loop import train
from tests.train.test_loop import Recorder, config, same, source, weights

ROOT = Path(__file__).parents[2]


def test_killed_ten_times_equals_never_killed(tmp_path: Path) -> None:
    """Really SIGKILLed, half of the time while a checkpoint is being written; the script compares to the bit."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.killed", str(tmp_path), "10", "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["killed"] == 10 and report["killed_while_writing"] >= 2


class StopAt(Callback):
    """Sends a signal to its own process at a step."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.step, self.number = step, number

    def on_step(self, progress: Any) -> None:
        if progress.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("optimizer", ["adamw", "adafactor", "muon"])
def test_a_signal_saves_and_the_resumed_training_is_the_same(
    tiny_bart: Any, tmp_path: Path, number: signal.Signals, optimizer: str
) -> None:
    settings = config(steps=8, optimizer=optimizer, dropout=0.1, report_every=1, schedule="cosine", warmup=2)
    beginning = weights(tiny_bart.model)
    whole = train(tiny_bart.model, source(), settings)
    wanted = weights(tiny_bart.model)
    tiny_bart.model.load_state_dict(beginning)
    handler = signal.getsignal(number)
    with pytest.raises(Interrupted, match=f"{number.name} after step 3 of 8") as caught:
        train(tiny_bart.model, source(), settings, checkpoint_dir=tmp_path, callbacks=[StopAt(3, number)])
    assert "run the same command again" in caught.value.hint
    assert signal.getsignal(number) is handler
    tiny_bart.model.load_state_dict(beginning)
    resumed = train(tiny_bart.model, source(), settings, checkpoint_dir=tmp_path)
    assert resumed.resumed_at == 3 and resumed.losses == whole.losses and resumed.tokens == whole.tokens
    assert same(weights(tiny_bart.model), wanted)


def test_a_finished_training_is_not_run_again_but_can_be_lengthened(tiny_t5: Any, tmp_path: Path) -> None:
    first = train(tiny_t5.model, source(), config(steps=4), checkpoint_dir=tmp_path)
    wanted = weights(tiny_t5.model)
    with torch.no_grad():
        tiny_t5.model.shared.weight.zero_()
    again = train(tiny_t5.model, source(), config(steps=4), checkpoint_dir=tmp_path)
    assert again.losses == first.losses and again.resumed_at == 4 and same(weights(tiny_t5.model), wanted)
    longer = train(tiny_t5.model, source(), config(steps=6), checkpoint_dir=tmp_path)
    assert longer.steps == 6 and longer.losses[:4] == first.losses


def test_only_the_newest_are_kept(tiny_t5: Any, tmp_path: Path) -> None:
    train(tiny_t5.model, source(), config(steps=7, checkpoint_every=2, keep=2), checkpoint_dir=tmp_path)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-000000007", "step-000000006"]
    assert not list(tmp_path.glob(".*"))


def _damage(path: Path, how: str) -> None:
    file = path / "optimizer.safetensors"
    if how == "missing":
        file.unlink()
    elif how == "no manifest":
        (path / "manifest.json").unlink()
    else:
        raw = bytearray(file.read_bytes())
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw[:-5] if how == "short" else raw)


@pytest.mark.parametrize("how", ["flipped bit", "short", "missing", "no manifest"])
def test_a_damaged_newest_falls_back_with_a_warning(tiny_t5: Any, tmp_path: Path, how: str) -> None:
    train(tiny_t5.model, source(), config(steps=4, checkpoint_every=2), checkpoint_dir=tmp_path)
    wanted = weights(tiny_t5.model)
    _damage(list_checkpoints(tmp_path)[0], how)
    recorder = Recorder()
    result = train(tiny_t5.model, source(), config(steps=4), checkpoint_dir=tmp_path, callbacks=[recorder])
    assert result.resumed_at == 2 and same(weights(tiny_t5.model), wanted)
    assert any(kind == "checkpoint-damaged" and "step-000000004" in text for kind, text in recorder.events)
    read_checkpoint(list_checkpoints(tmp_path)[0])


def test_all_damaged_is_an_error_not_a_silent_new_start(tiny_t5: Any, tmp_path: Path) -> None:
    train(tiny_t5.model, source(), config(steps=2), checkpoint_dir=tmp_path)
    _damage(list_checkpoints(tmp_path)[0], "short")
    with pytest.raises(TrainingError, match="none of the 1 checkpoints can be read"):
        train(tiny_t5.model, source(), config(steps=2), checkpoint_dir=tmp_path)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), SafetensorError("I/O error: No space (os error 28)")]
)
def test_a_full_disk_leaves_the_last_checkpoint(
    tiny_t5: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real, written = checkpoints.save_file, []

    def fill(tensors: Any, path: Path) -> None:
        written.append(path)
        if len(written) > 4:
            raise error
        real(tensors, path)

    monkeypatch.setattr(checkpoints, "save_file", fill)
    with pytest.raises(RunError, match="disk is full"):
        train(tiny_t5.model, source(), config(steps=6, checkpoint_every=2), checkpoint_dir=tmp_path)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-000000002"]
    assert not list(tmp_path.glob(".*"))
    read_checkpoint(list_checkpoints(tmp_path)[0])


def test_starting_from_weights_alone(tiny_t5: Any, tmp_path: Path) -> None:
    train(tiny_t5.model, source(), config(steps=2), checkpoint_dir=tmp_path / "a")
    wanted = weights(tiny_t5.model)
    with torch.no_grad():
        tiny_t5.model.shared.weight.zero_()
    seen = {}

    def evaluate(model: Any, step: int) -> dict[str, float]:
        seen[step] = weights(model)
        return {}

    train(
        tiny_t5.model, source(), config(steps=1), from_weights=tmp_path / "a", evaluate=evaluate, at_steps=[0]
    )
    assert same(seen[0], wanted)


@pytest.mark.parametrize("change", [{"optimizer": "adafactor"}, {"seed": 5}, {"accumulate": 2}])
def test_other_settings_are_refused_by_name(tiny_t5: Any, tmp_path: Path, change: dict[str, Any]) -> None:
    train(tiny_t5.model, source(), config(steps=2), checkpoint_dir=tmp_path)
    with pytest.raises(TrainingError, match=next(iter(change))):
        train(tiny_t5.model, source(), config(steps=4, **change), checkpoint_dir=tmp_path)


def test_another_model_is_refused(tiny_t5: Any, tiny_bart: Any, tmp_path: Path) -> None:
    train(tiny_t5.model, source(), config(steps=2), checkpoint_dir=tmp_path)
    with pytest.raises(TrainingError, match="another model"):
        train(tiny_bart.model, source(), config(steps=4), checkpoint_dir=tmp_path)


def test_no_pickle_in_a_checkpoint(tiny_t5: Any, tmp_path: Path) -> None:
    train(tiny_t5.model, source(), config(steps=1), checkpoint_dir=tmp_path)
    files = {p.suffix for p in list_checkpoints(tmp_path)[0].iterdir()}
    assert files == {".safetensors", ".json"}
