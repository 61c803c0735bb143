"""Finding text files, and cutting lines into sentences."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from mto.errors import DataError
from mto.train.lines import OPENERS

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
