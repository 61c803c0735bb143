"""Reading the texts of one piece, one after the other, with their numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mto.errors import DataError
from mto.prepare.opening import numbered_lines
from mto.prepare.pieces import Piece, open_dataset, open_parquet

_ROWS = 2048


def read_piece(piece: Piece, column: str) -> Iterator[tuple[int, str]]:
    """The texts of a piece with their numbers: lines or rows, from 1 at the piece's beginning.

    Empty ones are given too, so that the last number says how far those of the next piece are moved.

    Args:
        column: of the text, in JSONL, Parquet and data sets.

    Raises:
        DataError: not UTF-8, not JSON, no such column, a text that is none, or a damaged file.
    """
    if piece.kind == "text":
        yield from numbered_lines(Path(piece.path), piece.start, piece.end)
    elif piece.kind == "jsonl":
        yield from _jsonl(piece, column)
    elif piece.kind == "parquet":
        yield from _parquet(piece, column)
    else:
        data = open_dataset(piece.path, column)
        for start in range(piece.start, piece.end, _ROWS):
            texts = data[start : min(start + _ROWS, piece.end)][column]
            for number, text in enumerate(texts, start - piece.start + 1):
                yield number, _text(text, column, f"{piece.path}:{start + number}")


def _jsonl(piece: Piece, column: str) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(Path(piece.path), piece.start, piece.end):
        where = (
            f"{piece.path}:{number}"
            if piece.start == 0
            else f"{piece.path} (byte {piece.start}, line {number})"
        )
        if not line:
            yield number, ""
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"not valid JSON: {error.msg}", where=where) from error
        if not isinstance(row, dict) or column not in row:
            found = ", ".join(row) if isinstance(row, dict) else type(row).__name__
            raise DataError(
                f"has no column '{column}' (found: {found})",
                where=where,
                hint="name the column of the text with --column",
            )
        yield number, _text(row[column], column, where)


def _parquet(piece: Piece, column: str) -> Iterator[tuple[int, str]]:
    file = open_parquet(Path(piece.path), column)
    try:
        number = 0
        groups = list(range(piece.start, piece.end))
        for batch in file.iter_batches(_ROWS, row_groups=groups, columns=[column]):
            for text in batch.column(0).to_pylist():
                number += 1
                yield number, _text(text, column, f"{piece.path}:{number}")
    except OSError as error:
        raise DataError(f"cannot be read: {error}", where=piece.path) from error
    finally:
        file.close()


def _text(value: object, column: str, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"column '{column}' holds {type(value).__name__}, not text", where=where)
    return value
