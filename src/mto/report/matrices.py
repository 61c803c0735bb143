"""Scores of a comparison as matrices ``[seeds, heads]``, on the same seeds for all families."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mto.report.results import Baseline, BaselineName, Cell, Comparison, Stage

Matrix = NDArray[np.float64]


class Matrices:
    """Look-ups over one comparison.

    Families are compared on the seeds that are *complete* for a task: every family has its cell, and one
    is chosen (where one is chosen at all). A family must not look better because its hard seed is still missing.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._cells = {(c.task, c.family, c.stage, c.seed): c for c in comparison.cells}
        self._baselines = {(b.task, b.name, b.seed): b for b in comparison.baselines}
        self._choices = {(c.task, c.seed): c.family for c in comparison.choices}
        self._families = tuple(family.name for family in comparison.families)

    def seeds(self, task: str) -> tuple[int, ...]:
        """The complete seeds of a task."""
        stage = self.comparison.stage
        return tuple(
            seed
            for seed in self.comparison.seeds
            if all((task, family, stage, seed) in self._cells for family in self._families)
            and (not self._choices or (task, seed) in self._choices)
        )

    def tasks(self) -> tuple[str, ...]:
        """Tasks with at least one complete seed."""
        return tuple(task.name for task in self.comparison.tasks if self.seeds(task.name))

    def cells(self, task: str, family: str, stage: Stage) -> list[Cell]:
        """Cells of a family on the complete seeds; zero-shot ones may be there for one seed only."""
        found = [self._cells.get((task, family, stage, seed)) for seed in self.seeds(task)]
        if stage == "zero-shot" and not all(found):
            found = [self._cells.get((task, family, stage, seed)) for seed in self.comparison.seeds]
        return [cell for cell in found if cell is not None]

    def aligned_cells(self, task: str, stage: Stage) -> list[Cell]:
        """For each complete seed the cell of the aligned family; empty where one is missing."""
        found = []
        for seed in self.seeds(task):
            family = self._choices.get((task, seed))
            if family is None:
                return []
            at = self._cells.get((task, family, stage, seed))
            if at is None and stage == "zero-shot":
                at = next(iter(self.cells(task, family, stage)), None)
            if at is None:
                return []
            found.append(at)
        return found

    def baselines(self, task: str, name: BaselineName) -> list[Baseline]:
        """A baseline on the complete seeds; empty where one is missing."""
        found = [self._baselines.get((task, name, seed)) for seed in self.seeds(task)]
        return [b for b in found if b is not None] if all(found) else []

    def choices(self, task: str) -> list[str]:
        """The families that were chosen, one a complete seed."""
        return [self._choices[task, seed] for seed in self.seeds(task) if (task, seed) in self._choices]


def matrix(entries: Sequence[Cell | Baseline], metric: str, seeds: int) -> Matrix:
    """Scores ``[seeds, heads]``; a single row stands for every seed."""
    rows = np.array([entry.scores[metric] for entry in entries], dtype=np.float64)
    return np.repeat(rows, seeds, axis=0) if len(rows) == 1 and seeds > 1 else rows
