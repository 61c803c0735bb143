"""Reading plain text, compressed or not, line by line, and cutting lines into sentences."""

from __future__ import annotations

import glob
import gzip
import io
import lzma
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mto.errors import DataError

OPENERS = {".xz": lzma.open, ".gz": gzip.open, ".txt": open}
# A stop, closing quotes or brackets, blanks, then something that starts a sentence.
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
# No end of a sentence: titles, initials and the like.
ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Capt|Gen|Rev|vs|etc|e\.g|i\.e|No|Fig)|\b[A-Z])\.$")


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
            if path.suffix not in OPENERS:
                raise DataError(
                    f"cannot read '{path.suffix}' files", where=str(path), hint=f"known: {', '.join(OPENERS)}"
                )
            found[path] = None
    return list(found)


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file (`.txt`, `.xz`, `.gz`; UTF-8), stripped, empty ones left out.

    Raises:
        DataError: not UTF-8 or a damaged archive; the message names the line.
    """
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


def sentences(line: str) -> list[str]:
    """Cut a paragraph into sentences by rule (no model; good enough to give short texts).

    >>> sentences('Mr. Hall sat down. "Is it late?" he asked. It was 5 p.m. already.')
    ['Mr. Hall sat down.', '"Is it late?" he asked.', 'It was 5 p.m. already.']
    """
    pieces: list[str] = []
    start = 0
    for match in SENTENCE_END.finditer(line):
        end = match.start() + len(match.group().rstrip())
        if ABBREVIATION.search(line[start : match.start()]):
            continue
        pieces.append(line[start:end])
        start = match.end()
    pieces.append(line[start:])
    return [piece for piece in (p.strip() for p in pieces) if piece]
