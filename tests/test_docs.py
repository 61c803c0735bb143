"""Pages name pages that exist, and so does the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
CODE = [p for p in (ROOT / "src" / "mto").rglob("*") if p.suffix in (".py", ".yaml")]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of this page may end with."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_the_code_names_pages_that_exist() -> None:
    named = {
        (name, number)
        for file in CODE
        for name, number in re.findall(r"(docs/[\w/-]+\.md)(?: (\d))?", file.read_text())
    }
    assert ("docs/method.md", "3") in named
    sections = dict.fromkeys(re.findall(r"^## (\d)\.", (ROOT / "docs/method.md").read_text(), re.MULTILINE))
    lost = {name for name, _ in named if not (ROOT / name).exists()} - {
        "docs/a.md"
    }  # an example in a docstring
    assert not lost
    assert {number for name, number in named if name == "docs/method.md" and number} <= set(sections)
