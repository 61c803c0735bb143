"""`mto match` and `mto tune --family auto` on tasks of other kinds than completion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mto.match import read_match
from mto.prompts.aligned import soft_family
from mto.templates import get_family
from tests.cli.conftest import Mto
from tests.pipeline.test_kinds import TASKS, write_task

QUICK = ["--signals", "guidelines,depthrank,classifier", "--shots", "8", "denoiser=false", "-q"]
STEPS = ["--rates", "1e-2", "--steps", "1", "--shots", "8", "extend=false"]


@pytest.mark.parametrize("kind", list(TASKS))
def test_every_kind_is_answered_in_words_and_as_json(mto: Mto, mini: str, kind: str) -> None:
    path = str(write_task(Path("task"), kind))
    told = mto("match", path, *QUICK)
    assert told.exit_code == 0, told.output
    words = " ".join(told.stdout.split())
    assert "Template family:" in words and "bits a byte" in words and "guidelines -> " in words
    assert f"classifier has no voice: it does not apply to {kind} tasks" in words
    assert ("right, %" in words) == (kind != "text-to-text")
    assert ("AnswerPrompting" in words) == (kind == "multiple-choice")
    value = json.loads(mto("match", path, *QUICK, "--json", "--out", "match.json").stdout)
    assert value["kind"] == kind and "classifier" in value["models"][0]["silent"]
    assert read_match("match.json").model_dump(mode="json") == value
    shape = mto("match", path, "--signals", "guidelines", "--shots", "8", "--json")
    assert shape.exit_code == 0 and json.loads(shape.stdout)["rows"] >= 8


@pytest.mark.parametrize("kind", list(TASKS))
def test_the_chosen_family_is_tuned(mto: Mto, mini: str, kind: str) -> None:
    path = str(write_task(Path("task"), kind))
    told = mto("tune", path, "--family", "auto", "-o", "tuned", "--json", *STEPS)
    assert told.exit_code == 0, told.output
    family = json.loads(told.stdout)["family"]
    assert family == read_match("tuned").family
    soft = mto("tune", path, "--family", "auto", "--match", "tuned/match.json", "--method", "prompt", "--vectors", "2",
               "-o", "soft", "--json", *STEPS)  # fmt: skip
    assert soft.exit_code == 0, soft.output
    wanted = soft_family(get_family(family), choices=kind == "multiple-choice")
    assert json.loads(soft.stdout)["family"] == wanted


def test_a_run_goes_by_the_match(mto: Mto, mini: str) -> None:
    path = str(write_task(Path("task"), "classification"))
    words = [
        "--seeds",
        "1",
        "--max-test",
        "4",
        "--rates",
        "1e-3",
        "--steps",
        "0,1",
        "--shots",
        "8",
        "tune.extend=false",
        "-w",
        "1",
    ]
    told = mto("run", path, "--choose", "match", "--families", "auto", "-o", "run", "-q", *words)
    assert told.exit_code == 0, told.output
    results = json.loads(Path("run/results.json").read_text())
    names = [family["name"] for family in results["families"]]
    assert {"mapping", "prompting", results["choices"][0]["family"]} == set(names)
    assert results["choices"][0]["by"] == "match"
    assert "classifier has no voice" in Path("run/report.html").read_text()


def test_a_family_without_its_phrase_is_told_with_a_hint(mto: Mto, mini: str) -> None:
    path = str(write_task(Path("task"), "text-to-text"))
    told = mto("match", path, "--families", "prompting", *QUICK)
    assert told.exit_code == 2 and "needs a natural phrase" in told.stderr
    assert "--phrase '{{ source }} In short:'" in " ".join(told.stderr.split())
    bare = mto("match", path, *QUICK[:-1])
    assert bare.exit_code == 0, bare.output
    assert "only Mapping and MaskedMapping take part" in " ".join(bare.stderr.split())
