"""`mto predict`: a file of new rows in, the same rows with answers out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import DataError
from mto.pipeline.loaded_run import LoadedRun, check_columns
from mto.pipeline.streams import Writer, chunks, read_rows, write_rows
from mto.templates import CHOICE_FIELDS, MOST_CHOICES

if TYPE_CHECKING:
    from mto.tune import TunedModel

COLUMN = "prediction"
CHANCES = ("probability", "probabilities")
"""Columns beside the prediction where a task has options: of the predicted option, and of each (JSON where cells are texts)."""
CHUNK = 256
"""Rows that are read, answered and written together."""


def predict_file(
    run: LoadedRun,
    source: str | Path,
    target: str | Path | Writer,
    *,
    task: str | None = None,
    form: str | None = None,
    column: str = COLUMN,
    columns: Mapping[str, str] | None = None,
    delimiter: str = ",",
    progress: Callable[[int], None] | None = None,
) -> int:
    """Answer every row of a file; rows are read, answered and written in chunks, so that files of any length fit.

    Where a task has options (the choices of a question, labels) the prediction is the likeliest one, and two columns hold
    its probability and that of each.

    Args:
        source: CSV, TSV or JSONL with a column for each field of the task; ``-`` is standard input. The choices of a question
            are a list under ``choices`` (JSONL) or columns ``choice1``, ``choice2`` …
        target: the same, with one more column; ``-`` is standard output. Or a writer of rows.
        form: ``csv``, ``tsv`` or ``jsonl`` for the standard streams.
        column: name of the new column.
        columns: which column holds which field of the task, where they have other names: ``{"head": "QUESTION"}``.
        delimiter: between the cells of CSV rows, in and out.
        progress: called with the number of rows done.

    Returns:
        How many rows were answered.

    Raises:
        DataError: a column is missing, or a cell is no text or empty, with file and line.
    """
    model = run.model(task)
    done = 0
    named = {name: (columns or {}).get(name, name) for name in model.fields}
    with read_rows(source, form, delimiter) as read:
        check_columns(read.columns, model, str(source), named)
        ranked = model.form.kind in ("multiple-choice", "classification")
        added = [column, *(CHANCES if ranked else ())]
        taken = next((name for name in added if name in read.columns), None)
        if taken is not None:
            hint = "choose another with --column" if taken == column else "rename it"
            raise DataError(f"column '{taken}' is there already", where=str(source), hint=hint)
        listed = _choice_columns(read.columns, str(source)) if model.form.kind == "multiple-choice" else ()
        needed = [named[name] for name in model.fields if named[name] in read.columns and name != "relation"]
        with write_rows(target, [*read.columns, *added], form, delimiter) as write:
            for part in chunks(read.rows, CHUNK):
                for where, row in part:
                    _check_cells(row, needed, where)
                fields: list[dict[str, Any]] = [
                    {name: value for name, at in named.items() if (value := row.get(at))} for _, row in part
                ]
                if listed:
                    for one, (where, row) in zip(fields, part, strict=True):
                        one["choices"] = _choices(row, listed, where)
                answers = _ranked(model, fields) if ranked else [(a.text,) for a in model.predict(fields)]
                for (_, row), answer in zip(part, answers, strict=True):
                    write.write({**row, **dict(zip(added, answer, strict=True))})
                done += len(part)
                if progress is not None:
                    progress(done)
    return done


def _check_cells(row: dict[str, object], needed: list[str], where: str) -> None:
    for name in needed:
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            found = "an empty cell" if value in ("", None) else repr(value)
            raise DataError(f"expected text under '{name}', found {found}", where=where)


def _ranked(model: TunedModel, fields: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, str]]:
    """The likeliest option of each row with its probability, and those of all options as JSON."""
    return [
        (one.name, one.probability, json.dumps(one.probabilities, ensure_ascii=False))
        for one in model.choose(fields)
    ]


def _choice_columns(columns: Sequence[str], where: str) -> tuple[str, ...]:
    """Where the choices of a question stand."""
    found = ("choices",) if "choices" in columns else tuple(n for n in CHOICE_FIELDS if n in columns)
    if found != ("choices",) and len(found) < 2:
        raise DataError(
            f"there are no choices (found: {', '.join(columns) or 'none'})", where=where,
            hint="give a list under 'choices' (JSONL), or the columns choice1, choice2, …",
        )  # fmt: skip
    return found


def _choices(row: Mapping[str, Any], columns: tuple[str, ...], where: str) -> list[str]:
    """The choices of a row; columns of their own may be empty behind the last one."""
    given = row.get("choices") if columns == ("choices",) else [row.get(name) or "" for name in columns]
    if not isinstance(given, list):
        raise DataError(f"expected a list of texts under 'choices', found {given!r}", where=where)
    while columns != ("choices",) and given and not given[-1]:
        given.pop()
    wrong = next((text for text in given if not isinstance(text, str) or not text.strip()), None)
    if wrong is not None or not 2 <= len(given) <= MOST_CHOICES or len(set(given)) < len(given):
        what = f"a choice that is no text ({wrong!r})" if wrong is not None else f"{len(given)} choices"
        what = "a choice twice" if wrong is None and len(set(given)) < len(given) else what
        raise DataError(f"found {what}", where=where, hint=f"give 2 to {MOST_CHOICES} different texts")
    return given
