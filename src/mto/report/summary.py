"""From single scores to what a report says: means with intervals, paired tests, the gain, and a reading of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mto.evaluate.statistics import Gain, gain
from mto.report.lines import make_line
from mto.report.matrices import Matrices
from mto.report.pairs import paired_tests
from mto.report.reading import read
from mto.report.results import Comparison
from mto.report.systems import System, find_systems
from mto.report.titles import task_labels
from mto.report.values import PairTest, Scope, Summary

FEW_HEADS, FEW_SEEDS = 50, 3  # below these a comparison is an illustration
ALL = "all tasks"


def summarise(comparison: Comparison) -> Summary:
    """Means with crossed-bootstrap intervals, paired tests, the gain of docs/method.md 9, and a reading.

    Everything is computed on the seeds that are complete for all families, and over several tasks as the mean of
    task means. Tests: sign flips per head on the mean over seeds. Holm's correction is over all pairs of the table
    of all tasks together, and over all pairs of all single tasks together. Deterministic.
    """
    lookup = Matrices(comparison)
    ready = lookup.tasks()
    single = [find_systems(lookup, (task,)) for task in ready]
    tasks = tuple(
        _scope(lookup, task, (task,), systems, tests)
        for task, systems, tests in zip(ready, single, paired_tests(single), strict=True)
    )
    whole = tasks[0] if len(tasks) == 1 else None
    if len(tasks) > 1:
        systems = find_systems(lookup, ready)
        whole = _scope(lookup, ALL, ready, systems, paired_tests([systems])[0])
    return Summary(
        whole=whole,
        tasks=tasks,
        reading=read(comparison, whole, tasks),
        illustration=illustration(comparison, whole),
        missing=comparison.missing,
    )


def _scope(
    lookup: Matrices,
    name: str,
    tasks: Sequence[str],
    systems: Mapping[str, System],
    tests: tuple[PairTest, ...],
) -> Scope:
    found, reason = None, None
    if "aligned" in systems and "conventional" in systems:
        found = gain(systems["aligned"].matrices, systems["conventional"].matrices)
        reason = found.reason
    elif lookup.comparison.stage == "zero-shot":
        reason = "without labelled examples no family is chosen, so none is aligned"
    else:
        missing = "aligned" if "aligned" not in systems else "conventional"
        reason = f"there is no {missing} family to compare with"
    return make_scope(lookup, name, tasks, systems, tests, gained=found, reason=reason)


def make_scope(
    lookup: Matrices,
    name: str,
    tasks: Sequence[str],
    systems: Mapping[str, System],
    tests: tuple[PairTest, ...],
    *,
    gained: Gain | None = None,
    reason: str | None = None,
) -> Scope:
    """What a table shows of some tasks: a line for each system, with the tests that were made.

    Args:
        gained: of the aligned way over the conventional one; None: not shown, for the `reason` where there is one.
    """
    return Scope(
        name=name,
        label=task_labels(lookup.comparison).get(name, name),
        tasks=tuple(tasks),
        seeds=min(len(lookup.seeds(task)) for task in tasks),
        heads=sum(m.shape[1] for m in next(iter(systems.values())).matrices),
        lines=tuple(make_line(lookup, tasks, system) for system in systems.values()),
        tests=tests,
        gain=gained,
        no_gain=reason,
    )


def illustration(comparison: Comparison, whole: Scope | None) -> str | None:
    """Why the figures are an illustration only, with their n."""
    if whole is None:
        return None
    few = []
    if whole.heads < FEW_HEADS:
        few.append(f"fewer than {FEW_HEADS} heads")
    if whole.seeds < FEW_SEEDS and comparison.stage == "tuned":
        few.append(f"fewer than {FEW_SEEDS} seeds")
    if not few:
        return None
    n = f"n = {whole.heads} test heads"
    if comparison.stage == "tuned":
        n += f" and {whole.seeds} seed{'s' if whole.seeds != 1 else ''} a task"
    return f"An illustration, not evidence: {n} ({' and '.join(few)})."
