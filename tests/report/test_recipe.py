from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.report.recipe import Recipe


@given(title=st.text())
def test_what_a_line_says_can_be_read_and_it_ends_where_it_should(
    tmp_path_factory: pytest.TempPathFactory, title: str
) -> None:
    page = tmp_path_factory.mktemp("page") / "a.md"
    files = [page.parent / "data" / "a--b.json", page.parent.parent / "c.json"]
    line = Recipe("page").line(page, title, files, page.parent / "r.md")
    assert line.count("--") == 2 and line.count(">") == 1 and "\n" not in line
    page.write_text(line + "\n# A\n", encoding="utf-8")
    told = Recipe("page").read(page)
    assert told["title"] == title
    assert [file.resolve() for file in told["files"]] == [file.resolve() for file in files]
    assert told["remarks"] == page.parent / "r.md"


def test_another_kind_of_page_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(Recipe("study page").line(page, "A", []) + "\n")
    with pytest.raises(DataError, match="not made by"):
        Recipe("page").read(page)
