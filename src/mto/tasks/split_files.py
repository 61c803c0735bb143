"""Splits as files that can be looked at, shared and read back: JSON lines and one ``split.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from mto.errors import DataError
from mto.runs import own_folder, read_json, write_json, write_text
from mto.tasks.split import Split, to_json
from mto.tasks.task import Example, Row

FILES = {"train": "train.jsonl", "dev": "dev.jsonl", "test": "test.jsonl"}
INFO = "split.json"
VERSION = 1

T = TypeVar("T", Row, Example)


def write_split(split: Split, folder: str | Path) -> Path:
    """Write a split as ``train.jsonl``, ``dev.jsonl``, ``test.jsonl`` and ``split.json``; all or nothing.

    Equal splits give equal bytes. A split that stands there already is replaced.

    Raises:
        RunError: the folder holds anything else.
    """
    with own_folder(folder, INFO, FILES.values()) as new:
        for part, name in FILES.items():
            rows = (json.dumps(asdict(row), ensure_ascii=False) for row in getattr(split, part))
            write_text(new / name, "".join(f"{row}\n" for row in rows))
        write_json(new / INFO, {"version": VERSION, **to_json(split)})
    return Path(folder)


def read_split(folder: str | Path) -> Split:
    """Read what `write_split` wrote; the result equals what was written.

    Raises:
        RunError: a file is missing or half-written.
        DataError: a row does not fit, or the number of rows is not the one in ``split.json``.
    """
    folder = Path(folder)
    info = read_json(folder / INFO)
    if not isinstance(info, dict) or info.get("version") != VERSION:
        raise DataError("is no split that this version can read", where=str(folder / INFO))
    rows = {
        "train": _read(folder / FILES["train"], Row, ("references",)),
        "dev": _read(folder / FILES["dev"], Row, ("references",)),
        "test": _read(folder / FILES["test"], Example, ("targets",)),
    }
    for part, expected in info["sizes"].items():
        if len(rows[part]) != expected:
            raise DataError(
                f"{len(rows[part])} rows, but {INFO} says {expected}",
                where=str(folder / FILES[part]),
                hint=f"draw the split again, or change sizes.{part} if you edited it on purpose",
            )
    kept = {key: value for key, value in info.items() if key not in ("version", "sizes")}
    return Split(**kept, **rows)  # type: ignore[arg-type]


def _read(path: Path, kind: type[T], lists: Iterable[str]) -> tuple[T, ...]:
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", where=str(path)) from None
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            value: dict[str, Any] = json.loads(line)
            rows.append(kind(**{**value, **{name: tuple(value[name]) for name in lists}}))
        except (json.JSONDecodeError, TypeError, KeyError) as error:
            raise DataError(f"not a row of a split: {error}", where=f"{path}:{number}") from None
    return tuple(rows)
