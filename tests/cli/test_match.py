"""`mto match` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mto.match import read_match
from mto.templates import BASIC
from tests.cli.conftest import Mto

QUICK = ["--signals", "guidelines,depthrank", "--shots", "6", "denoiser=false", "-q"]


def test_the_answer_in_words(mto: Mto, mini: str) -> None:
    told = mto("match", "household/xWant", *QUICK)
    assert told.exit_code == 0, told.output
    words = " ".join(told.stdout.split())
    for said in (
        "Task type:",
        "map-phrasal",
        "Objective:",
        "Template family:",
        "guidelines -> map-phrasal",
    ):
        assert said in words
    assert "MaskedPrompting" in words and "bits a byte" in words
    family = words.split("mto tune household/xWant --family ")[1].split()[0]
    assert family in BASIC and "mto run household/xWant --shots 6" in words
    told = mto(
        "match", "household/xWant", *QUICK, "--phrase", "{{ head }} makes me want", "-s", "2", "-o", "m.json"
    )
    assert told.exit_code == 0, told.output
    last = told.stdout.splitlines()[-1]
    asked = "--family auto --match m.json --seed 2 --phrase '{{ head }} makes me want' --shots 6"
    assert last.endswith(f"mto tune household/xWant {asked}")


def test_the_answer_as_json_and_as_a_file(mto: Mto, mini: str) -> None:
    told = mto("match", "household/xWant", *QUICK, "--json", "--out", "match.json")
    assert told.exit_code == 0, told.output
    value = json.loads(told.stdout)
    assert value["version"] == 1 and value["task"] == "household/xWant"
    assert read_match("match.json").model_dump(mode="json") == value


def test_several_checkpoints_and_the_probe(mto: Mto, mini: str, models: Path) -> None:
    words = ["--probe-steps", "8", "probe.folds=2", "--families", "prompting,masked-prompting"]
    told = mto(
        "match",
        "household/xWant",
        "-m",
        "mini",
        "-m",
        str(models / "mini"),
        "--shots",
        "6",
        "denoiser=false",
        *words,
    )
    assert told.exit_code == 0, told.output
    said = " ".join(told.stdout.split())
    assert "Checkpoints by bits a target byte" in said and "probe ->" in said
    assert "Checkpoint: too close to call between" in said  # both are the same
    assert "running the tournament" in told.stderr and "best answer so far" in told.stderr
    assert "round 0: 4 families are scored untrained" in told.stderr
    assert "round 1: " in told.stderr and "best so far: " in told.stderr


def test_rows_of_ones_own(mto: Mto, mini: str) -> None:
    Path("tools.csv").write_text(
        "head,tail\nhammer,hit nails\nknife,cut bread\nbook,read\ncar,go home\nbed,sleep\n"
    )
    told = mto(
        "match",
        "tools.csv",
        "--phrase",
        "{{ head }} is used for",
        "--signals",
        "guidelines,depthrank",
        "-q",
        "denoiser=false",
    )
    assert told.exit_code == 0, told.output
    assert "5 labelled rows" in told.stdout
    bare = mto("match", "tools.csv", "--signals", "guidelines,depthrank", "-q", "denoiser=false")
    assert bare.exit_code == 0, bare.output
    assert "prompting was left out" in " ".join(bare.stdout.split())


def test_the_guidelines_alone_read_no_checkpoint(mto: Mto, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("a checkpoint was loaded")

    monkeypatch.setattr("mto.match.run.load_model", load)
    told = mto("match", "household/xWant", "--signals", "guidelines", "--shots", "16")
    assert told.exit_code == 0, told.output
    said = " ".join(told.stdout.split())
    assert "Task type by the guidelines: map-phrasal (" in said and "input -> map-phrasal" in said
    assert "bits a byte" not in said and "no template family is chosen" in said
    value = json.loads(
        mto("match", "household/xWant", "--signals", "guidelines", "--shots", "16", "--json").stdout
    )
    assert value["lean"]["value"] < 0 and {rule["name"] for rule in value["rules"]} >= {"input", "length"}
    idle = mto("match", "household/xWant", "--signals", "guidelines", "--out", "match.json")
    assert idle.exit_code == 2 and "--out has no say" in idle.stderr and not Path("match.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["match", "household/Nothing"], "Nothing"),
        (["match", "household/xWant", "--signals", "guess"], "signals"),
        (["match", "household/xWant", "shotz=3"], "shotz"),
        (["match", "household/xWant", "--families", "promting"], "did you mean 'prompting'"),
        (["match", "household/xWant", "-m", "nowhere/at-all"], "nowhere/at-all"),
        (["match", "household/xWant", "-n", "1", "dev=0"], "dev"),
    ],
)
def test_mistakes_are_named(mto: Mto, mini: str, words: list[str], said: str) -> None:
    told = mto(*words)
    assert told.exit_code == 2, told.output
    assert said in told.stderr and "Traceback" not in told.output
