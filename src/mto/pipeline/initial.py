"""`mto init`: from a file of rows to a task file that can be run, with examples of what it gives."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mto.errors import ConfigError, DataError, RunError, TemplateError
from mto.runs.atomic import write_text
from mto.tasks import Example, ItemFile, Task, load_task, read_any_task_file
from mto.tasks.guess import Guess, Said, guess
from mto.tasks.items import Reading, read_items
from mto.tasks.kinds import ItemColumns, ItemData
from mto.tasks.load_items import item_task
from mto.tasks.phrasing import two_phrases
from mto.tasks.profile import text_of
from mto.tasks.schema import Splits
from mto.tasks.tables import FORMATS, Table, find_delimiter, read_table
from mto.tasks.task import fold_case
from mto.tasks.task_yaml import Draft, hold_out_for, task_yaml
from mto.templates import get_family, phrase_problems, plain_text

SHOWN_EXAMPLES = 3


@dataclass(frozen=True)
class Written:
    """One example under one family: what the encoder reads and what the decoder writes, masks as pictures."""

    family: str
    source: str
    target: str


@dataclass(frozen=True)
class Initial:
    """A task file that was written.

    Attributes:
        path: of the file.
        task: name to run it by; of several relations the first.
        scored: on what: ``test file``, ``k-fold``, or how many inputs are held out.
        examples: the first examples, each with its place and how it is written.
        warnings: rows that were mended or left out, or that cannot be used, with file and line.
    """

    path: Path
    task: str
    kind: str
    columns: dict[str, Any]
    labels: dict[str, Any]
    unread: tuple[str, ...]
    reasons: tuple[str, ...]
    phrases: tuple[str, ...]
    inputs: int
    scored: str
    examples: tuple[tuple[str, tuple[Written, ...]], ...]
    warnings: tuple[str, ...]
    blocked: bool = False
    """Whether rows must be mended before it can be run."""


def init_task(
    data: str | Path,
    *,
    said: Said = Said(),
    dev: str | Path | None = None,
    test: str | Path | None = None,
    phrases: Sequence[str] = (),
    delimiter: str | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> Initial:
    """Look at a file of rows, guess its kind and fields, and write a task file beside it.

    Args:
        data: CSV, TSV, JSONL or Parquet; the rows to learn from.
        said: what need not be guessed.
        dev, test: files of the other splits, with the same columns.
        phrases: natural phrases in place of the two that are made up.
        delimiter: of CSV; None: found from the first line.
        out: the task file; default: the data file's name with ``.yaml``.
        force: whether a file that is there may be replaced.

    Raises:
        Unclear: something cannot be guessed; it names the option that says it.
        DataError, TemplateError, ConfigError: the data or what was said cannot be used.
        RunError: the task file is there already.
    """
    path = Path(data)
    if path.is_dir():
        raise DataError(
            "is a folder",
            where=str(path),
            hint="name the file of rows to learn from: mto init FOLDER/train.csv",
        )
    target = Path(out) if out is not None else path.with_suffix(".yaml")
    if target.suffix not in (".yaml", ".yml"):
        raise DataError(
            "a task file ends in .yaml", where=str(target), hint=f"--out {target.with_suffix('.yaml')}"
        )
    if target.exists() and not force:
        raise RunError(
            "is there already", where=str(target), hint="choose another name with --out, or --force"
        )
    form = FORMATS.get(path.suffix.lower())
    between = delimiter or (find_delimiter(path, ()) if form == "csv" else ",")
    table = read_table(path, delimiter=between)
    found = guess(table, said)
    _check_phrases(phrases, found)
    draft = _draft(
        path, target, table, found, phrases, between if form == "csv" else None, dev=dev, test=test
    )
    return _write(draft, target)


def _draft(
    path: Path,
    target: Path,
    table: Table,
    found: Guess,
    phrases: Sequence[str],
    delimiter: str | None,
    *,
    dev: str | Path | None,
    test: str | Path | None,
) -> Draft:
    folder = path.parent.resolve()
    others = {name: Path(file) for name, file in (("dev", dev), ("test", test)) if file is not None}
    for file in others.values():
        read_table(
            file, delimiter=delimiter or ","
        )  # what is wrong with it is said before anything is written
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", path.stem).strip("-_.") or "task"
    relations = (found.relations or (name,)) if found.kind == "completion" else ("",)
    kept = _kept(table, found, name)
    return Draft(
        name=name,
        file=os.path.relpath(target),
        folder=Path(os.path.relpath(folder, target.parent.resolve())).as_posix(),
        splits={"train": path.name, **{n: Path(os.path.relpath(f.resolve(), folder)).as_posix() for n, f in others.items()}},
        delimiter=None if delimiter == "," else delimiter,
        inputs=_heads(table, found) if found.kind == "completion" else len(kept),
        counts=Counter(example.targets[0] for example in kept) if found.labels else {},
        phrases={relation: tuple(phrases) or two_phrases(found, relation) for relation in relations},
        found=found,
    )  # fmt: skip


def _kept(table: Table, found: Guess, name: str) -> tuple[Example, ...]:
    """The examples that a run will have of the table; none of a completion, whose inputs are counted otherwise."""
    if found.kind == "completion":
        return ()
    data = ItemData(
        splits=Splits(train=table.name),
        columns=ItemColumns.model_validate(found.columns),
        answers=found.answers or "index",
        odd_rows="drop",
    )
    labels = {value.casefold(): label for label, values in found.labels.items() for value in values}
    return read_items(table, Reading(found.kind, data, name, labels or None)).examples


def _heads(table: Table, found: Guess) -> int:
    """How many different heads the table holds."""
    place = table.columns.index(str(found.columns["head"]).split(".")[0])
    return len({head for _, cells in table.rows if cells and (head := fold_case(text_of(cells[place])))})


def _check_phrases(phrases: Sequence[str], found: Guess) -> None:
    """Raise `TemplateError` for the user's own phrases before they stand in a file that is not there yet."""
    inputs = [
        name
        for name in found.columns
        if name not in ("tail", "relation", "choices", "answer", "label", "target")
    ]
    fields = tuple(dict.fromkeys((*inputs, "relation", "head")))
    problems = [
        problem
        for phrase in phrases
        for problem in phrase_problems(
            phrase, fields, f"phrase {phrase!r}", choices=found.kind == "multiple-choice"
        )
    ]
    if problems:
        raise TemplateError("\n".join(map(str, problems)))


def _write(draft: Draft, target: Path) -> Initial:
    """Write the file under another name, load it, and give it its name when it works."""
    trial = target.with_name(f".{target.stem}.new.yaml")
    relations = tuple(draft.phrases)
    try:
        write_text(trial, task_yaml(draft))
        task = _load(trial, relations[0])
        examples = tuple(
            (example.where, _written(task, example)) for example in (*task.train, *task.test)[:SHOWN_EXAMPLES]
        )
        trial.replace(target)
    except (ConfigError, TemplateError) as error:
        # The lines of a file that is not there help nobody.
        shown = [
            text and re.sub(rf"{re.escape(str(trial))}(:\d+)?", str(target), text)
            for text in (error.message, error.where)
        ]
        raise type(error)(shown[0] or "", where=shown[1], hint=error.hint) from None
    finally:
        trial.unlink(missing_ok=True)
    blocked = task.kind != "completion" and _blocked(target)
    found, held = draft.found, hold_out_for(draft.inputs)
    return Initial(
        path=target,
        task=f"{target}/{relations[0]}" if len(relations) > 1 else str(target),
        kind=found.kind,
        columns=dict(found.columns),
        labels=dict(found.labels),
        unread=found.unread,
        reasons=found.reasons,
        phrases=tuple(draft.phrases[relations[0]]),
        inputs=draft.inputs,
        scored="test file" if "test" in draft.splits else f"{held} inputs held out" if held else "k-fold",
        examples=examples,
        warnings=tuple(map(str, task.warnings)),
        blocked=blocked,
    )


def _blocked(path: Path) -> bool:
    """Whether the file as it was written is refused for its rows."""
    try:
        load_task(path)
    except DataError:
        return True
    return False


def _load(path: Path, relation: str) -> Task:
    """The task; rows that cannot be used are told, not refused: the user mends them with the help of `mto validate`."""
    file, _ = read_any_task_file(path)
    if not isinstance(file, ItemFile):
        return load_task(path, relation=relation)
    lenient = file.data.model_copy(update={"odd_rows": "drop"})
    return item_task(file.model_copy(update={"data": lenient}), path, None, phrases=(), type=None)


def _written(task: Task, example: Example) -> tuple[Written, ...]:
    from mto.pipeline.kinds import FAMILIES_OF

    rows = []
    for name in FAMILIES_OF[task.kind]:
        template = task.form.template(get_family(name), phrase=task.phrases[0], fields=task.fields)
        answer = example.targets[0]
        right = example.choices.index(answer) if example.choices else None
        text = task.form.written(answer, natural=template.phrase is not None)
        rendered = template.render(example.fields, text, right)
        rows.append(Written(template.family.title, plain_text(rendered.source), plain_text(rendered.target)))
    return tuple(rows)
