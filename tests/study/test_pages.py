"""The committed pages of studies."""

from __future__ import annotations

import re

from mto.study.pages import remake_study_page
from tests.conftest import ROOT


def test_committed_pages_are_what_their_files_give() -> None:
    for page in sorted((ROOT / "docs" / "results").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if re.match(
            "<!-- mto (study|prompt study|every task study|classifier|splitter|adaptation) page ", text
        ):
            assert remake_study_page(page) == text, f"make {page.name} again"
