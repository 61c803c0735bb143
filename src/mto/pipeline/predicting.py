"""`mto predict`: a file of new rows in, the same rows with answers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mto.errors import DataError
from mto.pipeline.loaded_run import LoadedRun, check_columns
from mto.pipeline.streams import Writer, chunks, read_rows, write_rows

COLUMN = "prediction"
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

    Args:
        source: CSV, TSV or JSONL with a column for each field of the task; ``-`` is standard input.
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
        if column in read.columns:
            raise DataError(
                f"column '{column}' is there already", where=str(source), hint="choose another with --column"
            )
        needed = [named[name] for name in model.fields if named[name] in read.columns and name != "relation"]
        with write_rows(target, [*read.columns, column], form, delimiter) as write:
            for part in chunks(read.rows, CHUNK):
                for where, row in part:
                    _check_cells(row, needed, where)
                fields = [
                    {name: value for name, at in named.items() if (value := row.get(at))} for _, row in part
                ]
                for (_, row), answer in zip(part, model.predict(fields), strict=True):
                    write.write({**row, column: answer.text})
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
