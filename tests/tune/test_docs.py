"""The page's example runs, and its table is the table of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mto.tune.defaults import DEFAULTS

PAGE = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text(encoding="utf-8")


def test_the_example_runs(tiny_bart, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mto.tune.fit.load_model", lambda ref: tiny_bart)  # in place of the embedded one
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "tuning.md", "exec"), {})  # noqa: S102 - the page's own example
    assert "points on dev" in capsys.readouterr().out
    assert (tmp_path / "runs/use/tuned.json").is_file()


@pytest.mark.parametrize(("kind", "column"), [("t5", 1), ("*", 2)])
def test_the_table_of_defaults_is_that_of_the_code(kind: str, column: int) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .+ \|$", PAGE, re.MULTILINE)
    said = {row[0]: row[column] for row in rows}

    def shown(value: object) -> str:
        if isinstance(value, tuple):
            return ", ".join(
                f"{v:.0e}".replace("e-0", "e-") if isinstance(v, float) else str(v) for v in value
            )
        return str(value)

    assert said == {name: shown(default.value) for name, default in DEFAULTS[kind, "finetune"].items()}
