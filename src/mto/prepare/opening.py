"""Opening text files, compressed or not, and reading their lines with numbers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from mto.errors import DataError

PACKED: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".bz2": bz2.open,
    ".zst": lambda path, mode: _zstandard(path),
}
"""Openers of compressed files by suffix."""
_BLOCK = 1 << 20


def _zstandard(path: Path) -> Any:
    try:
        import zstandard
    except ImportError as error:
        hint = "pip install zstandard, or unpack the file"
        raise DataError("reading .zst needs the package zstandard", where=str(path), hint=hint) from error
    return io.BufferedReader(zstandard.open(path, "rb"), _BLOCK)


def open_bytes(path: Path) -> IO[bytes]:
    """A file opened for reading bytes, unpacked by its suffix.

    Raises:
        DataError: there is no such file, or the package that unpacks it is missing.
    """
    try:
        return PACKED[path.suffix](path, "rb") if path.suffix in PACKED else path.open("rb")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def numbered_lines(path: Path, start: int = 0, end: int = -1) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 file with their numbers, stripped; empty ones are given too, so that the last number is their count.

    Args:
        start, end: a byte range: the lines whose first byte lies in it, numbered from 1 at its first line; -1: to the
            end. Only for files that are not compressed, unless it is the whole file.

    Raises:
        DataError: not UTF-8 or a damaged archive; the message names the line (counted from the file's beginning).
    """
    number = 0
    try:
        with open_bytes(path) as file:
            at = _to_line(file, start)
            while end < 0 or at < end:
                line = file.readline()
                if not line:
                    return
                at += len(line)
                number += 1
                yield number, line.decode("utf-8-sig" if start == 0 and number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        line_number = _lines_before(path, start) + number
        raise DataError(
            f"is not UTF-8: {error.reason}",
            where=f"{path}:{line_number}",
            hint="convert the file, for example with iconv -f latin1 -t utf-8",
        ) from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise _broken(path, number, error) from error
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise _broken(path, number, error) from error


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file (plain or compressed; UTF-8), stripped, empty ones left out.

    Raises:
        DataError: not UTF-8 or a damaged archive; the message names the line.
    """
    return (line for _, line in numbered_lines(path) if line)


def _to_line(file: IO[bytes], start: int) -> int:
    """Go to the first line that begins at `start` or behind it."""
    if start == 0:
        return 0
    file.seek(start - 1)
    return start - 1 + len(file.readline())


def _lines_before(path: Path, start: int) -> int:
    """Lines that begin before a byte; counted only when an error has to name a line."""
    if start == 0:
        return 0
    count, last = 0, b"\n"
    with path.open("rb") as file:
        left = start
        while left and (block := file.read(min(_BLOCK, left))):
            count += block.count(b"\n")
            left -= len(block)
            last = block[-1:]
    return count + (last != b"\n")


def _broken(path: Path, number: int, error: Exception) -> DataError:
    return DataError(
        f"cannot be read: {error}", where=f"{path}:{number + 1}", hint="the file may be cut off or damaged"
    )
