"""The pages' examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    ("page", "files", "expected"),
    [
        ("tasks.md", {"csv": "tools.csv", "yaml": "tools.yaml"}, ["tools/ObjectUse 5", "1/5 "]),
        ("kinds.md", {}, ["['cupboard', 'fridge']", "{{ text }}"]),
        ("templates.md", {"yaml": "cloze.yaml"}, ["the hammer is used for [M0] .", "[M0] pounding nails"]),
    ],
)
def test_a_page_runs(
    page: str, files: dict[str, str], expected: list[str], tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    for kind, text in blocks:
        if kind in files:
            Path(files[kind]).write_text(text, encoding="utf-8")
    (code,) = [text for kind, text in blocks if kind == "python"]
    exec(compile(code, page, "exec"), {})  # noqa: S102 - the page's own example
    printed = capsys.readouterr().out
    for line in expected:
        assert line in printed
    said = re.findall(r"print\(.*?\)\s+# (.+)", code)
    assert all(line in printed for line in said if "line" not in line)
