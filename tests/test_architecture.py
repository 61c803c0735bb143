"""The page on how the house is built names what is there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
HOUSE = ROOT / "src" / "mto"


def rooms() -> dict[str, list[str]]:
    """Room to the files that the table names, rooms and files of one row in their order."""
    table = {}
    for line in PAGE.splitlines():
        if not line.startswith("| `"):
            continue
        names, _, files = (part.strip() for part in line.strip("|").split("|"))
        found = re.findall(r"`([\w.]+)`", names)
        starts = re.findall(r"`([\w.]+)`", files)
        table |= {room: [starts[min(n, len(starts) - 1)]] if starts else [] for n, room in enumerate(found)}
    return table


def test_every_room_is_in_the_table_and_every_named_file_exists() -> None:
    there = {path.name for path in HOUSE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    single = {path.stem for path in HOUSE.glob("*.py") if not path.stem.startswith("_")}
    table = rooms()
    assert (there | single) <= set(table) <= there | single | {"models"}
    for room, files in table.items():
        for file in files:
            assert (HOUSE / room / file).exists() or (HOUSE / file).exists(), (room, file)


def test_every_file_that_the_text_names_exists() -> None:
    section = PAGE[PAGE.index("## A run") : PAGE.index("## Rules")]
    named = re.findall(r"`(\w+\.py)`", section)
    assert len(named) > 8
    assert all((HOUSE / "pipeline" / name).exists() for name in named)
    paths = re.findall(r"`(\w+/\w+\.py)`", PAGE)
    assert paths and all((HOUSE / path).exists() for path in paths)
