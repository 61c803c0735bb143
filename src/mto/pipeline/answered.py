"""How far a half-written file of answers goes, so that an interrupted command goes on behind it.

Beside ``answers.csv.part`` stands ``answers.csv.part.json``: rows that are whole, bytes that they take, a hash of the rows that were read,
and a key of all that answers depend on. Where any of it does not fit, the file is begun anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mto.errors import MtoError
from mto.runs import read_json, write_json


class Seen:
    """A hash of the rows that were read, in their order.

    >>> one, other = Seen(), Seen()
    >>> one.add({"head": "a"}); other.add({"head": "b"})
    >>> one.digest == other.digest
    False
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one more row."""
        self._hash.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")

    @property
    def digest(self) -> str:
        """Of the rows so far."""
        return self._hash.hexdigest()


@dataclass(frozen=True)
class Answered:
    """What is whole of a half-written file.

    Attributes:
        key: of all that answers depend on but the rows.
        rows, size: whole rows, and the bytes that they take with the header.
        digest: of the rows that were read.
    """

    key: str
    rows: int
    size: int
    digest: str

    def keep(self, part: Path) -> None:
        """Note it beside the half-written file."""
        write_json(_note(part), asdict(self))


def part_of(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(path.name + ".part")


def forget(part: Path) -> None:
    """Take the note away."""
    _note(part).unlink(missing_ok=True)


def answered_before(
    part: Path, key: str, rows: Iterator[tuple[str, Mapping[str, Any]]], seen: Seen
) -> Answered | None:
    """What an earlier call left, where it fits; the rows that it answered are then read, and taken into `seen`.

    Args:
        rows: of the input from its beginning. Where the answer is None they may have been read in part.
    """
    try:
        found = Answered(**read_json(_note(part)))
        if found.key != key or part.stat().st_size < found.size:
            return None
        read = 0
        for _, row in islice(rows, found.rows):
            seen.add(row)
            read += 1
    except (MtoError, OSError, TypeError, ValueError):
        return None
    return found if read == found.rows and seen.digest == found.digest else None


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")
