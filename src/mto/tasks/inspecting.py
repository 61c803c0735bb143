"""Everything that is wrong or odd with a task's file and rows, at once, without a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mto.config import parse, read_yaml
from mto.errors import ConfigError, DataError, MtoError, TemplateError
from mto.tasks.balance import balance_findings
from mto.tasks.clean import Cleaned, Selection, clean, heads_in_two_splits, with_hold_out
from mto.tasks.form import Kind
from mto.tasks.from_examples import task_of_items, task_of_relation
from mto.tasks.items import check_classes, read_items
from mto.tasks.kinds import ItemFile
from mto.tasks.load import find_task_file, load_task, rows_description
from mto.tasks.load_items import cut, reading_of
from mto.tasks.read_file import read_any_task_file
from mto.tasks.schema import Source, TaskFile
from mto.tasks.shared_heads import LEAVE, MEND, keep_shared_heads
from mto.tasks.sources import open_tables
from mto.tasks.tables import Table, only_rows, read_table
from mto.tasks.task import DataWarning, Example, Task

Level = Literal["error", "warning"]
_PLACED = re.compile(r"(.+?:\d+): (.+)")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (``error``: the task cannot be used) or odd (``warning``).

    Attributes:
        check: such as ``duplicate-row``, ``overlap``, ``imbalance``, ``too-long``, ``file``, ``phrase``.
        where: ``file:line``, as far as there is one.
    """

    level: Level
    check: str
    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  -> {self.hint}" if self.hint else text


@dataclass(frozen=True)
class Inspected:
    """What was found, and what could be loaded all the same.

    Attributes:
        tasks: those whose rows can be used; of a completion file one a relation.
        tested: by task, how many of its test examples a run can test on.
        paths: file name in `Example.where` to the path of that file.
    """

    kind: Kind | None
    findings: tuple[Finding, ...]
    tasks: tuple[Task, ...]
    tested: Mapping[str, int]
    paths: Mapping[str, str]


def finding_of(error: MtoError, check: str) -> list[Finding]:
    """An error as findings: one a line where it lists several problems with their places."""
    lines = error.message.splitlines()
    if len(lines) > 1 and re.match(r"\d+ (problems|of \d+ rows)|problems with", lines[0]):
        found: list[Finding] = []
        for line in lines[1:]:
            if line.startswith("  -> ") and found:
                found[-1] = replace(found[-1], hint=line.removeprefix("  -> "))
            else:
                placed = _PLACED.match(line)
                where, text = (placed[1], placed[2]) if placed else ("", line)
                found.append(Finding("error", check, text, where))
        return found
    return [Finding("error", check, error.message, error.where or "", error.hint or "")]


def inspect_task(ref: str | Path, *, data: Any = None, **rows: Any) -> Inspected:
    """Look at a task, whatever is wrong with it.

    Args:
        ref: as for `mto.tasks.load_task`: a library name, a task file, or a file of rows.
        data: where the rows are, in place of what the task file says.
        rows: ``relation``, ``phrases``, ``columns`` and ``delimiter`` of a file of rows, as for `load_task`.

    Raises:
        UnknownNameError: no such task in the library.

    >>> found = inspect_task("household/ObjectUse")
    >>> found.kind, [task.name for task in found.tasks], found.findings
    ('completion', ['household/ObjectUse'], ())
    """
    return _Inspector().inspect(ref, data, rows)


class _Inspector:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.tasks: list[Task] = []
        self.tested: dict[str, int] = {}
        self.paths: dict[str, str] = {}

    def inspect(self, ref: str | Path, data: Any, rows: dict[str, Any]) -> Inspected:
        described = self._try("file", lambda: rows_description(ref, rows))
        if (
            described is not None
        ):  # a file of rows: its description is made up, and the task is loaded as usual
            tables = self._open(described, Path(str(ref)).parent, None, Path(str(ref)).stem)
            task = self._try("rows", lambda: load_task(ref, **rows)) if tables else None
            if task is not None:
                self._told(task.warnings, odd="error")
                self._add(task)
            return self._result("completion")
        if self.findings:
            return self._result(None)
        path, relation = find_task_file(str(ref))
        relation = relation or rows.get("relation")
        file = self._read(path)
        if file is None:
            return self._result(None)
        if isinstance(file, ItemFile):
            self._items(file, path, data)
            return self._result(file.kind)
        self._completion(file, path, data, relation)
        return self._result("completion")

    def _result(self, kind: Kind | None) -> Inspected:
        return Inspected(
            kind, tuple(dict.fromkeys(self.findings)), tuple(self.tasks), self.tested, self.paths
        )

    def _try(self, check: str, work: Callable[[], Any]) -> Any:
        """What the work gives; an error becomes a finding, and None is given."""
        try:
            return work()
        except MtoError as error:
            self.findings += finding_of(error, check)
            return None

    def _read(self, path: Path) -> TaskFile | ItemFile | None:
        """The task file; where only its phrases are wrong they are told, and the rows are looked at without them."""
        try:
            return read_any_task_file(path)[0]
        except TemplateError as error:
            self.findings += finding_of(error, "phrase")
        except ConfigError as error:
            self.findings += finding_of(error, "file")
            return None
        values, _ = read_yaml(path)
        if values.get("kind", "completion") == "completion":
            relations = {name: {**(spec or {}), "phrases": []} for name, spec in values["relations"].items()}
            return parse(TaskFile, {**values, "relations": relations})
        return parse(ItemFile, {**values, "phrases": []})

    def _open(self, spec: Source, base: Path, given: Any, name: str) -> dict[str, Table]:
        """The tables that can be read; each file is tried, whatever is wrong with the others."""
        folder = base / (spec.folder or ".")
        if given is None and spec.format != "huggingface" and spec.folder is not None and folder.is_dir():
            found = {
                split: table
                for split, file in spec.splits.named().items()
                if (table := self._try("file", partial(read_table, folder / file, spec.format, delimiter=spec.delimiter)))
            }  # fmt: skip
        else:
            opened = self._try("file", lambda: open_tables(spec, base, given, name))
            found = opened[1] if opened else {}
        self.paths |= {table.name: table.path for table in found.values()}
        return {split: only_rows(table, spec.only) for split, table in found.items()}

    def _items(self, file: ItemFile, path: Path, data: Any) -> None:
        reading = reading_of(file, data)
        tables = self._open(reading.data, path.parent, data, file.name)
        lenient = replace(reading, data=reading.data.model_copy(update={"odd_rows": "drop"}))
        parts: dict[str, Cleaned] = {}
        for split, table in tables.items():
            part = self._try("rows", partial(read_items, table, lenient))
            if part is not None:
                parts[split] = part
                self._told(part.warnings, odd="error" if reading.data.odd_rows == "error" else "warning")
        if file.kind == "classification" and "train" in parts and parts["train"].examples:
            self._try("labels", lambda: check_classes(parts["train"].examples, tables["train"].path))
        splits = self._splits(parts, tables, reading.data)
        # Errors in rows stop loading; what is left is looked at all the same.
        if splits.get("train"):
            self._add(task_of_items(file, reading, splits), reading.data.max_test)

    def _completion(self, file: TaskFile, path: Path, data: Any, relation: str | None) -> None:
        names = [relation] if relation else list(file.relations)
        if relation and relation not in file.relations:
            self._try("file", lambda: load_task(path, relation=relation))
            return
        tables = self._open(file.data, path.parent, data, file.name)
        for name in names:
            selection = Selection(name, file.data.columns, len(file.relations) == 1, file.data.drop_tails)
            parts: dict[str, Cleaned] = {}
            for split, table in tables.items():
                part = self._try("rows", partial(clean, table, selection))
                if part is not None:
                    parts[split] = part
                    self._told(part.warnings, odd="error")
            splits = self._splits(parts, tables, file.data, name)
            if splits.get("train"):
                self._add(task_of_relation(file, name, splits))
        self._unknown_relations(file, tables, names)

    def _unknown_relations(self, file: TaskFile, tables: Mapping[str, Table], names: list[str]) -> None:
        """Rows whose relation no part of the file speaks of are never read: silence would hide a misspelling."""
        column = file.data.columns.relation
        if len(names) < len(file.relations) or column is None:
            return
        for table in tables.values():
            if column not in table.columns:
                continue
            place = table.columns.index(column)
            first: dict[str, tuple[int, int]] = {}
            for line, cells in table.rows:
                text = str(cells[place] or "").strip() if cells else ""
                if text and text not in file.relations:
                    first[text] = (first.get(text, (line, 0))[0], first.get(text, (line, 0))[1] + 1)
            for text, (line, count) in first.items():
                message = f"{count} row{'s have' if count > 1 else ' has'} the relation '{text}', which the task file does not name"
                self.findings.append(
                    Finding("warning", "relation", message, f"{table.path}:{line}", "they are not read")
                )

    def _told(self, warnings: Iterable[DataWarning], *, odd: Level) -> None:
        for one in warnings:
            level: Level = odd if one.kind == "odd-row" else "warning"
            message = one.message.removesuffix(", row left out") if level == "error" else one.message
            hint = "mend it, or set data.odd_rows: drop" if level == "error" else ""
            check = "overlap" if one.kind == "head-in-two-splits" else one.kind
            self.findings.append(Finding(level, check, message, one.where, hint))

    def _splits(
        self,
        parts: Mapping[str, Cleaned],
        tables: Mapping[str, Table],
        spec: Source,
        relation: str = "",
    ) -> dict[str, tuple[Example, ...]]:
        splits = {split: part.examples for split, part in parts.items()}
        paths = {split: table.path for split, table in tables.items()}
        for split, examples in splits.items():
            if not examples:
                told = f" for '{relation}'" if relation else ""
                level: Level = "error" if split == "train" else "warning"
                self.findings.append(Finding(level, "rows", f"no usable row{told} in {split}", paths[split]))
        try:
            splits = keep_shared_heads(splits, spec.shared_heads, paths.get("train", ""))
        except DataError as error:
            self.findings += finding_of(error, "overlap")
            return {}
        self._told(heads_in_two_splits(splits, paths), odd="warning")
        if splits.get("train"):
            try:
                splits = with_hold_out(splits, spec.hold_out, paths["train"])
            except DataError as error:
                self.findings += finding_of(error, "file")
        return splits

    def _add(self, task: Task, max_test: int | None = None) -> None:
        self.tasks.append(task)
        # Every test row is looked at, a run reads those that its task file leaves it.
        self.tested[task.name] = len(replace(task, test=cut(task.test, max_test)).tested)
        if task.test and not self.tested[task.name]:
            where = self.paths.get(task.test[0].where.rpartition(":")[0], "")
            self.findings.append(Finding("error", "overlap", LEAVE, where, MEND))
        wrong_phrases = any(one.check == "phrase" for one in self.findings)
        self.findings += [
            Finding("warning", check, message, where, hint)
            for check, message, where, hint in balance_findings(task, self.paths)
            if not (check == "phrase" and wrong_phrases)
        ]
