"""`mto adapt`: lines for people, JSON for machines, mistakes that say what to do, and two processes that learn what one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mto.errors import ConfigError
from mto.families import load_model
from mto.pipeline.adapting import choose_team, read_adapt_config
from tests.adapt.prepared import prepared
from tests.cli.conftest import Mto
from tests.pipeline.small import save_tiny

QUICK = ["epochs=1", "batch_tokens=200", "max_tokens=100", "precision=fp32", "device=cpu", "held_out=0.1"]
PLAIN = ["--pairs", "prepared", "--rate", "3e-3", *QUICK]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A prepared folder called prepared."""
    prepared(tmp_path / "prepared")
    return tmp_path


def test_an_adaptation_told_in_lines_and_done_once(mto: Mto, mini: str, folder: Path) -> None:
    first = mto("adapt", *PLAIN)
    assert first.exit_code == 0, first.output
    assert "Want: lm: the router" in first.stderr and "rows to train" in first.stderr
    assert "pairs/denoising" in first.stdout and "runs/mini-prepared-auto/model" in first.stdout
    again = mto("adapt", *PLAIN)
    assert again.exit_code == 0 and again.stdout.startswith("finished before; nothing was done")
    assert load_model("runs/mini-prepared-auto/model").metadata.adapted[0]["from"] == "mini"


def test_json_and_a_file_of_settings(mto: Mto, mini: str, folder: Path) -> None:
    (folder / "own.yaml").write_text(yaml.safe_dump({"pairs": "prepared", "objective": "lm", "epochs": 7}))
    told = mto("adapt", "--config", "own.yaml", "--objective", "spans", *QUICK, "--out", "a", "-q", "--json")
    assert told.exit_code == 0 and told.stderr == "", told.output
    value = json.loads(told.stdout)
    assert (
        value["objective"] == "spans"
        and value["objectives"] == {"denoising": 1.0}
        and value["model"] == "a/model"
    )
    assert yaml.safe_load((folder / "a" / "config.yaml").read_text())["epochs"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no pairs are given"),
        (["--pairs", "nothing"], "holds no 'task' pairs (found: none)"),
        (["--pairs", "prepared", "--set", "general"], "found: task"),
        (["--pairs", "prepared", "--objective", "denoise"], "objective"),
        (["--pairs", "prepared", "epoch=2"], "did you mean 'epochs'"),
        (["--pairs", "prepared", "--match", "match.json"], "match.json: no such file"),
        (["--pairs", "prepared", "--processes", "2"], "cannot be shared out among 2 processes"),
        (["--pairs", "prepared", "--model", "minni"], "no checkpoint is named 'minni'"),
    ],
)
def test_mistakes_are_told(mto: Mto, mini: str, folder: Path, words: list[str], said: str) -> None:
    told = mto("adapt", *words, *QUICK, "--out", "run")
    assert told.exit_code == 2 and said in told.stderr.replace("\n", " "), told.output
    assert not (folder / "run").exists()


def test_the_folder_of_another_run_is_refused(mto: Mto, mini: str, folder: Path) -> None:
    assert mto("adapt", *PLAIN, "--out", "run", "-q").exit_code == 0
    told = mto("adapt", *PLAIN, "--objective", "lm", "--out", "run")
    assert told.exit_code == 2 and "different: objective" in told.stderr


def test_a_process_needs_a_batch_of_its_own() -> None:
    config = read_adapt_config(None, ["accumulate=4"], pairs="x")
    assert choose_team(config, None, 3).processes == 1 and choose_team(config, 2, None).processes == 2
    with pytest.raises(ConfigError, match="accumulate: 4 batches"):
        choose_team(config, 3, None)


def test_two_processes_reach_the_losses_of_one(mto: Mto, folder: Path) -> None:
    save_tiny(folder / "tiny")
    words = [
        *PLAIN,
        "--model",
        "tiny",
        "accumulate=2",
        "dropout=0.0",
        "--objective",
        "mixed",
        "dtype=float32",
        "-q",
    ]
    alone = mto("adapt", *words, "--out", "one", "--json")
    assert alone.exit_code == 0, alone.output
    start = [
        sys.executable,
        "-m",
        "mto",
        "adapt",
        *words,
        "--processes",
        "2",
        "--threads",
        "1",
        "--json",
        "--out",
        "two",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(start, cwd=folder, env=environment, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    one, two = json.loads(alone.stdout), json.loads(done.stdout)
    assert (two["steps"], two["tokens"], two["objectives"]) == (
        one["steps"],
        one["tokens"],
        one["objectives"],
    )
    assert one["steps"] >= 4 and one["after"]["loss"] < one["before"]["loss"]
    assert two["after"] == pytest.approx(one["after"], rel=1e-4)
    environment_of = json.loads((folder / "two" / "environment.json").read_text())
    assert 'objective="mixed"' in environment_of["command"]
