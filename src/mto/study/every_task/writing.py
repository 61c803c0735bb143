"""How the page of the study writes names and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from mto.evaluate.statistics import Interval, crossed_bootstrap
from mto.report.numbers import NONE, estimate
from mto.report.titles import metric_title
from mto.study.every_task.judged import first_model
from mto.study.every_task.results import EveryTaskResults, Facts, Matrix
from mto.templates import get_family

KINDS = {
    "multiple-choice": "Multiple choice",
    "classification": "Classification",
    "text-to-text": "Text to text",
    "completion": "Completion",
}


def kinds(results: EveryTaskResults) -> list[str]:
    """The kinds of task that are there, in the order of the table of kinds."""
    there = {task.kind for task in results.tasks}
    return [kind for kind in KINDS if kind in there]


def metrics(results: EveryTaskResults) -> list[str]:
    """The first metrics of the tasks."""
    return list(dict.fromkeys(task.metric for task in results.tasks))


def of_kind(results: EveryTaskResults, kind: str) -> list[Facts]:
    """The tasks of a kind."""
    return [task for task in results.tasks if task.kind == kind]


def title(family: str) -> str:
    """What a family is called in tables."""
    return get_family(family).title


def said(metric: str) -> str:
    """What a metric is called in a sentence."""
    return "right by ranking, %" if metric == "rank_sum" else metric_title(metric)


def bits(interval: Interval | None) -> str:
    """Bits with their sign and interval, two decimals.

    >>> bits(Interval(-0.123, -0.2, 0.001, 0.95, 2000, 5, 200))
    '−0.12 [−0.20, 0.00]'
    """
    if interval is None:
        return NONE
    low, high = (_signed(value) for value in (interval.low, interval.high))
    return f"{_signed(interval.mean)} [{low}, {high}]"


def _signed(value: float) -> str:
    rounded = round(value, 2) + 0.0
    return "0.00" if rounded == 0 else f"{rounded:+.2f}".replace("-", "−")


def mean(matrices: Sequence[Matrix]) -> str:
    """Mean over tasks with its interval; a dash where there is nothing."""
    return estimate(crossed_bootstrap(list(matrices))) if matrices else NONE


def model_name(results: EveryTaskResults, model: str) -> str:
    """A checkpoint with its objectives."""
    name, told = short(model), sorted(results.objectives.get(model, {}).items())
    shares = [f"{share:.0%} {objective}" for objective, share in told if share > 0]
    return f"{name} ({', '.join(shares)})" if shares else name


def short(model: str) -> str:
    """The last part of a checkpoint's name."""
    return PurePath(model).name or model


def first_name(results: EveryTaskResults) -> str:
    """The first checkpoint's name."""
    return short(first_model(results))
