"""Rows of a file one after the other, and answers behind them: for files of any length."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Protocol

from mto.errors import DataError, RunError
from mto.pipeline.answered import forget, part_of
from mto.runs.atomic import disk_errors
from mto.tasks.tables import header_delimiter, header_lines, json_row

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True)
class Rows:
    """Columns of a file, its rows as they are read, each with ``file:line``, and what stands between the cells of CSV."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[str, dict[str, Any]]]
    delimiter: str = ","


@contextmanager
def read_rows(
    path: str | Path, form: str | None = None, delimiter: str | None = None, *, wanted: Collection[str] = ()
) -> Iterator[Rows]:
    """Open a CSV, TSV or JSONL file (``-``: standard input, CSV or JSONL by its first line unless `form` says otherwise) row by row.

    `delimiter` stands between the cells of CSV; None: found from the header, which may hold the columns `wanted`.

    Raises:
        DataError: missing or empty file, unknown ending, not UTF-8, a row with too many or too few cells.
    """
    if str(path) == "-":
        yield _rows(sys.stdin, form, "standard input", delimiter, wanted)
        return
    path = Path(path)
    kind = form or _form(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield _rows(file, kind, str(path), delimiter, wanted)
    except FileNotFoundError:
        raise DataError("no such file", where=str(path)) from None
    except IsADirectoryError:
        raise DataError("is a folder, not a file of rows", where=str(path)) from None


def chunks(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of up to `size` items.

    >>> list(chunks(iter("abcde"), 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    while part := list(islice(rows, size)):
        yield part


def _form(path: Path) -> str:
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise DataError(
            f"the ending '{path.suffix}' tells no format",
            where=str(path),
            hint=f"known endings: {', '.join(FORMATS)}",
        )
    return form


def _rows(file: IO[str], form: str | None, name: str, delimiter: str | None, wanted: Collection[str]) -> Rows:
    lines = _decoded(file, name)
    if form is None:
        start = header_lines(lines)
        form = "jsonl" if "".join(start).lstrip().startswith("{") else "csv"
        lines = chain(start, lines)
    if form == "jsonl":
        objects = _objects(lines, name)
        first = next(objects, None)
        if first is None:
            raise DataError("the file is empty", where=name)
        return Rows(tuple(first[1]), chain([first], objects), delimiter or ",")
    opening: list[str] = []
    if form == "csv" and delimiter is None:
        # Blank lines before the header stay, so that rows have the numbers that they have in the file.
        opening = header_lines(lines)
        delimiter = header_delimiter("".join(opening), wanted)
    reader = _cells(chain(opening, lines), form, name, delimiter or ",")
    header = next(reader, None)
    if header is None:
        raise DataError("the file is empty", where=name, hint="expected a header line and rows")
    columns = tuple(cell.strip() for cell in header[1])
    return Rows(columns, _records(reader, columns, name), delimiter or ",")


def _decoded(file: IO[str], name: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        try:
            line = file.readline()
        except UnicodeDecodeError as error:
            raise DataError(
                f"not UTF-8: {error.reason}", where=f"{name}:{number} or later", hint="save it as UTF-8"
            ) from None
        if not line:
            return
        # Standard input keeps the mark with which some UTF-8 files begin.
        yield line.removeprefix("\ufeff") if number == 1 else line


def _objects(lines: Iterator[str], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        yield f"{name}:{number}", json_row(line, f"{name}:{number}")


def _cells(lines: Iterator[str], form: str, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """TSV has no quoting; CSV quotes as spreadsheets do. Blank lines are passed over."""
    if form == "tsv":
        for number, line in enumerate(lines, 1):
            text = line.rstrip("\r\n")
            if text.strip():
                yield number, text.split("\t")
        return
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "is a quotation mark missing, or one too many? Inside a cell each is written twice"
            raise DataError(f"not valid CSV: {error}", where=f"{name}:{before + 1}", hint=hint) from None
        if any(cell.strip() for cell in cells):
            yield before + 1, cells
        before = reader.line_num


def _records(
    reader: Iterator[tuple[int, list[str]]], columns: Sequence[str], name: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for line, cells in reader:
        if len(cells) != len(columns):
            raise DataError(
                f"{len(columns)} cells expected as in the header, found {len(cells)}", where=f"{name}:{line}"
            )
        yield f"{name}:{line}", dict(zip(columns, cells, strict=True))


class Writer(Protocol):
    """Takes rows one after the other."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one row."""


class Collected:
    """Keeps the rows in memory."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def write(self, row: Mapping[str, Any]) -> None:
        """Keep one row."""
        self.rows.append(dict(row))


class TableWriter:
    """Writes rows to an open file; cells that are lists or mappings are written as JSON."""

    def __init__(
        self, file: IO[str], form: str, columns: Sequence[str], delimiter: str, *, header: bool = True
    ) -> None:
        self._file, self._form, self._columns = file, form, tuple(columns)
        self._csv = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        if form != "jsonl" and header:
            self._line([*columns])

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one row."""
        if self._form == "jsonl":
            self._file.write(json.dumps(dict(row), ensure_ascii=False) + "\n")
        else:
            self._line([_cell(row.get(name)) for name in self._columns])

    def size(self) -> int:
        """Bytes of the file with all that was written."""
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def _line(self, cells: list[str]) -> None:
        if self._form == "tsv":
            # TSV has no quoting, so a tab or line break inside a cell becomes a space.
            self._file.write(
                "\t".join(" ".join(cell.splitlines()).replace("\t", " ") for cell in cells) + "\n"
            )
        else:
            self._csv.writerow(cells)


def _cell(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


@contextmanager
def write_rows(
    path: str | Path | Writer,
    columns: Sequence[str],
    form: str | None = None,
    delimiter: str = ",",
    *,
    after: int = 0,
) -> Iterator[Writer]:
    """Write rows to a CSV, TSV or JSONL file (``-``: standard output), or to a writer, as they come.

    The file has its name only when all rows are written; until then it is called ``NAME.part``, and stays so when
    the work is interrupted.

    Args:
        after: bytes of ``NAME.part`` that stay, header and whole rows; what stands behind them is cut off. 0: begin anew.

    Raises:
        DataError: unknown ending. RunError: the disk is full or the folder is missing.
    """
    if not isinstance(path, str | Path):
        yield path
        return
    if str(path) == "-":
        yield TableWriter(sys.stdout, form or "csv", columns, delimiter)
        sys.stdout.flush()
        return
    path = Path(path)
    kind = form or _form(path)
    if not path.parent.is_dir():
        raise RunError("no such folder", where=str(path.parent))
    part = part_of(path)
    with disk_errors(path):
        if after:
            os.truncate(part, after)
        with part.open("a" if after else "w", encoding="utf-8", newline="") as file:
            yield TableWriter(file, kind, columns, delimiter, header=not after)
        part.replace(path)
        forget(part)
