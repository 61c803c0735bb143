"""A whole run as a comparison whose "families" are its systems, so that the tables and plots of comparisons draw it."""

from __future__ import annotations

from mto.report.results import Cell, Comparison, FamilyInfo, SweepInfo, SweepPoint
from mto.report.whole.results import SYSTEMS, SystemCell, WholeResults


def as_comparison(results: WholeResults) -> Comparison:
    """The comparison of systems. It has no choices: what is aligned was settled before anything was tuned."""
    return Comparison(
        title=results.title,
        command=results.command,
        environment=results.environment,
        settings=results.settings,
        hours=results.hours,
        model=results.model,
        shots=results.shots,
        seeds=results.seeds,
        metric=results.metric,
        ranking=results.ranking,
        signatures=results.signatures,
        tasks=results.tasks,
        families=tuple(FamilyInfo(name=key, title=SYSTEMS[key]) for key in results.systems),
        cells=tuple(_cell(cell) for cell in results.cells),
        baselines=results.baselines,
        sweeps=tuple(sweep for cell in results.cells if (sweep := _sweep(cell)) is not None),
    )


def _cell(cell: SystemCell) -> Cell:
    values = {name: getattr(cell, name) for name in Cell.model_fields if name != "family"}
    return Cell(family=cell.system, **values)


def _sweep(cell: SystemCell) -> SweepInfo | None:
    """The point of the sweep that dev data chose."""
    if cell.stage != "tuned" or cell.rate is None or cell.steps is None:
        return None
    point = SweepPoint(rate=cell.rate, steps=cell.steps, nats_per_byte=0.0, metric=0.0)
    return SweepInfo(task=cell.task, family=cell.system, seed=cell.seed, points=(), chosen=point)
