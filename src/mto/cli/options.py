"""Options that several commands share, and reading lists out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mto.errors import ConfigError

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
Columns = Annotated[
    str | None,
    typer.Option(
        help="Which column of a file of rows holds which field: head=QUESTION,tail=ANSWER. Default: head, tail."
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="Between the cells of a CSV file, such as ';' or tab. Default: found from its first line."
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        help="finetune (default): all weights; prompt: a soft prompt of the frozen checkpoint; lora: low-rank updates."
    ),
]
Vectors = Annotated[
    str | None, typer.Option(help="Vectors of a soft prompt; several, such as 10,20, are tried one by one.")
]
Encoder = Annotated[
    str | None,
    typer.Option(help="Prompt encoders that are tried: residual-mlp (default), mlp, embedding, lstm."),
]
Rates = Annotated[str | None, typer.Option(help="Learning rates of the sweep, such as 1e-4,3e-4,1e-3.")]
Steps = Annotated[
    str | None, typer.Option(help="Ladder of steps at which dev is measured, such as 0,5,20,60.")
]
Shots = Annotated[
    int | None, typer.Option("--shots", "-n", min=0, help="Labelled rows to draw, one a head; 0: no tuning. Default: what the task file says, else 30; run and tune take all rows of a single file, which is scored by cross-validation.")
]  # fmt: skip


def words(text: str | None) -> list[str] | None:
    """``a,b`` as a list.

    >>> words("mapping, prompting")
    ['mapping', 'prompting']
    """
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def pairs(
    text: str | None, *, option: str = "--columns", form: str = "FIELD=COLUMN"
) -> dict[str, str] | None:
    """``a=b,c=d`` as a mapping.

    Args:
        option, form: what the message names.

    Raises:
        ConfigError: a part is not of this form, or a name stands twice.

    >>> pairs("head=QUESTION, tail=ANSWER")
    {'head': 'QUESTION', 'tail': 'ANSWER'}
    """
    listed = words(text)
    if listed is None:
        return None
    found: dict[str, str] = {}
    for part in listed:
        name, equals, column = (side.strip() for side in part.partition("="))
        if not (name and equals and column) or name in found:
            what = "stands twice" if name in found else f"is not of the form {form}"
            hint = f"write {option} {form},…"
            if option == "--columns":
                hint = "write --columns head=QUESTION,tail=ANSWER; several columns of one field are joined by +: choices=A+B+C"
            raise ConfigError(f"'{part}' {what}", where=option, hint=hint)
        found[name] = column
    return found or None


def delimiter(text: str | None) -> str | None:
    """A delimiter as a shell can write it: ``tab`` stands for the tab.

    Raises:
        ConfigError: it is no single character that can stand between cells.

    >>> delimiter("tab"), delimiter(";")
    ('\\t', ';')
    """
    given = "\t" if text in ("tab", "\\t") else text
    if given is not None and (len(given) != 1 or given in '"\r\n'):
        raise ConfigError(f"{text!r} is no single character", where="--delimiter", hint="such as ';' or tab")
    return given


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


def tuning(method: str | None, vectors: str | None, encoder: str | None, **given: Any) -> dict[str, Any]:
    """What is trained, as values for the configuration of the sweep; only what was given.

    >>> tuning("prompt", "10,20", None, rates=None)
    {'method': 'prompt', 'prompt': {'vectors': [10, 20]}}
    """
    prompt = {"vectors": numbers(vectors), "encoders": words(encoder)}
    told = {name: value for name, value in prompt.items() if value is not None}
    found = {"method": method, **given, "prompt": told or None}
    return {name: value for name, value in found.items() if value is not None}


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
