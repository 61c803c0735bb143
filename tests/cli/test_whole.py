"""`mto run --corpus`: the whole way from the command line, and what the other commands make of its folder."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Mto
from tests.conftest import ROOT
from tests.pipeline.whole.small import write_tasks, write_text

PAGE = ROOT / "docs" / "whole-way.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
QUICK = [
    "--shots", "4", "--seeds", "1", "--max-test", "4", "--workers", "1", "--rates", "3e-3", "--steps", "0,1", "tune.extend=false",
    "prepare.making={splitter: {kind: rules}, least_source: 1}", "prepare.select.held_out=6", "prepare.clean.words=[3, 40]",
    "adapt.batch_tokens=256", "matching.signals=[guidelines]", "--epochs", "1", "adapt_threads=1",
]  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[str, str]:
    """A task file and a text in the folder where commands run."""
    return write_tasks(tmp_path / "tasks")[0], write_text(tmp_path / "text")


def test_the_whole_way_from_plan_to_prediction(mto: Mto, mini: str, inputs: tuple[str, str]) -> None:
    task, text = inputs
    words = ["run", task, "--corpus", text, "--controls", "none", "--out", "way", *QUICK]
    plan = mto(*words, "--dry-run")
    assert plan.exit_code == 0 and not Path("way").exists()
    assert all(stage in plan.output for stage in ("match", "base", "pairs", "adapt-main", "tuned-main"))
    done = mto(*words)
    assert done.exit_code == 0, done.output
    assert (
        "gain" in done.output and "way/report.html" in done.output and "mto predict --run way" in done.output
    )
    again = mto(*words, "--json")
    assert json.loads(again.stdout)["worked"] == []
    again = json.loads(mto(*words, "--dry-run", "--json").stdout)
    assert all(stage["done"] for stage in again["stages"]) and again["seconds"] == 0
    shown, made = mto("show", "way"), mto("report", "way")
    assert "aligned and adapted" in shown.output and "aligned and adapted" in made.output
    assert json.loads(mto("report", "way", "--json").stdout)["reading"][0].startswith("The whole way")
    Path("new.csv").write_text("head\nhammer\nnail\n")
    assert mto("predict", "--run", "way", "--input", "new.csv", "--output", "out.csv").exit_code == 0
    assert Path("out.csv").read_text().startswith("head,prediction\n")


def test_options_of_the_whole_way_need_a_text(mto: Mto, inputs: tuple[str, str]) -> None:
    for words in (["--epochs", "2"], ["--controls", "none"], ["--per-task"]):
        told = mto("run", inputs[0], *words)
        assert told.exit_code == 2 and "--corpus" in told.output
    told = mto("run", inputs[0], "--corpus", "nothing.txt")
    assert told.exit_code == 2 and "no file matches" in told.output


def test_the_page_runs(
    mto: Mto, mini: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its commands on the package's own data, with fewer shots, seeds and steps."""
    quick = ["--seeds", "1", "--max-test", "4", "--workers", "1", "--rates", "3e-3", "--steps", "0,1", "--epochs", "1",
             "prepare.making={splitter: {kind: rules}}", "matching.signals=[guidelines]", "--controls", "none"]  # fmt: skip
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    for line in next(text for kind, text in blocks if kind == "sh").splitlines():
        words = shlex.split(line)
        assert words[0] == "mto"
        told = mto(*words[1:], *quick)
        assert told.exit_code == 0, (line, told.output)
    from mto.pipeline.whole import running

    real = running.whole_config

    def as_above(tasks: object, corpus: object, settings: dict) -> object:
        return real(tasks, corpus, {
            **settings, "seeds": 1, "max_test": 4, "workers": 1, "tune": {"rates": [3e-3], "ladder": [0, 1]},
            "adapt": {"epochs": 1}, "prepare": {"making": {"splitter": {"kind": "rules"}}},
            "matching": {"signals": ["guidelines"]}, "controls": (),
        })  # fmt: skip

    monkeypatch.setattr(running, "whole_config", as_above)
    capsys.readouterr()
    exec(compile(next(text for kind, text in blocks if kind == "python"), str(PAGE), "exec"), {})  # noqa: S102 - the page's own example
    said = capsys.readouterr().out
    assert "runs/way ()" in said and "household/xWant" in said


def test_the_configuration_on_the_page_is_one() -> None:
    import yaml

    from mto.pipeline.whole import WholeConfig

    text = next(text for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if kind == "yaml")
    read = WholeConfig.model_validate(yaml.safe_load(text))
    assert read.adapt.epochs == 5 and read.prepare.select.per_task == 2000
