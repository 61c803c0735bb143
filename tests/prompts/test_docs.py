"""The page's example runs, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mto.prompts import prompt_encoders
from mto.prompts.aligned import soft_family
from mto.templates import BASIC, CHOICE, get_family
from mto.tune.defaults import DEFAULTS

PAGE = (Path(__file__).parents[2] / "docs" / "soft-prompts.md").read_text(encoding="utf-8")


def test_the_example_runs(
    tiny_bart: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("fit", "tuned"):
        monkeypatch.setattr(
            f"mto.tune.{place}.load_model", lambda ref, **_: tiny_bart
        )  # in place of the embedded one
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace(
        "ladder=(0, 20, 50)", "rates=(0.1,), ladder=(0, 2), extend=False"
    )  # as short as can be
    exec(compile(code, "soft-prompts.md", "exec"), {})  # noqa: S102 - the page's own example
    assert "points on dev" in capsys.readouterr().out
    assert (tmp_path / "runs/use-prompt/prompt.json").is_file()


def test_the_tables_are_those_of_the_code() -> None:
    said = dict(re.findall(r"^\| `([\w-]+)` \| `([\w-]+)` \| .+ \|$", PAGE, re.MULTILINE))
    assert said == {name: soft_family(get_family(name)) for name in (*BASIC, *CHOICE)}
    assert all(f"| `{name}`" in PAGE for name in prompt_encoders.names())
    for kind in ("t5", "*"):
        for name in ("rates", "ladder"):
            values = ", ".join(f"{value:g}" for value in DEFAULTS[kind, "prompt"][name].value)
            assert f"| `{name}` | {values} |" in PAGE
