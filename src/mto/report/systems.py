"""The systems that a table compares: families, the aligned way, the conventional one, and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mto.report.matrices import Matrices, Matrix, matrix
from mto.report.results import Baseline, BaselineName, Cell
from mto.report.titles import chooser
from mto.report.values import Kind

BASELINES: dict[BaselineName, str] = {
    "nearest head": "copy: nearest head",
    "most frequent tail": "copy: most frequent tail",
    "most frequent answer": "most frequent answer",
    "guessing": "guessing",
}
"""Every baseline with what a table calls it."""


@dataclass(frozen=True)
class System:
    """One system of a table: its entries task by task, and its scores as matrices."""

    key: str
    kind: Kind
    label: str
    entries: tuple[tuple[Cell | Baseline, ...], ...]
    matrices: tuple[Matrix, ...]


def find_systems(lookup: Matrices, tasks: Sequence[str]) -> dict[str, System]:
    """Every row of a table that has scores for all these tasks."""
    comparison, stage = lookup.comparison, lookup.comparison.stage
    rows: list[tuple[str, Kind, str, list[Sequence[Cell | Baseline]]]] = []
    for family in comparison.families:
        cells = [lookup.cells(task, family.name, stage) for task in tasks]
        rows.append((family.name, "family", family.title, [*cells]))
    if stage == "tuned":
        aligned = [lookup.aligned_cells(task, "tuned") for task in tasks]
        rows.append(("aligned", "aligned", f"aligned (by {chooser(comparison)})", [*aligned]))
        if (plain := comparison.conventional) is not None:
            cells = [lookup.cells(task, plain.name, stage) for task in tasks]
            rows.append(("conventional", "conventional", f"conventional ({plain.title})", [*cells]))
        untuned = [lookup.aligned_cells(task, "zero-shot") for task in tasks]
        rows.append(("zero-shot", "zero-shot", "aligned, zero-shot", [*untuned]))
    for name, label in BASELINES.items():
        found = [lookup.baselines(task, name) for task in tasks]
        if all(comparison.metric in baseline.scores for several in found for baseline in several):
            rows.append((name, "baseline", label, [*found]))
    return {
        key: System(
            key,
            kind,
            label,
            tuple(tuple(e) for e in entries),
            tuple(
                matrix(e, comparison.metric, len(lookup.seeds(t)))
                for e, t in zip(entries, tasks, strict=True)
            ),
        )
        for key, kind, label, entries in rows
        if all(entries)
    }
