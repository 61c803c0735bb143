"""The page on adaptation runs as it stands, and its worked example holds the ids that the checkpoint really reads."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mto.adapt import AdaptConfig
from mto.adapt.masking import sentence_objective
from mto.adapt.material import Masked, usable_sentences
from mto.adapt.writing import write_pairs
from mto.cli.app import app
from mto.families import load_model, word_start_rows
from mto.prepare.pairs import Pair
from tests.conftest import ROOT
from tests.pipeline.small import save_tiny

PAGE = (ROOT / "docs" / "adaptation.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(sh|python)( first)?\n(.*?)```", re.DOTALL)
SENTENCE = "a hammer is used for pounding nails at home"


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_tiny(tmp_path / "models" / "mini")
    monkeypatch.setattr("mto.families.load.EMBEDDED", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    blocks = sorted(BLOCK.findall(PAGE), key=lambda block: not block[1])
    for kind, _, text in blocks:
        if kind == "python":
            exec(compile(text, "adaptation.md", "exec"), {})  # noqa: S102 - the page's own example
            continue
        for line in text.splitlines():
            words = shlex.split(line)
            told = CliRunner().invoke(app, words[1:], catch_exceptions=False)
            assert words[0] == "mto" and told.exit_code == 0, (line, told.output)
    assert capsys.readouterr().out.rstrip().endswith("False")
    assert (tmp_path / "runs/spans/model/README.md").exists()


def test_the_worked_example_is_true() -> None:
    adapter = load_model("mini").adapter
    pair = Pair(
        "a hammer is used for", "pounding nails", "at home", "lm", 0.5, "", "phrase", 0.0, SENTENCE, ""
    )
    for objective in ("denoising", "lm"):
        (row,) = re.findall(rf"^\| `{objective}` \| (.*) \|$", PAGE, re.MULTILINE)
        source, target, *ids = (cell.strip(" `") for cell in row.split("|"))
        written = write_pairs([pair], [objective], adapter, max_tokens=128)  # type: ignore[list-item]
        found = [written.source.to_lists()[0], written.target.to_lists()[0]]
        assert [list(map(int, cell.split())) for cell in ids] == found
        shown = [adapter.show(row).replace(adapter.show([adapter.sentinel(0)]), "␣").strip() for row in found]
        assert [text.removesuffix(adapter.show([adapter.eos_id])).strip() for text in shown] == [
            source,
            target,
        ]
    starts = word_start_rows(adapter.tokenizer)
    for name, setting in (("spans", (0.3, 2.0)), ("prefixes", (0.15, 3.0))):
        (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", PAGE, re.MULTILINE)
        objective = sentence_objective(name, adapter, *setting)
        reader = Masked(
            usable_sentences([SENTENCE], adapter, objective, starts, max_tokens=128), starts, objective
        )
        epochs = [reader.epoch(number, 0) for number in range(40)]
        texts = {(adapter.show(e.source[0]), adapter.show(e.target[0])) for e in epochs}
        mask, end = adapter.show([adapter.sentinel(0)]), adapter.show([adapter.eos_id])
        shown = {tuple(t.replace(mask, "␣").replace(end, "").strip() for t in pair) for pair in texts}
        assert tuple(cell.strip(" `") for cell in row.split("|")) in shown


def test_the_table_of_options_is_that_of_the_code() -> None:
    settings = AdaptConfig(pairs="x")
    for name, said in (
        ("epochs", "3"),
        ("optimizer", "`adafactor`"),
        ("max_tokens", "128"),
        ("dtype", "`bfloat16`"),
        ("seed", "0"),
    ):
        assert f"| `{name}` | {said} |" in PAGE and str(getattr(settings, name)) == said.strip("`")
    assert f"`{settings.schedule}`, {settings.warmup:g} |" in PAGE
    assert f"| {settings.batch_tokens}, {settings.accumulate} |" in PAGE
    assert f"| {settings.held_out:g}, {settings.held_out_most} |" in PAGE
    rates = [
        f"{rate:.0e}".replace("e-0", "e-")
        for rate in (settings.peak_rate, AdaptConfig(pairs="x", lora={}).peak_rate)
    ]
    assert f"| `rate` | {rates[0]}, with LoRA {rates[1]} |" in PAGE
