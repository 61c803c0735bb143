"""Options that several commands share, and reading lists out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    str | None, typer.Option(help="Folder or file of the task's rows, where they are not in the package.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="Checkpoint: a name (mto ls models), folder or hub name. Default: mini."
    ),
]
Phrase = Annotated[
    str | None,
    typer.Option(
        help="Number of the task's phrase, from 0, or your own: '{{ head }} is used for'. Default: 0."
    ),
]
Relation = Annotated[str | None, typer.Option(help="The relation, for a file of rows that holds several.")]
Rates = Annotated[str | None, typer.Option(help="Learning rates of the sweep, such as 1e-4,3e-4,1e-3.")]
Steps = Annotated[
    str | None, typer.Option(help="Ladder of steps at which dev is measured, such as 0,5,20,60.")
]
Shots = Annotated[
    int | None, typer.Option("--shots", "-n", min=0, help="Labelled rows, one a head; 0: no tuning. Default: 30.")
]  # fmt: skip


def words(text: str | None) -> list[str] | None:
    """``a,b`` as a list.

    >>> words("mapping, prompting")
    ['mapping', 'prompting']
    """
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def numbers(text: str | None) -> list[Any] | None:
    """``1e-4,3`` as numbers; what is none stays a text, for the check of the configuration to name it.

    >>> numbers("0,5,1e-4")
    [0, 5, 0.0001]
    """
    listed = words(text)
    return None if listed is None else [_number(part) for part in listed]


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def number_or_text(text: str | None) -> Any:
    """A whole number where the text is one."""
    return int(text) if text is not None and text.isdigit() else text


def split_changes(words: list[str]) -> tuple[list[str], list[str]]:
    """Arguments apart: names and paths, and ``key=value`` changes.

    >>> split_changes(["household/xWant", "tune.beams=2"])
    (['household/xWant'], ['tune.beams=2'])
    """
    changes = [word for word in words if "=" in word and not Path(word).exists()]
    return [word for word in words if word not in changes], changes
