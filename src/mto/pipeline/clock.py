"""How far a comparison is, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mto.pipeline.progress import RunStatus

if TYPE_CHECKING:
    from mto.pipeline.cells import CellId
    from mto.pipeline.planning import Plan


class Clock:
    """Weighs each cell by what the plan expects of it, and corrects the plan by what the cells really took."""

    def __init__(self, plan: Plan, cells: Sequence[CellId], waiting: Sequence[CellId]) -> None:
        self._plan, self._names = plan, {cell.step: str(cell) for cell in cells}
        # Cells of no expected length still count a little, so that the share moves.
        self._weight = {cell.step: max(plan.cell_seconds.get(cell.step, 0.0), 1e-3) for cell in waiting}
        self._share = dict.fromkeys(self._weight, 0.0)
        self._done, self._cells = len(cells) - len(waiting), len(cells)
        self._began = time.monotonic()

    def moved(self, step: str, share: float, what: str) -> RunStatus:
        """A cell has come so far (0 to 1, of its sweep)."""
        # Zero-shot and test evaluation lie outside the sweep, so a cell is not full before it is finished.
        self._share[step] = max(self._share[step], min(share, 1.0) * 0.97)
        return self._status(f"{self._names[step]}: {what}")

    def finished(self, step: str) -> RunStatus:
        """A cell is finished."""
        self._share[step] = 1.0
        self._done += 1
        return self._status(f"{self._names[step]}: done")

    def _status(self, text: str) -> RunStatus:
        total = sum(self._weight.values())
        through = sum(self._weight[step] * share for step, share in self._share.items())
        share = through / total if total else 1.0
        return RunStatus(self._done, self._cells, share, self._left(share), text)

    def _left(self, share: float) -> float | None:
        passed = time.monotonic() - self._began
        planned = self._plan.seconds * (1 - share)
        if share <= 0:
            return planned
        measured = passed / share * (1 - share)
        # At first the plan counts for more, later the clock does.
        trust = min(1.0, share * 5)
        return trust * measured + (1 - trust) * planned


def working_hours(events: Iterable[Mapping[str, Any]]) -> float:
    """Hours by the clock between each start and the last event of that session.

    >>> working_hours([{"kind": "start", "time": 0}, {"kind": "cell", "time": 3600}, {"kind": "start", "time": 9e9}])
    1.0
    """
    total, began, last = 0.0, None, 0.0
    for event in events:
        if event["kind"] == "start":
            total += last - began if began is not None else 0.0
            began = float(event["time"])
        last = float(event["time"])
    total += last - began if began is not None else 0.0
    return total / 3600
