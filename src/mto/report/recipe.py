"""The first line of a page of results: a comment that says what the page was made from, so that it can be made again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mto.errors import DataError


class Recipe:
    """What a page was made from. Its paths are as seen from the page, so the whole can be moved.

    Args:
        kind: of page, such as ``page`` or ``study page``; a reader of one kind refuses the others.

    Example:
        >>> Recipe("page").line(Path("docs/a.md"), "A", [Path("docs/data/a.json")])
        '<!-- mto page {"title": "A", "files": ["data/a.json"], "remarks": null} -->'
    """

    def __init__(self, kind: str) -> None:
        self.begin = f"<!-- mto {kind} "

    def line(self, page: Path, title: str, files: Iterable[Path], remarks: Path | None = None) -> str:
        """The comment for a page made from results files and, where given, a file of remarks."""

        def seen(file: Path) -> str:
            return Path(os.path.relpath(file, page.parent)).as_posix()

        told = {
            "title": title,
            "files": [seen(file) for file in files],
            "remarks": seen(remarks) if remarks else None,
        }
        # Nothing in a comment may end it.
        listed = json.dumps(told, ensure_ascii=False).replace("--", "-\\u002d").replace(">", "\\u003e")
        return f"{self.begin}{listed} -->"

    def read(self, page: Path) -> dict[str, Any]:
        """Title, files and remarks of a page that was written before, as paths that can be opened.

        Raises:
            DataError: the page does not say what it was made from.
        """
        first = page.read_text(encoding="utf-8").partition("\n")[0]
        if not first.startswith(self.begin) or not first.endswith(" -->"):
            raise DataError("was not made by mto report --page", where=f"{page}:1")
        told = json.loads(first.removeprefix(self.begin).removesuffix(" -->"))
        return {
            "title": told["title"],
            "files": [page.parent / file for file in told["files"]],
            "remarks": page.parent / told["remarks"] if told["remarks"] else None,
        }
