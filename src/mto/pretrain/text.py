"""The text files of a pre-training: finding them, and reading their lines."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from mto.errors import DataError
from mto.prepare.opening import PACKED, numbered_lines
from mto.prepare.sentences import sentences

SUFFIXES = (".txt", *PACKED)
__all__ = ["find_files", "read_lines", "sentences"]


def find_files(patterns: Sequence[str], base: Path) -> list[Path]:
    """Files that match globs relative to `base`, sorted, each once.

    Raises:
        DataError: a pattern matches nothing, or a file has a suffix that cannot be read.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = sorted(glob.glob(str(base / pattern), recursive=True))  # noqa: PTH207 - pattern may be absolute
        if not matches:
            raise DataError(
                "no file matches", where=str(base / pattern), hint="check the path, or set --corpus"
            )
        for match in matches:
            path = Path(match)
            if path.suffix not in SUFFIXES:
                raise DataError(
                    f"cannot read '{path.suffix}' files",
                    where=str(path),
                    hint=f"known: {', '.join(SUFFIXES)}",
                )
            found[path] = None
    return list(found)


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file (plain or compressed; UTF-8), stripped, empty ones left out.

    Raises:
        DataError: not UTF-8 or a damaged archive; the message names the line.
    """
    return (line for _, line in numbered_lines(path) if line)
