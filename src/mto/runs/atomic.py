"""Writing that either happens whole or not at all: a temporary name, fsync, then a rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from mto.errors import RunError

BROKEN = "is it the right file? One that mto wrote and that is broken can be made again by the command that made it"
"""The hint where a file cannot be read: it may be the user's own, so nobody is told to delete it."""


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write a file atomically; parents are made. Raises `RunError` when the disk is full."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with disk_errors(path), os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text atomically."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> Path:
    """Write JSON atomically: sorted keys, two spaces, no NaN, so that equal values give equal bytes."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON. Raises `RunError` that names the file when it is missing or half-written."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError("no such file", where=str(path)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"not valid JSON: {error}", where=str(path), hint=BROKEN) from error


@contextlib.contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` when the block ends well, and vanishes when it does not.

    Every file in it is flushed to the disk before the rename. An existing `path` is replaced.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        with disk_errors(path):
            yield temporary
            for file in sorted(temporary.rglob("*")):
                sync(file)
            sync(temporary)
        temporary.chmod(0o755)
        if path.exists():
            retired = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
            path.replace(retired / "old")
            temporary.replace(path)
            shutil.rmtree(retired, ignore_errors=True)
        else:
            temporary.replace(path)
        sync(path.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextlib.contextmanager
def own_folder(path: str | Path, marker: str, others: Collection[str] = ()) -> Iterator[Path]:
    """`atomic_directory` that replaces an empty folder or one of its own kind, and nothing else.

    Args:
        marker: the file that every folder of this kind holds.
        others: names of all else that one may hold.

    Raises:
        RunError: there is a file of that name, or a folder with something else in it.
    """
    path = Path(path)
    there = {p.name for p in path.iterdir()} if path.is_dir() else set()
    strange = sorted(there - {marker, *others} if marker in there else there)
    if strange or path.is_file():
        what = f"holds other files ({', '.join(strange[:5])})" if strange else "is a file"
        raise RunError(what, where=str(path), hint="choose another folder")
    with atomic_directory(path) as folder:
        yield folder


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into a message that a person can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(path.parent).free / 2**20
            raise RunError(
                f"the disk is full ({free:.0f} MiB free); nothing that was there before is lost",
                where=str(path),
                hint="free some space and run the same command again",
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise RunError(f"cannot be written: {error.strerror}", where=str(path)) from error
        raise
