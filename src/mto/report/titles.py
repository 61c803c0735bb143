"""What metrics and tasks are called in a table, and what must be said beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from mto.errors import MtoError
from mto.evaluate.metrics import metrics
from mto.report.results import Comparison, TaskInfo


def metric_title(name: str) -> str:
    """The title of a metric; its name when this installation does not know it.

    >>> metric_title("rouge_l"), metric_title("my_own")
    ('ROUGE-L', 'my_own')
    """
    try:
        return metrics.get(name).title
    except MtoError:
        return name


def metric_remark(name: str) -> str | None:
    """What must stand beside every figure of a metric, if anything."""
    try:
        return metrics.get(name).remark
    except MtoError:
        return None


def task_labels(comparison: Comparison) -> dict[str, str]:
    """Task name to what it is called: its relation, or its full name where two tasks share a relation."""
    return labels_of(comparison.tasks)


def labels_of(tasks: Sequence[TaskInfo]) -> dict[str, str]:
    """`task_labels` of some tasks."""
    relations = [task.relation for task in tasks]
    return {task.name: task.relation if relations.count(task.relation) == 1 else task.name for task in tasks}


def short_labels(tasks: Sequence[TaskInfo], names: Sequence[str]) -> list[str]:
    """What some of the tasks are called."""
    labels = labels_of(tasks)
    return [labels[name] for name in names]


def nearest_copy(tasks: Sequence[TaskInfo]) -> str:
    """What copying the nearest few-shot row copies, as its tasks call it."""
    kinds = {task.kind for task in tasks}
    if kinds == {"completion"}:
        return "the tail of the nearest few-shot head"
    return f"the {'label' if kinds == {'classification'} else 'answer'} of the nearest few-shot row"


def chooser(comparison: Comparison) -> str:
    """What named the aligned families: ``matching``, ``dev data``, or both where some splits could not be matched."""
    by = {choice.by for choice in comparison.choices}
    return {("match",): "matching", ("dev", "match"): "matching or dev data"}.get(
        tuple(sorted(by)), "dev data"
    )


def model_name(comparison: Comparison) -> str:
    """What the model is called: a name as it stands, of a path the last part."""
    ref = comparison.model.ref
    return (PurePath(ref).name or ref) if ref.startswith(("/", ".", "~")) else ref
