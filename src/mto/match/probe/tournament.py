"""The tournament over a bench: rungs are planned within the purse, measured, and judged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mto.errors import TrainingError
from mto.match.probe.arms import arms_by_model
from mto.match.probe.bench import Bench, Held
from mto.match.probe.budget import FIRST_STEP, PILOT_ROOM, PILOT_STEPS, Purse
from mto.match.probe.config import ProbeConfig
from mto.match.probe.halving import Race, Stopped, successive_halving
from mto.match.probe.judge import Judge, Point, best_point, judged
from mto.match.probe.result import Arm, ArmScore, LeftOut, ProbeStatus

Progress = Callable[[ProbeStatus], None]
Outcome = Point | str
"""An arm's point, or why its training failed."""


class Tournament:
    """One race with its records.

    Args:
        arms: by name, in order.
        rates: learning rates of each arm.
        folds: number of folds; every training is one (arm, rate, fold).
        batch_rows: rows a step, for the first guess at a step's time.

    Attributes:
        points: of each arm, one a finished rung.
        scores: what each rung found, by its number.
        left_out: arms that could not be scored even untrained, or for which there was no time.
    """

    def __init__(
        self,
        arms: Mapping[str, Arm],
        rates: Mapping[str, Sequence[float]],
        bench: Bench,
        judge: Judge,
        purse: Purse,
        config: ProbeConfig,
        *,
        folds: int,
        batch_rows: int,
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self.arms, self._rates, self._bench, self._judge = arms, dict(rates), bench, judge
        self._purse, self._config, self._folds, self._batch_rows = purse, config, folds, batch_rows
        self._progress, self._stop = progress, stop
        self._best: str | None = None
        self._row_seconds: dict[str, float] = {}
        self.points: dict[str, list[Point]] = {name: [] for name in arms}
        self.scores: dict[int, list[ArmScore]] = {}
        self.left_out: list[LeftOut] = []
        self._hurried = False

    def run(self) -> Race:
        """Run it. Raises `Stopped`, or `KeyboardInterrupt`, when it is stopped before rung 0 is finished."""
        race = successive_halving(
            list(self.arms),
            self._measure,
            self._plan,
            eta=self._config.eta,
            drop_untrained=self._config.drop_untrained,
        )
        if self._hurried and race.ended == "winner":  # who is left has not beaten those that were not scored
            return Race(race.rungs, "budget")
        return race

    @property
    def judge_by(self) -> str:
        """``bits`` or ``rank``."""
        return self._config.judge

    # -- what the algorithm asks ----------------------------------------------------------------------------------

    def _plan(self, rung: int, names: tuple[str, ...], before: int) -> int | None:
        units = self._units(names)
        if self._hurried or (self._purse.timed and not self._pilots(units, names)):
            return None
        return self._purse.plan(rung, len(names), units, before)

    def _measure(self, rung: int, steps: int, names: tuple[str, ...]) -> Mapping[str, float]:
        found = self._trained(rung, steps, names) if rung else self._untrained(names)
        for name, point in found.items():
            if isinstance(point, Point):
                self.points[name].append(point)
                if rung:
                    self._rates[name] = (point.rate,)
        values = self._values(rung, found)
        self._best = min(values, key=values.__getitem__)
        return values

    # -- the work ---------------------------------------------------------------------------------------------------

    def _untrained(self, names: Sequence[str]) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        slowest = 0.0
        for done, name in enumerate(names, 1):
            if done > 1 and not self._purse.time_left_for(slowest):
                why = "the time was up before it was scored"
                self.left_out += [LeftOut(name=left, why=why) for left in names[done - 1 :]]
                self._hurried = True
                break
            self._guard(clock=False)
            began = self._purse.seconds
            try:
                held = self._bench.untrained(name)
            except TrainingError as error:
                self.left_out.append(LeftOut(name=name, why=error.message))
                continue
            took = self._purse.seconds - began
            slowest = max(slowest, took)
            # The last arm of a checkpoint counts: the first may hold the loading.
            self._row_seconds[self.arms[name].model] = took / max(1, len(held.rows))
            found[name] = Point(0, 0, 0.0, held.bits, held.metric)
            self._tell(0, 0, name, done, len(names))
        if not found:
            reasons = "; ".join(f"{left.name}: {left.why}" for left in self.left_out)
            raise TrainingError(f"no arm can be scored: {reasons}", hint="are the weights whole?")
        return found

    def _trained(self, rung: int, steps: int, names: Sequence[str]) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        left = {self.arms[name].model for name in names}
        for model in {arm.model for arm in self.arms.values()} - left:
            self._bench.release(model)
        rest = Counter(self._units(names))
        total, done = rest.total(), 0
        for model, group in arms_by_model(names, self.arms).items():
            for name in group:
                tried: list[Outcome] = []
                for rate in self._rates[name]:
                    parts: list[Held] = []
                    for fold in range(self._folds):
                        self._guard()
                        self._purse.check(rest, steps)
                        try:
                            parts.append(self._one(name, fold, rate, steps))
                        except TrainingError as error:
                            tried.append(f"at the rate {rate:g}: {error.message}")
                            rest[model] -= self._folds - fold
                            done += self._folds - fold
                            break
                        rest[model] -= 1
                        done += 1
                        self._tell(rung, steps, name, done, total)
                    else:
                        tried.append(_joined(parts, Point(rung, steps, rate, np.empty(0))))
                found[name] = self._better(tried)
        return {name: found[name] for name in names}

    def _one(self, name: str, fold: int, rate: float, steps: int, *, pilot: bool = False) -> Held:
        began = self._purse.seconds
        self._purse.steps += steps
        held = self._bench.trained(name, fold, rate, steps, self._guard)
        took = self._purse.seconds - began
        self._purse.note(self.arms[name].model, steps, took, held.stepping, pilot=pilot)
        return held

    def _pilots(self, units: Mapping[str, int], names: Sequence[str]) -> bool:
        """Measure the pace of checkpoints that were not trained yet; False where there is no time (or no step) for it."""
        for model in units:
            if self._purse.knows(model):
                continue
            name = next(name for name in names if self.arms[name].model == model)
            expected = FIRST_STEP * self._batch_rows * self._row_seconds[model]
            if not self._purse.steps_left_for(sum(PILOT_STEPS)):
                return False
            for steps in PILOT_STEPS:
                # Twelve trainings or so are to follow, so a pilot that takes much of what is left is of no use.
                if not self._purse.time_left_for(PILOT_ROOM * expected * steps):
                    return False
                self._guard()
                began = self._purse.seconds
                try:
                    self._one(name, 0, self._rates[name][0], steps, pilot=True)
                except TrainingError:  # the rung itself will find it, and say so
                    took = self._purse.seconds - began
                    self._purse.note(model, steps, took, took, pilot=True)
                expected = self._purse.seconds - began
        return True

    def _guard(self, *, clock: bool = True) -> None:
        if self._stop is not None and self._stop():
            raise Stopped
        if clock:
            self._purse.check()

    # -- records ----------------------------------------------------------------------------------------------------

    def _better(self, tried: Sequence[Outcome]) -> Outcome:
        points = [point for point in tried if isinstance(point, Point)]
        if points:
            return min(points, key=lambda point: self._judge.pooled(point.bits))
        return "; ".join(str(why) for why in tried)

    def _values(self, rung: int, found: Mapping[str, Outcome]) -> dict[str, float]:
        able = [name for name, point in found.items() if isinstance(point, Point)]
        best = {name: best_point(self.points[name], self._judge) for name in found}
        values = dict.fromkeys(found, math.inf)
        if able:
            of_able = judged([best[name] for name in able], self._judge, self._config.judge)
            values.update(zip(able, of_able, strict=True))
        self.scores[rung] = [
            self._score(name, point, values[name], best[name].steps)
            if isinstance(point, Point)
            else ArmScore(
                arm=name,
                rate=self._rates[name][0],
                bits=None,
                value=None,
                best_steps=best[name].steps,
                failed=point,
            )
            for name, point in found.items()
        ]
        return values

    def _score(self, name: str, point: Point, value: float, best_steps: int) -> ArmScore:
        judge = self._judge
        return ArmScore(
            arm=name,
            rate=point.rate,
            bits=judge.span(point.bits),
            rows=tuple((point.bits / judge.bytes).tolist()),
            metric=None if point.metric is None else judge.mean_span(point.metric),
            metric_rows=() if point.metric is None else tuple(point.metric.tolist()),
            value=value,
            best_steps=best_steps,
        )

    def _units(self, names: Sequence[str]) -> dict[str, int]:
        groups = arms_by_model(names, self.arms)
        return {
            model: sum(self._folds * len(self._rates[n]) for n in group) for model, group in groups.items()
        }

    def _tell(self, rung: int, steps: int, name: str, done: int, of: int) -> None:
        if self._progress is not None:
            purse = self._purse
            self._progress(ProbeStatus(rung, steps, name, done, of, self._best, purse.steps, purse.seconds))


def _joined(parts: Sequence[Held], like: Point) -> Point:
    """The held-out rows of all folds, in the order of the rows."""
    order = np.argsort(np.concatenate([part.rows for part in parts]), kind="stable")
    bits = np.concatenate([part.bits for part in parts])[order]
    metric = None
    if all(part.metric is not None for part in parts):
        metric = np.concatenate([np.asarray(part.metric) for part in parts])[order]
    return Point(like.rung, like.steps, like.rate, bits, metric)
