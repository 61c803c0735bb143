"""One row of a table from the entries of one system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mto.evaluate.statistics import crossed_bootstrap
from mto.report.matrices import Matrices
from mto.report.results import Baseline, Cell
from mto.report.systems import System
from mto.report.values import Line


def make_line(lookup: Matrices, tasks: Sequence[str], system: System) -> Line:
    """Means, shares, choices and chosen points of a system over some tasks."""
    comparison = lookup.comparison
    flat = [entry for entries in system.entries for entry in entries]
    cells = [entry for entry in flat if isinstance(entry, Cell)]
    choices = [family for task in tasks for family in lookup.choices(task)]
    family = system.key if system.kind == "family" else None
    if system.key == "conventional" and comparison.conventional is not None:
        family = comparison.conventional.name
    zero: list[Sequence[Cell]] = []
    if system.kind == "aligned":
        zero = [lookup.aligned_cells(task, "zero-shot") for task in tasks]
    elif family is not None:
        zero = [lookup.cells(task, family, "zero-shot") for task in tasks]
    shared = set.intersection(*(set(entry.scores) for entry in flat))
    return Line(
        key=system.key,
        kind=system.kind,
        label=system.label,
        family=family,
        score=crossed_bootstrap(system.matrices),
        metrics={m: _mean(system.entries, m) for m in sorted(shared)},
        zero_shot=_mean(zero, comparison.metric) if zero and all(zero) else None,
        chosen=choices.count(family) if choices and system.kind == "family" and family else None,
        cells=len(choices),
        empty=_share([c.empty for c in cells]),
        unasked=_share([c.unasked for c in cells]),
        distinct=_share([e.distinct for e in flat]),
        points=_points(lookup, system) if comparison.stage == "tuned" else (),
        words_lost=sum(c.words_lost for c in cells),
        seconds=sum(c.seconds for c in cells),
        corpus=_corpus(system.entries),
    )


def _mean(entries: Sequence[Sequence[Cell | Baseline]], metric: str) -> float:
    """Mean over tasks of the mean over seeds and heads."""
    return float(np.mean([np.mean([e.scores[metric] for e in several]) for several in entries]))


def _corpus(entries: Sequence[Sequence[Cell | Baseline]]) -> dict[str, float] | None:
    """Means of the measures that all entries have: over tasks of the mean over seeds."""
    flat = [entry.corpus for several in entries for entry in several]
    shared = [name for name in flat[0] if all(name in one for one in flat)] if flat else []
    return {
        name: float(np.mean([np.mean([e.corpus[name] for e in several]) for several in entries]))
        for name in shared
    } or None


def _share(shares: Sequence[float]) -> float | None:
    return 100 * float(np.mean(shares)) if shares else None


def _points(lookup: Matrices, system: System) -> tuple[tuple[float, int, int], ...]:
    """Chosen rate and steps of the tuned cells of a row, with how often, most often first."""
    if system.kind not in ("family", "aligned", "conventional"):
        return ()
    wanted = {
        (e.task, e.family, e.seed) for several in system.entries for e in several if isinstance(e, Cell)
    }
    counts = Counter(
        (sweep.chosen.rate if sweep.chosen.steps else 0.0, sweep.chosen.steps)
        for sweep in lookup.comparison.sweeps
        if (sweep.task, sweep.family, sweep.seed) in wanted
    )
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((rate, steps, times) for (rate, steps), times in ranked)
