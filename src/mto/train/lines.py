"""Lines of the text files that a training reads, compressed or not."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Iterator
from pathlib import Path

from mto.errors import DataError

OPENERS = {".xz": lzma.open, ".gz": gzip.open, ".txt": open}


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file (`.txt`, `.xz`, `.gz`; UTF-8), stripped, empty ones left out.

    Raises:
        DataError: another suffix, no such file, not UTF-8 or a damaged archive; the message names the line.
    """
    if path.suffix not in OPENERS:
        raise DataError(
            f"cannot read '{path.suffix}' files", where=str(path), hint=f"known: {', '.join(OPENERS)}"
        )
    number = 0
    try:
        with OPENERS[path.suffix](path, "rb") as raw, io.TextIOWrapper(raw, encoding="utf-8") as text:  # type: ignore[operator]
            for line in text:
                number += 1
                if stripped := line.strip():
                    yield stripped
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8: {error.reason}", where=f"{path}:{number + 1}") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(f"cannot be read: {error}", where=f"{path}:{number + 1}") from error
