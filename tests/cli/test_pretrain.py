"""`mto pretrain`: a tiny checkpoint from a few lines, by one process and by two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from mto.config import read_yaml
from mto.errors import ConfigError
from mto.families import load_model
from mto.pipeline.pretraining import choose_team, read_pretrain_config
from tests.cli.conftest import Mto
from tests.conftest import ROOT
from tests.pretrain.test_pretrain import SCRATCH
from tests.pretrain.test_source import corpus

CONFIG = {
    "name": "tiny", "start": SCRATCH, "corpus": "elsewhere", "texts": [{"files": ["*.txt"]}], "window": 24,
    "line_tokens": [5, 16], "window_objective": {"name": "denoising"}, "line_objective": {"name": "lm"}, "batch_tokens": 200,
    "held_out": 0.1, "validation_texts": 10,
    "train": {"steps": 4, "rate": 1e-3, "precision": "fp32", "evaluate_every": 4, "checkpoint_every": 2, "accumulate": 2},
}  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration beside a folder of texts."""
    (tmp_path / "texts").mkdir()
    corpus(tmp_path / "texts", 1500)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path / "own.yaml"


def test_a_checkpoint_from_text_told_in_lines_and_json(mto: Mto, own: Path) -> None:
    told = mto(
        "pretrain", "own.yaml", "train.steps=2", "--corpus", "texts", "--out", "runs/a", "--processes", "1"
    )
    assert told.exit_code == 0, told.output
    assert "training tiny: step 0 of 2" in told.stderr and "runs/a/model" in told.stdout
    assert load_model("runs/a/model").metadata.tokens_seen > 0
    # A longer budget goes on from there; as many processes as before, without measuring again.
    more = mto("pretrain", "own.yaml", "--corpus", "texts", "--out", "runs/a", "--json", "-q")
    assert more.exit_code == 0 and more.stderr == "" and json.loads(more.stdout)["steps"] == 4


def test_mistakes_are_named_with_their_line(mto: Mto, own: Path) -> None:
    told = mto("pretrain", "own.yaml", "train.stepz=2", "--corpus", "texts")
    assert told.exit_code == 2 and "did you mean 'steps'" in told.stderr
    told = mto("pretrain", "own.yaml", "--corpus", "texts", "--processes", "3")
    assert told.exit_code == 2 and "cannot be shared out among 3 processes" in told.stderr


def test_what_was_measured_is_kept(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mto.train import layout

    calls = []

    def measured(**_: object) -> layout.Layout:
        calls.append(1)
        return layout.Layout(2, 1, "fast")

    monkeypatch.setattr(layout, "choose_layout", measured)
    config = read_pretrain_config(own, ["train.device=cpu"], corpus=tmp_path / "texts")
    teams = [choose_team(config, tmp_path / "run") for _ in range(2)]
    assert teams[0] == teams[1] and teams[0].processes == 2 and len(calls) == 1
    with pytest.raises(ConfigError, match="accumulate"):
        choose_team(config, tmp_path / "run", processes=3)


def two(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The command with two processes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    start = [sys.executable, "-m", "mto", "pretrain", "own.yaml", "--corpus", "texts", "--processes", "2"]
    return subprocess.Popen(
        [*start, "--threads", "1", *words], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_stop_together_and_one_speaks(own: Path, tmp_path: Path) -> None:
    with two(tmp_path, "train.steps=100000", "--out", "two") as process:
        while not list((tmp_path / "two" / "checkpoints").glob("*")) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert error.count("stopped: ") == 1 and "everything is saved" in error
    events = [json.loads(line) for line in (tmp_path / "two" / "events.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in events].count("interrupted") == 1


@pytest.mark.slow
def test_two_processes_learn_what_one_does(own: Path, mto: Mto, tmp_path: Path) -> None:
    # Without dropout, whose random numbers are each process's own.
    with two(tmp_path, "train.dropout=0", "--out", "two", "--json") as process:
        said, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    both = json.loads(said)
    alone = json.loads(
        mto(
            "pretrain",
            "own.yaml",
            "train.dropout=0",
            "--corpus",
            "texts",
            "--out",
            "one",
            "--processes",
            "1",
            "--json",
            "-q",
        ).stdout
    )
    assert (both["steps"], both["tokens"]) == (alone["steps"], alone["tokens"])
    losses = [{k: v for k, v in one["values"].items() if "/" in k} for one in (both, alone)]
    assert losses[0] and losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_every_configuration_of_the_project_can_be_read() -> None:
    files = sorted((ROOT / "configs" / "pretrain").glob("*.yaml"))
    assert files
    for file in files:
        config = read_pretrain_config(file, corpus="texts")
        assert config.name == file.stem and str(config.corpus) == "texts"
        assert read_yaml(file)[0]
