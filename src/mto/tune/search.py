"""The search over rates and steps on dev: every rate up the ladder, the grid extended at its edges, one choice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from mto.errors import TrainingError
from mto.tune.config import Settled
from mto.tune.ladder import Dev, climb
from mto.tune.learner import Learner
from mto.tune.progress import TuneCallback, TuneStatus
from mto.tune.rows import CellRows
from mto.tune.select import choose_point
from mto.tune.sweep import RateRun, Sweep, SweepPoint
from mto.tune.weights import Weights

EXTENSIONS = 2  # most rates that are added on one side of the grid
KEEP_BELOW = 2 << 30  # bytes; larger models are trained again to the chosen point, not copied when it is met


class Keeper:
    """Keeps the weights of the point that is best so far, so that it need not be trained again."""

    def __init__(self, learner: Learner, config: Settled, *, wanted: bool) -> None:
        size = sum(p.numel() * p.element_size() for p in learner.weights.parameters())
        self._learner, self._select = learner, config.select
        self._wanted = wanted and size < KEEP_BELOW
        self._kept: Weights | None = None
        self._point: SweepPoint | None = None

    def see(self, points: Sequence[SweepPoint]) -> None:
        """The model now holds the weights of the last of `points`."""
        if not self._wanted or choose_point(points, self._select) is not points[-1]:
            return
        self._point = points[-1]
        if self._kept is None:
            self._kept = Weights(self._learner.weights)
        else:
            self._kept.take()

    def put_back(self, point: SweepPoint) -> bool:
        """Put the weights of `point` into the model, if they are those that were kept."""
        if self._kept is None or self._point is not point:
            return False
        self._kept.restore()
        return True


def search(
    learner: Learner,
    rows: CellRows,
    config: Settled,
    start: Weights,
    keeper: Keeper,
    status: TuneStatus,
    progress: TuneCallback | None,
) -> Sweep:
    """Sweep the rates, extend the grid where the best one lies at its edge, and choose.

    Args:
        start: the weights that every rate starts from.
        keeper: sees every point while the model holds its weights.
        status: the cell, for `progress`.

    Raises:
        TrainingError: the training diverges at every rate before its first rung.
    """
    progress = progress or TuneCallback()
    rungs = [steps for steps in config.ladder if steps]
    waiting = list(config.rates) if rungs else []
    points: list[SweepPoint] = []
    runs: list[RateRun] = []
    added: list[float] = []
    untuned = None
    with_zero = config.ladder[0] == 0

    def where(rate: float, rung: int) -> TuneStatus:
        planned = len(runs) + len(waiting)
        return replace(
            status,
            rate=rate,
            rungs=with_zero + len(runs) * len(rungs) + rung,
            of_rungs=with_zero + planned * len(rungs),
            steps=len(runs) * (rungs or [0])[-1] + (rungs[rung - 1] if rung else 0),
            of_steps=planned * (rungs or [0])[-1],
        )

    progress.on_start(replace(where(0.0, 0), rungs=0))
    if with_zero:
        began = time.perf_counter()
        nats, metric = Dev(learner, rows, config)()
        untuned = SweepPoint(0.0, 0, nats, metric, time.perf_counter() - began)
        points.append(untuned)
        progress.on_rung(where(0.0, 0), untuned)
    while waiting:
        rate = waiting[0]

        def measured(point: SweepPoint) -> None:
            points.append(point)
            keeper.see(points)
            progress.on_rung(where(point.rate, rungs.index(point.steps) + 1), point)

        start.restore()
        runs.append(climb(learner, rows, config, rate, untuned, measured))
        waiting.pop(0)
        if not waiting and points and config.extend:
            new = _beyond(config.rates, [run.rate for run in runs], choose_point(points, config.select))
            if new is not None:
                waiting.append(new)
                added.append(new)
                progress.on_extend(where(new, 0), new)
    if not any(point.steps for point in points) and runs:
        raise TrainingError(f"the training diverges at every rate: {runs[0].message}", hint="try lower rates")
    chosen = choose_point(points, config.select)
    sweep = Sweep(
        points=tuple(points),
        chosen=chosen,
        rates=tuple(sorted(run.rate for run in runs)),
        extended=tuple(added),
        runs=tuple(runs),
        reason=_reason(chosen, points, config, added),
        metric=config.metric,
    )
    progress.on_end(where(chosen.rate, 0), chosen)
    return sweep


def _beyond(grid: Sequence[float], tried: Sequence[float], best: SweepPoint) -> float | None:
    """The next rate to try when the best one lies at the edge of what was tried, by the grid's own factor."""
    if best.steps == 0 or len(grid) < 2:
        return None
    if best.rate == max(tried) and sum(rate > grid[-1] for rate in tried) < EXTENSIONS:
        return float(f"{best.rate * grid[-1] / grid[-2]:.2g}")
    if best.rate == min(tried) and sum(rate < grid[0] for rate in tried) < EXTENSIONS:
        return float(f"{best.rate * grid[0] / grid[1]:.2g}")
    return None


def _reason(chosen: SweepPoint, points: Sequence[SweepPoint], config: Settled, added: Sequence[float]) -> str:
    rule = {
        "both": "the best mean rank by likelihood and metric",
        "likelihood": "the best likelihood",
        "metric": "the best metric",
    }[config.select]
    what = f"{chosen.steps} steps at {chosen.rate:g}" if chosen.steps else "no tuning"
    text = (
        f"{what}: {rule} of {len(points)} points on dev "
        f"({chosen.nats_per_byte:.3f} nats a byte, {config.metric} {chosen.metric:.1f})"
    )
    if added:
        text += f"; the grid was extended to {', '.join(f'{rate:g}' for rate in added)}"
    untuned = next((point for point in points if point.steps == 0), None)
    if chosen.steps and untuned is not None and chosen.metric < untuned.metric:
        text += f"; by {config.metric} alone no tuning is better ({untuned.metric:.1f}): select=metric goes by that"
    return text
