"""The text files of a pre-training: finding them, and reading their lines."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from mto.errors import DataError
from mto.prepare.opening import PACKED

SUFFIXES = (".txt", *PACKED)


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
