"""What a run does where nobody says, by the kind of its tasks: metrics, families, and how many test rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import DataError
from mto.evaluate.scores import RANKED_METRICS
from mto.pipeline.config import METRICS, C, CompareConfig
from mto.tasks import ItemFile, Kind, Task, TaskFile, is_rows_file, read_any_task_file, task_files
from mto.templates import BASIC, BASIC_CHOICE, CHOICE_SOFT, SOFT

if TYPE_CHECKING:
    from mto.pipeline.inputs import TaskInput

METRICS_OF: dict[Kind, tuple[str, ...]] = {
    "multiple-choice": RANKED_METRICS,
    "classification": RANKED_METRICS,
    "text-to-text": ("rouge_l", "bleu", "chrf", "exact_match"),
}
"""Completion has those of the configuration itself."""
FAMILIES_OF: dict[Kind, tuple[str, ...]] = {
    "completion": BASIC,
    "multiple-choice": ("mapping", "masked-mapping", "answer-prompting", "masked-answer-prompting"),
    "classification": BASIC,
    "text-to-text": BASIC,
}
"""The conventional family, its masked form, and those that the two objectives are aligned with (docs/method.md 1, 3)."""
ALL = "all"
ALL_OF: dict[Kind, tuple[str, ...]] = {
    **FAMILIES_OF,
    "multiple-choice": BASIC_CHOICE,
}
"""What ``--families all`` stands for."""
MAX_TEST = 500
"""Test rows at most, of other kinds than completion."""


def kind_of(ref: str, given: Mapping[str, Task] | None = None) -> Kind:
    """The kind of a task, from its file alone: no row is read. What cannot be found is told when it is loaded.

    >>> kind_of("household/ObjectUse")
    'completion'
    """
    if given and ref in given:
        return given[ref].kind
    file = _file_of(ref)
    return file.kind if file is not None else "completion"


def _file_of(ref: str) -> TaskFile | ItemFile | None:
    """The task file that a name stands for, where there is one."""
    if is_rows_file(ref):
        return None
    path = Path(re.split(r"(?<=\.yaml)[/:]|(?<=\.yml)[/:]", ref)[0])
    if path.suffix not in (".yaml", ".yml"):
        name = re.split(r"[/:]", ref)[0]
        if name not in task_files:
            return None
        path = task_files.get(name)
    return read_any_task_file(path)[0] if path.is_file() else None


def _usual_shots(config: CompareConfig, given: Mapping[str, Task]) -> int | None:
    """The fewest labelled rows that the files of small tasks ask for."""
    files = [_file_of(ref) for ref in config.tasks if ref not in given]
    asked = [file.shots for file in files if isinstance(file, ItemFile) and file.shots is not None]
    return min(asked, default=None)


def with_kind(config: C, given: Mapping[str, Task]) -> C:
    """The configuration with what is usual for the kind of its tasks, where nobody said otherwise.

    Raises:
        DataError: the tasks are of several kinds: their scores cannot be averaged.
    """
    kinds = {ref: kind_of(ref, given) for ref in config.tasks}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{ref} is {kind}" for ref, kind in kinds.items())
        raise DataError(f"tasks of several kinds in one run: {told}", hint="make a run for each kind")
    kind = next(iter(kinds.values()))
    said = config.model_fields_set
    changes: dict[str, Any] = {}
    if kind == "completion":
        if config.families == (ALL,):
            changes["families"] = SOFT if config.soft else BASIC
        if config.rank_tails is not None and "metrics" not in said:
            changes["metrics"] = (*METRICS, *(name for name in RANKED_METRICS if name.startswith("rank")))
        return config.model_copy(update=changes) if changes else config
    if config.rank_tails is not None:
        raise DataError(
            f"rank_tails is for completion tasks, and these are {kind}", hint="leave --rank-tails out"
        )
    if config.families == (ALL,):
        changes["families"] = _soft_of(kind) if config.soft else ALL_OF[kind]
    metrics = config.metrics if "metrics" in said else METRICS_OF[kind]
    if "metrics" not in said:
        changes["metrics"] = metrics
    if "metric" not in config.tune.model_fields_set:
        changes["tune"] = config.tune.model_copy(update={"metric": metrics[0]})
    if "max_test" not in said:
        changes["max_test"] = MAX_TEST
    if config.shots is None and (shots := _usual_shots(config, given)) is not None:
        changes["shots"] = shots
    return config.model_copy(update=changes)


def usual_families(tasks: tuple[TaskInput, ...], *, soft: bool = False) -> tuple[str, ...]:
    """The families of a run that names none, for tasks of one kind; `soft`: those with soft prompts."""
    kind = tasks[0].form.kind if tasks else "completion"
    return _soft_of(kind) if soft else FAMILIES_OF[kind]


def _soft_of(kind: Kind) -> tuple[str, ...]:
    return (SOFT[0], *CHOICE_SOFT) if kind == "multiple-choice" else SOFT
