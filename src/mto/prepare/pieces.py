"""The raw text that was named, as pieces: the units of work and of going on after an interruption.

In: files, folders, globs, and Hugging Face data sets. Out: pieces in a fixed order, which depends on the inputs and the size of a piece
alone, never on the number of workers. Big plain files are cut into byte ranges, Parquet files into groups of rows, data sets into ranges
of rows; a compressed file is one piece. Fails, with the path, on what does not exist, has an unknown suffix, or is empty.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from mto.errors import DataError
from mto.prepare.opening import PACKED
from mto.tasks.load import library_text

Kind = Literal["text", "jsonl", "parquet", "dataset"]
SUFFIXES: dict[str, Kind] = {".txt": "text", ".jsonl": "jsonl", ".parquet": "parquet"}
DATASET = "hf:"
EMBEDDED = "mto:"
_ROWS = 50_000


@dataclass(frozen=True)
class Piece:
    """A part of one input.

    Attributes:
        source: number of the file or data set, in the order of the inputs.
        path: of the file; of a data set what was named, ``hf:`` included.
        name: of the file, as `Sentence.where` gives it.
        start, end: bytes of a plain file, row groups of a Parquet file, rows of a data set; -1: to the end.
        stamp: size and time of change of the file: what tells that it is the same one.
    """

    source: int
    path: str
    name: str
    kind: Kind
    start: int
    end: int
    stamp: str


def find_pieces(corpus: Sequence[str], size: int, *, column: str = "text") -> list[Piece]:
    """Cut the inputs into pieces.

    Args:
        corpus: files, folders, globs, ``hf:NAME`` / ``hf:NAME:SPLIT`` / ``hf:FOLDER``, or ``mto:NAME``: the sentences that a task
            library of the package carries, such as ``mto:household``.
        size: bytes of a piece, about.
        column: of the text, looked for in Parquet files and data sets.

    Raises:
        DataError: nothing is there, or it cannot be read as text.
    """
    pieces: list[Piece] = []
    seen: dict[str, None] = {}
    source = 0
    for given in corpus:
        for whole in _inputs(given):
            if whole.path in seen:
                continue
            seen[whole.path] = None
            pieces.extend(_cut(replace(whole, source=source), size, column))
            source += 1
    return _with_own_names(pieces)


def _inputs(given: str) -> Iterator[Piece]:
    if given.startswith(DATASET):
        yield Piece(0, given, given, "dataset", 0, -1, "")
        return
    path = library_text(given.removeprefix(EMBEDDED)) if given.startswith(EMBEDDED) else Path(given)
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and _kind(p) is not None)
        if not found:
            raise DataError(
                f"the folder holds no text (looked for {_known()})", where=given, hint="check the path"
            )
        names = [str(p.relative_to(path)) for p in found]
    elif path.is_file():
        found, names = [path], [path.name]
    else:
        found = sorted(p for p in map(Path, glob.glob(given, recursive=True)) if p.is_file())  # noqa: PTH207
        if not found:
            raise DataError("no file matches", where=given, hint="check the path of --corpus")
        names = [p.name for p in found]
    for file, name in zip(found, names, strict=True):
        kind = _kind(file)
        if kind is None:
            raise DataError(f"cannot read '{file.suffix}' files", where=str(file), hint=f"known: {_known()}")
        state = file.stat()
        if state.st_size == 0:
            raise DataError("is empty", where=str(file), hint="leave the file out")
        yield Piece(0, str(file), name, kind, 0, -1, f"{state.st_size} {state.st_mtime_ns}")


def _kind(path: Path) -> Kind | None:
    """What a file holds, by its suffixes; a packed file without another suffix holds text."""
    if path.suffix not in PACKED:
        return SUFFIXES.get(path.suffix)
    kind = SUFFIXES.get(Path(path.stem).suffix, "text")
    return None if kind == "parquet" else kind


def _known() -> str:
    return f"{', '.join(SUFFIXES)}; .txt and .jsonl also with {', '.join(PACKED)}"


def _cut(whole: Piece, size: int, column: str) -> Iterator[Piece]:
    if whole.kind == "dataset":
        yield from _cut_dataset(whole, column)
    elif whole.kind == "parquet":
        yield from _cut_parquet(whole, size, column)
    elif Path(whole.path).suffix in PACKED:
        yield whole
    else:
        total = Path(whole.path).stat().st_size
        for start in range(0, total, size):
            yield replace(whole, start=start, end=min(start + size, total))


def _cut_parquet(whole: Piece, size: int, column: str) -> Iterator[Piece]:
    file = open_parquet(Path(whole.path), column)
    try:
        groups = file.metadata.num_row_groups
        start = held = 0
        for group in range(groups):
            held += file.metadata.row_group(group).total_byte_size
            if held >= size or group == groups - 1:
                yield replace(whole, start=start, end=group + 1)
                start, held = group + 1, 0
    finally:
        file.close()


def open_parquet(path: Path, column: str) -> Any:
    """A Parquet file with the wanted column.

    Raises:
        DataError: it is no Parquet file, or lacks the column.
    """
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(path)
    except (OSError, arrow.ArrowInvalid) as error:
        raise DataError(f"cannot be read as Parquet: {error}", where=str(path)) from error
    names = file.schema_arrow.names
    if column not in names:
        raise DataError(
            f"has no column '{column}' (found: {', '.join(names)})",
            where=str(path),
            hint="name the column of the text with --column",
        )
    return file


def _cut_dataset(whole: Piece, column: str) -> Iterator[Piece]:
    data = open_dataset(whole.path, column)
    stamp = str(getattr(data, "_fingerprint", len(data)))
    for start in range(0, len(data), _ROWS):
        yield replace(whole, start=start, end=min(start + _ROWS, len(data)), stamp=stamp)


def open_dataset(given: str, column: str) -> Any:
    """A Hugging Face data set: saved to disk, a folder of data files, or a name on the hub (``hf:NAME:SPLIT``).

    Raises:
        DataError: it cannot be loaded, has no such split or column, or is empty.
    """
    import datasets

    name, _, split = given.removeprefix(DATASET).partition(":")
    try:
        saved = (Path(name) / "state.json").exists() or (Path(name) / "dataset_dict.json").exists()
        data = datasets.load_from_disk(name) if saved else datasets.load_dataset(name)
    except Exception as error:  # every loader raises errors of its own
        raise DataError(f"cannot be loaded: {error}", where=given, hint="check the name") from error
    if isinstance(data, dict):
        split = split or ("train" if "train" in data else next(iter(data), ""))
        if split not in data:
            raise DataError(f"has no split '{split}' (found: {', '.join(data)})", where=given)
        data = data[split]
    if column not in data.column_names:
        raise DataError(
            f"has no column '{column}' (found: {', '.join(data.column_names)})",
            where=given,
            hint="name the column of the text with --column",
        )
    if not len(data):
        raise DataError("is empty", where=given)
    return data.select_columns([column])


def _with_own_names(pieces: list[Piece]) -> list[Piece]:
    """Two files of one name are told apart by their paths."""
    paths: dict[str, set[str]] = {}
    for piece in pieces:
        paths.setdefault(piece.name, set()).add(piece.path)
    return [replace(p, name=p.path) if len(paths[p.name]) > 1 else p for p in pieces]
