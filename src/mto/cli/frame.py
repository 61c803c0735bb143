"""What every command shares: errors a person can act on, exit codes, JSON for machines, examples in the help."""

from __future__ import annotations

import dataclasses
import errno
import functools
import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from mto.errors import Interrupted, MtoError, RunError

F = TypeVar("F", bound=Callable[..., None])

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output, for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
USER_ERROR, INTERRUPTED = 2, 130


def examples(*lines: str) -> str:
    """The end of a command's help: commands that can be copied as they stand."""
    return "\n\n".join(["Examples:", *(f"  {line}" for line in lines)])


def guarded(command: F) -> F:
    """Turn the errors of a command into messages and exit codes; with ``--json`` the error is JSON as well."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            command(*args, **kwargs)
        except MtoError as error:
            fail(error, as_json=as_json)
        except BrokenPipeError:
            # The reader of a pipe (such as head) went away: no fault, and nothing more can be said to it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            hint = "free some space and run the same command again; nothing that was there before is lost"
            fail(RunError("the disk is full", where=error.filename, hint=hint), as_json=as_json)
        except (KeyboardInterrupt, Exception) as error:
            if not _is_interrupt(error):
                raise
            fail(Interrupted("stopped by Ctrl-C", hint="run the same command again"), as_json=as_json)

    return run  # type: ignore[return-value]


def _is_interrupt(error: BaseException) -> bool:
    """Ctrl-C itself, or what it turns into inside the making of a class."""
    return isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)


def fail(error: MtoError, *, as_json: bool) -> None:
    """Say what went wrong on standard error, and end the command."""
    stopped = isinstance(error, Interrupted)
    text = f"{error.where}: {error.message}" if error.where else error.message
    label = "stopped" if stopped else "error"
    speaks = int(os.environ.get("RANK", "0")) == 0  # of several processes that train together, one speaks
    if speaks:
        typer.secho(f"{label}: {text}", fg="yellow" if stopped else "red", err=True)
        if error.hint:
            typer.secho(f"  -> {error.hint}", err=True)
    if as_json and speaks:
        kind = type(error).__name__
        said = {"kind": kind, "message": error.message, "hint": error.hint, "where": error.where}
        emit({"error": said})
    raise typer.Exit(INTERRUPTED if stopped else USER_ERROR)


def emit(value: Any) -> None:
    """Print one value as JSON on standard output."""
    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Dataclasses, pydantic models, paths and tuples as JSON has them; what is no number becomes null.

    >>> plain({"path": Path("a/b"), "values": (1, float("nan"))})
    {'path': 'a/b', 'values': [1, None]}
    """
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def changed(**options: Any) -> dict[str, Any]:
    """The options that the user gave: those that are neither None nor empty."""
    return {name: value for name, value in options.items() if value is not None and value != []}
