"""`mto predict`: a file of new rows in, the same rows with answers out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import DataError
from mto.pipeline.answered import Answered, Seen, answered_before, part_of
from mto.pipeline.loaded_run import LoadedRun
from mto.pipeline.new_columns import NewColumns, find_columns, looked_for
from mto.pipeline.streams import TableWriter, Writer, chunks, read_rows, write_rows

if TYPE_CHECKING:
    from mto.tune import TunedModel

COLUMN = "prediction"
CHANCES = ("probability", "probabilities")
"""Columns beside the prediction where a task has options: of the predicted option, and of each (JSON where cells are texts)."""
CHUNK = 256
"""Rows that are read, answered and written together."""
Told = Callable[[str], None]


def predict_file(
    run: LoadedRun,
    source: str | Path,
    target: str | Path | Writer,
    *,
    task: str | None = None,
    form: str | None = None,
    column: str = COLUMN,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    progress: Callable[[int], None] | None = None,
    odd: Told | None = None,
    resumed: Callable[[int], None] | None = None,
) -> int:
    """Answer every row of a file; rows are read, answered and written in chunks, so that files of any length fit.

    Where a task has options (the choices of a question, labels) the prediction is the likeliest one by the ranking that decided in tuning,
    and two columns hold its probability and that of each. A call that was interrupted goes on behind the last whole chunk when it is made
    again, as long as model, settings and the rows before are the same; this needs two files, not the standard streams.

    Args:
        source: CSV, TSV or JSONL with a column for each field of the task; ``-`` is standard input. The choices of a question
            are a list under ``choices`` (JSONL) or columns ``choice1``, ``choice2`` … Columns that are called as those of the labelled rows
            were are found too.
        target: the same, with one more column; ``-`` is standard output. Or a writer of rows.
        form: ``csv``, ``tsv`` or ``jsonl`` for the standard streams.
        column: name of the new column.
        columns: which column holds which field of the task, where they have other names: ``{"head": "QUESTION"}``,
            ``{"choices": "A+B+C"}``.
        delimiter: between the cells of CSV rows, in and out; None: found from the first line.
        progress: called with the number of rows done.
        odd: is told of each row that cannot be read, with file and line; its answer stays empty. None: such a row is an error.
        resumed: called with the number of rows that an earlier call had answered, where there are some.

    Returns:
        How many rows the file has now, those of an earlier call among them.

    Raises:
        ConfigError: `columns` names a field that the task has not.
        DataError: a column is missing, or a cell is no text or empty, with file and line; or both files are the same.
    """
    model = run.model(task)
    _two_files(source, target)
    with read_rows(source, form, delimiter, wanted=looked_for(model, columns)) as read:
        delimiter = read.delimiter
        found = find_columns(read.columns, model, columns, str(source))
        ranked = model.form.has_options
        added = [column, *(CHANCES if ranked else ())]
        taken = next((name for name in added if name in read.columns), None)
        if taken is not None:
            hint = "choose another with --column" if taken == column else "rename it"
            raise DataError(f"column '{taken}' is there already", where=str(source), hint=hint)
        settings = [run.identity(task), read.columns, added, repr(found), form, delimiter, odd is not None]
        key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
        before, seen = _before(source, target, form, delimiter, key)
        rows = islice(read.rows, before.rows if before else 0, None)
        done = before.rows if before else 0
        if before and resumed is not None:
            resumed(done)
        size = before.size if before else 0
        with write_rows(target, [*read.columns, *added], form, delimiter, after=size) as write:
            for part in chunks(rows, CHUNK):
                answers = _answers(model, found, part, odd)
                for (_, row), answer in zip(part, answers, strict=True):
                    write.write({**row, **dict(zip(added, answer[: len(added)], strict=True))})
                    seen.add(row)
                done += len(part)
                if isinstance(target, str | Path) and isinstance(write, TableWriter) and str(target) != "-":
                    Answered(key, done, write.size(), seen.digest).keep(part_of(Path(target)))
                if progress is not None:
                    progress(done)
    return done


def _two_files(source: str | Path, target: str | Path | Writer) -> None:
    if not isinstance(target, str | Path) or not Path(source).exists() or not Path(target).exists():
        return
    if Path(source).samefile(target):
        raise DataError(
            "input and output are the same file", where=str(target), hint="give another name with --output"
        )


def _before(
    source: str | Path, target: str | Path | Writer, form: str | None, delimiter: str, key: str
) -> tuple[Answered | None, Seen]:
    """What an earlier call left of this work, and the rows of it taken in."""
    if isinstance(target, str | Path) and "-" not in (str(source), str(target)):
        seen = Seen()
        with read_rows(source, form, delimiter) as read:
            found = answered_before(part_of(Path(target)), key, read.rows, seen)
        if found is not None:
            return found, seen
    return None, Seen()


def _answers(
    model: TunedModel, columns: NewColumns, part: Sequence[tuple[str, Mapping[str, Any]]], odd: Told | None
) -> list[tuple[Any, ...]]:
    """What stands in the added columns of each row; nothing for rows that cannot be read, where `odd` is told of them."""
    fields: list[dict[str, Any]] = []
    places: list[int] = []
    for place, (where, row) in enumerate(part):
        try:
            fields.append(columns.read(row, where))
            places.append(place)
        except DataError as error:
            if odd is None:
                raise
            odd(f"{error.where}: {error.message}")
    found: list[tuple[Any, ...]] = [("", None, None)] * len(part)
    answers: list[tuple[Any, ...]] = []
    if not fields:
        return found
    if model.form.has_options:
        answers = [(one.name, one.probability, dict(one.probabilities)) for one in model.choose(fields)]
    else:
        answers = [(answer.text,) for answer in model.predict(fields)]
    for place, answer in zip(places, answers, strict=True):
        found[place] = answer
    return found
