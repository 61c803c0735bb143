"""The examples of the page run as they stand, with the embedded checkpoint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "matching.md"


def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for code in blocks:
        exec(compile(code, PAGE.name, "exec"), space)  # noqa: S102 - the page's own example
    said = capsys.readouterr().out
    assert len(blocks) == 2
    assert "map-phrasal lm" in said and "bits a byte" in said
    assert (tmp_path / "match.json").is_file()


def test_every_page_that_is_linked_is_there() -> None:
    for link in re.findall(r"\]\((matching/[^)]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / link).is_file(), link
