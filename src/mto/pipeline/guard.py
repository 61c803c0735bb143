"""Whose folder is it: this run's, another's, or that of a run at work right now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import yaml

from mto.errors import RunError
from mto.pipeline.config import CompareConfig
from mto.runs import RunFolder
from mto.runs.folder import CONFIG

LOCK = ".lock"


def existing_run(path: Path, config: CompareConfig) -> RunFolder | None:
    """The run that stands at `path`, if it is this one.

    Raises:
        RunError: something else stands there.
    """
    if not path.exists() or (path.is_dir() and not any(_visible(path))):
        return None
    if not (path / CONFIG).exists():
        what = "is not empty and holds no run" if path.is_dir() else "is a file"
        raise RunError(what, where=str(path), hint="choose another folder with --out")
    folder = RunFolder.open(path)
    try:
        old = folder.config
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError(f"cannot be read: {error}", where=str(path / CONFIG)) from None
    new = config.fixed()
    if not isinstance(old, dict):
        raise RunError("holds no configuration", where=str(path / CONFIG), hint="choose another folder")
    if "corpus" in old:
        raise RunError(
            "holds a run with raw text (--corpus)", where=str(path), hint="choose another folder with --out"
        )
    there, now = _flat(old), _flat(new)
    # The columns of a file count although a run without them does not name them.
    named = [key for key in there if key.startswith(("columns", "delimiter")) and key not in now]
    differ = [key for key in (*now, *named) if there.get(key) != now.get(key)]
    if differ:
        shown = "; ".join(
            f"{key}: {_short(there.get(key))} there, {_short(now.get(key))} now" for key in differ
        )
        raise RunError(
            f"holds a run with another configuration ({shown})",
            where=str(path),
            hint="choose another folder with --out, or delete this one",
        )
    return folder


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys as dotted ones."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _visible(path: Path) -> Iterator[Path]:
    return (child for child in path.iterdir() if child.name != LOCK)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str).strip('"')
    return text if len(text) <= 60 else text[:59] + "…"


class Lock:
    """Keeps a second run out of a folder while this one works in it; let go when the process ends, however it ends."""

    def __init__(self) -> None:
        self._handle: IO[str] | None = None

    def take(self, path: Path) -> None:
        """Lock an existing folder; taking it again does nothing.

        Raises:
            RunError: another process has it.
        """
        if self._handle is not None:
            return
        try:
            import fcntl
        except ImportError:  # no such locks on this system
            return
        handle = (path / LOCK).open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise RunError(
                "another run is at work in this folder", where=str(path), hint="wait for it, or stop it"
            ) from None
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()


def clear_leftovers(path: Path) -> None:
    """Remove what a killed process left half-written: everything hidden but the lock."""
    for child in sorted(path.rglob(".*"), reverse=True):
        if child.name == LOCK:
            continue
        if child.is_dir():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)
