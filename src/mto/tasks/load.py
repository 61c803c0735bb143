"""Finding and loading tasks: from the library, a YAML file, a file of rows, or rows in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mto.config import parse
from mto.errors import DataError, TemplateError, UnknownNameError
from mto.registry import Registry, suggest
from mto.tasks.clean import Cleaned, Selection, all_warnings, clean, with_hold_out
from mto.tasks.columns import InputColumns
from mto.tasks.form import Kind
from mto.tasks.kinds import ItemFile
from mto.tasks.load_items import item_task, items_from_rows
from mto.tasks.read_file import fields_of, read_any_task_file
from mto.tasks.schema import Columns, Data, Keeper, Splits, TaskFile
from mto.tasks.shared_heads import keep_shared_heads
from mto.tasks.sources import DataLike, open_tables, tables_in_memory
from mto.tasks.tables import FORMATS, Table, cell_texts, find_delimiter, only_rows
from mto.tasks.task import Task, TaskSource, TaskType
from mto.templates import phrase_problems

LIBRARY = Path(__file__).parent / "library"
task_files: Registry[Path] = Registry("task", Path)
"""Task files by name: the library's, and those that a user or a plug-in adds."""
for _path in sorted(LIBRARY.glob("*.yaml")):
    task_files.register(_path.stem, _path)
_YAML = re.compile(r"^(.+?\.ya?ml)(?:[/:](.+))?$")


def library_text(name: str) -> Path:
    """The file of plain sentences that a task library carries beside its rows.

    Raises:
        UnknownNameError: no library of that name carries any.

    >>> library_text("household").name
    'sentences.txt'
    """
    found = {path.parent.name: path for path in sorted(LIBRARY.glob("*/sentences.txt"))}
    if name not in found:
        raise UnknownNameError(f"no task library '{name}' carries text", hint=suggest(name, found))
    return found[name]


@dataclass(frozen=True)
class TaskEntry:
    """One line of the task list. `needs_data`: the user must say where the data are, or have the hub within reach."""

    name: str
    type: TaskType | None
    title: str
    description: str
    needs_data: bool
    source: str
    kind: Kind = "completion"


def is_rows_file(ref: str | Path) -> bool:
    """Whether a task is given as a file of rows, by its ending."""
    return Path(str(ref)).suffix.lower() in FORMATS


def list_tasks() -> tuple[TaskEntry, ...]:
    """Every registered task, by data set and relation."""
    entries = []
    for name in task_files:
        file, _ = read_any_task_file(task_files.get(name))
        if isinstance(file, ItemFile):
            needs = file.data.folder is None
            entries.append(
                TaskEntry(name, file.type, file.title, file.description, needs, file.source, file.kind)
            )
            continue
        for relation, spec in file.relations.items():
            entries.append(
                TaskEntry(
                    f"{name}/{relation}",
                    spec.type,
                    file.title,
                    spec.description,
                    file.data.folder is None,
                    file.source,
                )
            )
    return tuple(entries)


def load_task(
    ref: str | Path | Task,
    *,
    data: DataLike | None = None,
    relation: str | None = None,
    phrases: Sequence[str] = (),
    type: TaskType | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
) -> Task:
    """Load one task.

    Args:
        ref: a library name (``household/ObjectUse``, ``commonsenseqa``), the path of a task file (``own.yaml``, with
            ``/Relation`` behind it where it holds several), the path of a file of rows (``own.csv``), or a task.
        data: where the rows are, in place of what the task file says: a folder, one file (used as train), a
            Hugging Face data set, rows, or a mapping from split to rows.
        relation: the relation, where `ref` does not name it.
        phrases: natural phrases in place of those of the task file.
        type: the task type in place of that of the task file.
        columns: for rows that are given (a file as `ref`, or `data`): which column holds which field, such as
            ``{"head": "QUESTION", "tail": "ANSWER"}``; other names than head, relation and tail become fields.
        delimiter: between the cells of a CSV file that is given; None: found from its first line.

    Raises:
        UnknownNameError: no such task or relation; the message suggests one.
        ConfigError: the task file does not fit the schema.
        TemplateError: a phrase is wrong.
        DataError: the data are missing or cannot be used (column, encoding, empty file, cells); or `columns` or
            `delimiter` are given and no rows.

    >>> task = load_task("household/ObjectUse")
    >>> task.type, len({example.id for example in task.test}) == len(task.test)
    ('mask-filling', True)
    """
    if isinstance(ref, Task):
        return ref
    text = str(ref)
    if is_rows_file(text):
        if data is not None:
            raise DataError(f"'{text}' already names the data", hint="leave data out, or give a task file")
        return _from_file(Path(text), relation, tuple(phrases), type, columns or {}, delimiter)
    if data is None and (columns or delimiter):
        hint = "give such a file in place of the task, or with --data (data=FILE)"
        raise DataError("columns and a delimiter are for a file of rows, and there is none", hint=hint)
    path, named = find_task_file(text)
    any_file, _ = read_any_task_file(path)
    if isinstance(any_file, ItemFile):
        if named or relation:
            raise UnknownNameError(
                f"'{any_file.name}' is one {any_file.kind} task and has no relations",
                hint=f"write {any_file.name}",
            )
        if columns or delimiter:
            hint = "write a task file of your own that names them (data.columns, data.delimiter)"
            raise DataError(f"columns and a delimiter cannot be given for a {any_file.kind} task", hint=hint)
        return item_task(any_file, path, data, phrases=tuple(phrases), type=type)
    file = any_file
    if named and relation and named != relation:
        raise UnknownNameError(f"'{text}' names relation '{named}', and '{relation}' was asked for as well")
    chosen = _choose(file, named or relation, path)
    spec = file.relations[chosen]
    name = f"{file.name}/{chosen}"
    described = _described(file.data, columns or {}, delimiter)
    origin, tables = open_tables(described, path.parent, data, name)
    selection = Selection(chosen, described.columns, len(file.relations) == 1, described.drop_tails)
    own = _checked(tuple(phrases), described.columns)
    return _build(
        name, origin, tables, selection, own or spec.phrases, type or spec.type,
        only=described.only, hold_out=described.hold_out, keeper=described.shared_heads, title=file.title, description=spec.description, licence=file.licence, wordings=spec.wordings,
    )  # fmt: skip


def task_from_rows(
    rows: DataLike,
    *,
    name: str = "own",
    relation: str | None = None,
    phrases: Sequence[str] = (),
    type: TaskType | None = None,
    columns: Mapping[str, str] | None = None,
    kind: Kind = "completion",
    labels: Mapping[str, Sequence[str]] | None = None,
    input: str | None = None,
) -> Task:
    """A task from rows in memory, or from a Hugging Face data set.

    Args:
        rows: mappings with ``head`` and ``tail`` (a text or a list), or a mapping from split to such rows. Of other kinds:
            ``question``, ``choices`` (a list) and ``answer`` (its text), ``text`` and ``label``, or ``source`` and ``target``.
        relation: its name for the Mapping family (default: `name`).
        columns: which key holds which field, where they are called otherwise; other names than head, relation
            and tail become fields of their own.
        kind: what the rows are.
        labels: of a classification: name of each label to its words. None: the labels that stand in the rows.
        input: of a classification: how its texts are laid out.

    Raises:
        DataError: a column is missing, a cell is no text, there are no rows, or rows are odd (see `mto.tasks.items`).
        ConfigError: `columns` names a field that cannot be.

    >>> task = task_from_rows([{"head": "hammer", "tail": ["pounding nails", "breaking glass"]}], name="Use")
    >>> task.train[0].targets
    ('pounding nails', 'breaking glass')
    """
    if kind != "completion":
        return items_from_rows(
            rows, kind, name, relation or name, tuple(phrases), type, columns or {}, labels, input
        )
    chosen = Columns(relation=None).named(columns or {})
    selection = Selection(relation or name, chosen, alone=True)
    own = _checked(tuple(phrases), chosen)
    return _build(name, name, tables_in_memory(rows, None, name), selection, own, type)


def find_task_file(ref: str) -> tuple[Path, str | None]:
    """The task file that a reference names, and the relation behind it.

    Raises:
        UnknownNameError: no such task in the library.
    """
    match = _YAML.match(ref)
    return (Path(match[1]), match[2]) if match else _in_library(ref)


def rows_description(ref: str | Path, said: Mapping[str, Any]) -> Data | None:
    """How a file of rows is read with what the user says of it; None where `ref` is no file of rows.

    Raises:
        ConfigError: `columns` names a field that cannot be.
    """
    path = Path(str(ref))
    if not is_rows_file(path):
        return None
    spec = _described(
        Data(folder=".", splits=Splits(train=path.name)), said.get("columns") or {}, said.get("delimiter")
    )
    if "delimiter" in spec.model_fields_set or FORMATS[path.suffix.lower()] != "csv":
        return spec
    return spec.model_copy(update={"delimiter": find_delimiter(path, spec.looked_for())})


def _checked(phrases: tuple[str, ...], columns: Columns) -> tuple[str, ...]:
    problems = [
        p for phrase in phrases for p in phrase_problems(phrase, fields_of(columns), f"phrase {phrase!r}")
    ]
    if problems:
        raise TemplateError("\n".join(map(str, problems)))
    return phrases


def _in_library(text: str) -> tuple[Path, str | None]:
    name, _, relation = text.replace(":", "/", 1).partition("/")
    if name not in task_files:
        raise UnknownNameError(
            f"no task is named '{text}'",
            hint=f"{suggest(name, task_files)}; your own task is a path that ends in .yaml, or in {', '.join(FORMATS)}",
        )
    return task_files.get(name), relation or None


def _choose(file: TaskFile, relation: str | None, path: Path) -> str:
    if relation is None and len(file.relations) == 1:
        return next(iter(file.relations))
    if relation is None:
        hint = f"write {file.name}/RELATION; relations: {', '.join(file.relations)}"
        raise UnknownNameError(f"'{file.name}' holds {len(file.relations)} relations", hint=hint)
    if relation not in file.relations:
        hint = suggest(relation, file.relations)
        where = None if path.parent == LIBRARY else str(path)  # where the package lies helps nobody
        raise UnknownNameError(f"'{file.name}' has no relation '{relation}'", hint=hint, where=where)
    return relation


def _described(data: Data, columns: Mapping[str, str], delimiter: str | None) -> Data:
    """A data description with what the user says of the rows."""
    values = data.model_dump(exclude_unset=True)
    if columns:
        values["columns"] = data.columns.named(columns)
    if delimiter is not None:
        values["delimiter"] = delimiter
    return parse(Data, values, source="the rows")


def _from_file(
    path: Path,
    relation: str | None,
    phrases: tuple[str, ...],
    type: TaskType | None,
    columns: Mapping[str, str],
    delimiter: str | None,
) -> Task:
    """A file of rows without a task file: its columns are head, tail, and perhaps relation, or those named."""
    spec = _described(Data(folder=str(path.parent), splits=Splits(train=path.name)), columns, delimiter)
    origin, tables = open_tables(spec, None, path, path.stem)
    chosen = relation or _only_relation(tables["train"], spec.columns) or path.stem
    selection = Selection(chosen, spec.columns, alone=True)
    try:
        return _build(path.stem, origin, tables, selection, _checked(phrases, spec.columns), type)
    except DataError as error:
        found = tables["train"].columns
        if len(found) < 2 or {spec.columns.head, spec.columns.tail} & set(found):
            raise
        # Neither is there: most likely the rows are questions or texts with labels.
        hint = (
            f"{error.hint}; or, where these are questions with choices, texts with labels, or texts that lead to texts, write a task "
            f"file first: mto init {path} (without one, rows are read as a completion: head and tail)"
        )
        raise DataError(error.message, where=error.where, hint=hint) from None


def _only_relation(table: Table, columns: Columns) -> str | None:
    if columns.relation not in table.columns:
        return None
    place = table.columns.index(columns.relation)
    rows = ((f"{table.path}:{line}", cells) for line, cells in table.rows if cells)
    found = list(dict.fromkeys(cell_texts(cells[place], where)[0] for where, cells in rows))
    if len(found) > 1:
        hint = f"choose one with --relation (relation=…): {', '.join(found[:20])}"
        raise UnknownNameError(f"the file holds {len(found)} relations", where=table.path, hint=hint)
    return found[0] or None


def _build(
    name: str,
    origin: str,
    tables: Mapping[str, Table],
    selection: Selection,
    phrases: Iterable[str],
    type: TaskType | None,
    only: Mapping[str, str] | None = None,
    hold_out: int | None = None,
    keeper: Keeper = "train",
    **about: Any,
) -> Task:
    cleaned: dict[str, Cleaned] = {
        split: clean(only_rows(table, only or {}), selection) for split, table in tables.items()
    }
    if not cleaned["train"].examples:
        raise DataError(_nothing_left(cleaned["train"], selection), where=tables["train"].path)
    splits = {split: part.examples for split, part in cleaned.items()}
    splits = keep_shared_heads(splits, keeper, tables["train"].path)
    warnings = all_warnings(cleaned, splits, {split: table.path for split, table in tables.items()})
    splits = with_hold_out(splits, hold_out, tables["train"].path)
    return Task(
        name=name,
        relation=selection.relation,
        type=type,
        phrases=tuple(phrases),
        fields=fields_of(selection.columns),
        train=splits["train"],
        dev=splits.get("dev", ()),
        test=splits.get("test", ()),
        source=TaskSource(origin, {split: table.sha256 for split, table in tables.items()}),
        warnings=warnings,
        columns=InputColumns.of({"head": selection.columns.head, **selection.columns.others}),
        **about,
    )


def _nothing_left(part: Cleaned, selection: Selection) -> str:
    others = [relation for relation in part.relations if relation != selection.relation]
    if selection.relation not in part.relations and others:
        return f"no row has the relation '{selection.relation}': {suggest(selection.relation, others)}"
    return f"no usable row for '{selection.relation}' ({len(part.warnings)} rows were left out)"
