"""Reading and checking a task's YAML file; no row is read."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from mto.config import Lines, parse, read_yaml
from mto.errors import ConfigError, TemplateError
from mto.registry import suggest
from mto.tasks.form import Kind
from mto.tasks.kinds import ItemFile, ItemKind
from mto.tasks.load_items import phrase_problems_of
from mto.tasks.schema import Columns, TaskFile
from mto.templates import phrase_problems


def read_task_file(path: str | Path) -> tuple[TaskFile, Lines]:
    """Read and check the YAML file of completion tasks, their phrases included.

    Raises:
        ConfigError, TemplateError: all problems at once, with lines; or it is a task of another kind.
    """
    file, lines = read_any_task_file(path)
    if isinstance(file, ItemFile):
        raise ConfigError(f"is a {file.kind} task, and a completion task is wanted here", where=str(path))
    return file, lines


def read_any_task_file(path: str | Path) -> tuple[TaskFile | ItemFile, Lines]:
    """Read and check a task's YAML file of any kind.

    Raises:
        ConfigError, TemplateError: all problems at once, with lines.
    """
    data, lines = read_yaml(path)
    if not isinstance(data, dict):
        hint = "a task file has the keys name, data and relations"
        raise ConfigError(
            f"expected a mapping at the top, found {type(data).__name__}", where=str(path), hint=hint
        )
    kind = data.get("kind", "completion")
    if kind in get_args(ItemKind):
        return _checked_items(parse(ItemFile, data, source=str(path), lines=lines), path, lines), lines
    if kind not in get_args(Kind):
        where = f"{path}:{lines[('kind',)]}"
        raise ConfigError(
            f"no kind of task is named '{kind}'", where=where, hint=suggest(str(kind), get_args(Kind))
        )
    file = parse(TaskFile, data, source=str(path), lines=lines)
    problems = []
    for relation, spec in file.relations.items():
        for key, phrases in (("phrases", spec.phrases), ("wordings", spec.wordings)):
            for number, phrase in enumerate(phrases):
                line = lines.get(("relations", relation, key, number))
                problems += phrase_problems(
                    phrase, fields_of(file.data.columns), f"{path}:{line}" if line else str(path)
                )
    if problems:
        raise TemplateError("\n".join([f"problems with phrases in {path}:", *map(str, problems)]))
    return file, lines


def _checked_items(file: ItemFile, path: str | Path, lines: Lines) -> ItemFile:
    """The file, if its phrases and its input hold together."""
    problems = phrase_problems_of(file, lambda *at: f"{path}:{lines[at]}" if at in lines else str(path))
    if problems:
        raise TemplateError("\n".join([f"problems with phrases in {path}:", *map(str, problems)]))
    return file


def fields_of(columns: Columns) -> tuple[str, ...]:
    """Names of the fields that phrases of completion tasks may hold."""
    return ("head", *columns.others, "relation")
