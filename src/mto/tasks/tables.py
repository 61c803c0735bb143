"""Rows from files: TSV, CSV, JSONL and Parquet, each row with its line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mto.errors import DataError
from mto.tasks.schema import Format

Cell = Any  # text, a list of texts, a number or None; `cell_texts` reads it
FORMATS: dict[str, Format] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
DELIMITERS = (",", ";", "\t", "|")
MOST_HEADER_LINES = 20
"""A quote that is never closed is looked for no further."""
_SHOWN = 10  # wrong rows listed in one message


@dataclass(frozen=True)
class Table:
    """Rows of one split.

    Attributes:
        path: for messages.
        name: the file's name, kept in examples (so that a split is the same on every machine).
        rows: line (or row, from 1) and cells, in the order of `columns`.
        sha256: of the file's bytes, or of the rows when they came from memory.
    """

    path: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    sha256: str


def read_table(path: str | Path, form: Format | None = None, *, delimiter: str = ",") -> Table:
    """Read a file of rows.

    Raises:
        DataError: missing or empty file, unknown ending, not UTF-8 (byte and line named), rows with too many or
            too few cells, a column named twice.
    """
    path = Path(path)
    form = form or FORMATS.get(path.suffix.lower())
    if form is None or form == "huggingface":
        raise DataError(
            f"the ending '{path.suffix}' tells no format",
            where=str(path),
            hint=f"name it with data.format; known endings: {', '.join(FORMATS)}",
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("no such file", where=str(path), hint=_neighbours(path)) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not data.strip():
        raise DataError("the file is empty", where=str(path), hint="expected a header line and rows")
    if form == "parquet":
        columns, rows = _parquet(data, path)
    else:
        text = _decode(data, path)
        columns, rows = (
            _jsonl(text, path)
            if form == "jsonl"
            else _separated(text, path, "\t" if form == "tsv" else delimiter, form)
        )
    if not rows:
        raise DataError("the file has a header and no rows", where=str(path))
    return Table(str(path), path.name, columns, tuple(rows), hashlib.sha256(data).hexdigest())


def find_delimiter(path: Path, wanted: Collection[str]) -> str:
    """What stands between the cells of a CSV file, by its header: a comma where nothing else fits better.

    Args:
        wanted: columns that the header may hold; without them the most cells decide.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = "".join(header_lines(file))
    except OSError:
        return ","  # reading the table says what is wrong with the file
    return header_delimiter(header, wanted)


def header_lines(lines: Iterable[str]) -> list[str]:
    """The first lines of a CSV file up to the end of its header: blank ones, and all lines of a quoted cell.

    >>> header_lines(["\\n", '"head\\n', 'noun";tail\\n', "hammer;nails\\n"])
    ['\\n', '"head\\n', 'noun";tail\\n']
    """
    found: list[str] = []
    for line in lines:
        found.append(line)
        whole = "".join(found)
        if whole.strip() and (whole.count('"') % 2 == 0 or len(found) > MOST_HEADER_LINES):
            break
    return found


def header_delimiter(header: str, wanted: Collection[str] = ()) -> str:
    """What stands between the cells of a header: what gives the most wanted columns, no stray quote, and the most cells.

    >>> header_delimiter("head;answers, if any;id")
    ';'
    >>> header_delimiter("head,note (a; b; c)", wanted=("head",))
    ','
    >>> header_delimiter('head,"note; a; b"')
    ','
    """

    def fit(delimiter: str) -> tuple[int, bool, int]:
        reader = csv.reader(io.StringIO(header[:10_000], newline=""), delimiter=delimiter)
        cells = [cell.strip() for cell in next((row for row in reader if row), [])]
        return len(set(wanted) & set(cells)), not any('"' in cell for cell in cells), len(cells)

    return max(DELIMITERS, key=fit)  # the first of equals


def table_from_rows(rows: Iterable[Mapping[str, Any]], *, name: str) -> Table:
    """A table from rows in memory; columns are the keys, in the order in which they first appear.

    Raises:
        DataError: there are no rows, or one is no mapping.
    """
    found: list[Mapping[str, Any]] = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise DataError(f"a row must be a mapping, found {type(row).__name__}", where=f"{name}:{number}")
        found.append(row)
    if not found:
        raise DataError("there are no rows", where=name)
    columns = tuple(dict.fromkeys(str(key) for row in found for key in row))
    cells = [(n, tuple(row.get(column) for column in columns)) for n, row in enumerate(found, 1)]
    text = json.dumps([columns, cells], ensure_ascii=True, default=str)
    return Table(name, name, columns, tuple(cells), hashlib.sha256(text.encode()).hexdigest())


def only_rows(table: Table, only: Mapping[str, str]) -> Table:
    """The rows whose cells hold these texts; columns that the table has not are passed over.

    >>> rows = [{"head": "a", "label": "1"}, {"head": "b", "label": "0"}]
    >>> len(only_rows(table_from_rows(rows, name="t"), {"label": "1", "split": "x"}).rows)
    1
    """
    places = {table.columns.index(name): text for name, text in only.items() if name in table.columns}
    if not places:
        return table
    rows = tuple(
        (line, cells)
        for line, cells in table.rows
        if not cells or all(str(cells[place]).strip() == text for place, text in places.items())
    )
    return replace(table, rows=rows)


def cell_texts(cell: Cell, where: str) -> tuple[str, ...]:
    """The texts in a cell, stripped: one, several (a list), or one empty text for nothing.

    Raises:
        DataError: the cell holds something that is no text, or half a character (a lone surrogate).
    """
    if isinstance(cell, list | tuple):
        return tuple(text for part in cell for text in cell_texts(part, where)) or ("",)
    if cell is None or cell != cell:  # NaN is how tables in memory write "nothing"
        return ("",)
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise DataError(f"expected text, found {type(cell).__name__}: {cell!r}", where=where)
    text = str(cell).strip()
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise DataError(
            f"the text holds half a character: {text!r}", where=where, hint="save the data as UTF-8"
        )
    return (text,)


def _decode(data: bytes, path: Path) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError("the file is UTF-16", where=f"{path}:1", hint="save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # utf-8-sig counts from behind a byte order mark.
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data.count(b"\n", 0, start) + 1
        raise DataError(
            f"not UTF-8: byte {start} (0x{data[start]:02x})",
            where=f"{path}:{line}",
            hint="save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')",
        ) from None


Rows = list[tuple[int, tuple[Cell, ...]]]


def _separated(text: str, path: Path, delimiter: str, form: str) -> tuple[tuple[str, ...], Rows]:
    """TSV has no quoting (a cell may hold a quotation mark); CSV quotes as spreadsheets do."""
    if form == "tsv":
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        records = [(n, line.split("\t")) for n, line in enumerate(lines, 1)]
        while records and records[-1][1] == [""]:
            records.pop()
    else:
        records = _csv(text, path, delimiter)
    start = next((n for n, (_, cells) in enumerate(records) if any(c.strip() for c in cells)), len(records))
    header = tuple(name.strip() for name in records[start][1])
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(
            f"column '{twice[0]}' stands twice in the header", where=f"{path}:{records[start][0]}"
        )
    rows: Rows = []
    wrong = []
    for line, cells in records[start + 1 :]:
        if not any(cell.strip() for cell in cells):
            rows.append((line, ()))
        elif len(cells) != len(header):
            wrong.append(f"line {line} has {len(cells)}")
        else:
            rows.append((line, tuple(cells)))
    if wrong:
        listed = ", ".join(wrong[:_SHOWN]) + (
            f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        )
        hint = "put a cell that holds a comma in quotation marks" if form == "csv" else "is a tab missing?"
        raise DataError(
            f"{len(header)} cells expected in each row (as in the header): {listed}",
            where=str(path),
            hint=hint,
        )
    return header, rows


def _csv(text: str, path: Path, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, before = [], 0
    try:
        for cells in reader:
            records.append((before + 1, cells))
            before = reader.line_num
    except csv.Error as error:
        hint = "is a quotation mark missing, or one too many? Inside a cell each is written twice"
        raise DataError(f"not valid CSV: {error}", where=f"{path}:{before + 1}", hint=hint) from None
    return records


def _jsonl(text: str, path: Path) -> tuple[tuple[str, ...], Rows]:
    objects: list[tuple[int, dict[str, Any] | None]] = []
    for line, content in enumerate(text.replace("\r\n", "\n").rstrip("\n").split("\n"), 1):
        if not content.strip():
            objects.append((line, None))
            continue
        objects.append((line, json_row(content, f"{path}:{line}")))
    columns = tuple(dict.fromkeys(key for _, value in objects if value for key in value))
    return columns, [
        (line, () if value is None else tuple(value.get(column) for column in columns))
        for line, value in objects
    ]


def json_row(text: str, where: str) -> dict[str, Any]:
    """One line of a JSONL file.

    Raises:
        DataError: it is no JSON object, is nested too deeply, or holds a number of thousands of digits.

    >>> json_row('{"head": "hammer"}', "a.jsonl:1")
    {'head': 'hammer'}
    """
    hint = "each line holds one object with a key for each column"
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"not valid JSON: {error.msg}", where=where, hint=hint) from None
    except RecursionError:
        raise DataError("lists or objects are nested too deeply", where=where, hint=hint) from None
    except ValueError as error:  # Python's limit to the digits of a number
        raise DataError(f"a number is too long: {error}", where=where, hint="write it as a text") from None
    if not isinstance(value, dict):
        raise DataError(f"expected an object, found {type(value).__name__}", where=where, hint=hint)
    return value


def _parquet(data: bytes, path: Path) -> tuple[tuple[str, ...], Rows]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    except pyarrow.ArrowException as error:
        raise DataError(f"not a Parquet file: {error}", where=str(path)) from None
    columns = tuple(table.column_names)
    cells = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return columns, list(enumerate(cells, 1))


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist"
    names = sorted(other.name for other in path.parent.iterdir() if other.suffix.lower() in FORMATS)
    return (
        f"the folder holds {', '.join(names[:20])}"
        if names
        else f"the folder {path.parent} holds no data files"
    )
