"""The page of the command line runs as it stands, each command beside its Python form."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Mto
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "command-line.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
FILES = ("tools.csv", "new.csv")


def test_the_page_runs(mto: Mto, mini: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    for name, text in zip(FILES, (text for kind, text in blocks if kind == "csv"), strict=True):
        Path(name).write_text(text, encoding="utf-8")
    commands, codes = [], []
    for kind, text in blocks:
        if "pretrain" in text:  # takes hours; its configuration is read by a test of its own
            continue
        if "prepared/tools" in text:  # the page on adaptation has a test of its own
            continue
        if kind == "sh":
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line)
                assert words[0] == "mto"
                # One worker, in this process: the results are the same.
                extra = ["--workers", "1"] if words[1] == "run" else []
                told = mto(*words[1:], *extra)
                assert told.exit_code == 0, (line, told.output)
                commands.append(words[1])
        elif kind == "python":
            capsys.readouterr()
            exec(compile(text, str(PAGE), "exec"), {})  # noqa: S102 - the page's own example
            codes.append(capsys.readouterr().out)
    assert {"ls", "show", "init", "validate", "match", "run", "tune", "predict", "report"} == set(commands)
    said = "".join(codes)
    assert "runs/use False" in said and "5 False" in said
    assert Path("answers.csv").read_text().startswith("head,shop,prediction\n")
    tuned = [_without_times(Path(f"runs/{name}/tuned.json")) for name in ("want", "want-again")]
    assert tuned[0] == tuned[1]


def _without_times(path: Path) -> dict:
    value = json.loads(path.read_text())
    for point in value["sweep"]["points"]:
        del point["seconds"]
    return value
