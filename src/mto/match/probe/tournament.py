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
from mto.match.probe.result import Arm, ArmScore, LeftOut, Look, ProbeStatus

Progress = Callable[[ProbeStatus], None]
Outcome = list[Point] | str
"""An arm's points at one rung, one a look; or why its training failed."""


class Tournament:
    """One race with its records.

    Args:
        arms: by name, in order.
        rates: learning rates of each arm.
        folds: number of folds; every training is one (arm, rate, fold).
        batch_rows: rows a step, for the first guess at a step's time.

    Attributes:
        points: of each arm, one a look of the finished rungs.
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
        for name, points in found.items():
            if not isinstance(points, str):
                self.points[name] += points
                if rung:
                    self._rates[name] = (points[0].rate,)
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
            # The quickest arm of a checkpoint counts: the first may hold the loading, any a moment when the machine was busy.
            model, of_row = self.arms[name].model, took / max(1, len(held.rows))
            self._row_seconds[model] = min(of_row, self._row_seconds.get(model, math.inf))
            found[name] = [Point(0, 0, 0.0, held.bits, held.metric)]
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
                    parts: list[list[Held]] = []
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
                        looks = zip(self._config.looks_at(steps), zip(*parts, strict=True), strict=True)
                        tried.append([_joined(held, rung, step, rate) for step, held in looks])
                found[name] = self._better(tried)
        return {name: found[name] for name in names}

    def _one(self, name: str, fold: int, rate: float, steps: int, *, pilot: bool = False) -> list[Held]:
        began = self._purse.seconds
        self._purse.steps += steps
        held = self._bench.trained(name, fold, rate, self._config.looks_at(steps), self._guard)
        took = self._purse.seconds - began
        self._purse.note(self.arms[name].model, steps, took, held[-1].stepping, pilot=pilot)
        return held

    def _pilots(self, units: Mapping[str, int], names: Sequence[str]) -> bool:
        """Measure the pace of checkpoints that were not trained yet; False where there is no time (or no step) for it."""
        for model in units:
            if self._purse.knows(model):
                continue
            if not self._purse.steps_left_for(1 + PILOT_STEPS):
                return False
            # Twelve trainings or so are to follow, so a pilot that takes much of what is left is of no use.
            guess = FIRST_STEP * self._batch_rows * self._row_seconds[model]
            if not self._purse.time_left_for(PILOT_ROOM * guess):
                return False
            arms = [name for name in names if self.arms[name].model == model]
            self._guard()
            self._pilot(arms, 1)
            steps = self._purse.pilot_steps(model)
            if steps is None:
                return False
            self._guard()
            self._pilot(arms, steps)
        return True

    def _pilot(self, arms: Sequence[str], steps: int) -> None:
        """Train the first arm that can be trained; what it takes is noted."""
        model, began = self.arms[arms[0]].model, self._purse.seconds
        for name in arms:
            began = self._purse.seconds
            try:
                self._one(name, 0, self._rates[name][0], steps, pilot=True)
                return
            except TrainingError:  # the rung itself will find it, and say so
                continue
        took = self._purse.seconds - began
        self._purse.note(model, 1, took, took, pilot=True)

    def _guard(self, *, clock: bool = True) -> None:
        if self._stop is not None and self._stop():
            raise Stopped
        if clock:
            self._purse.check()

    # -- records ----------------------------------------------------------------------------------------------------

    def _better(self, tried: Sequence[Outcome]) -> Outcome:
        """The rate with the best look; or why all failed."""
        able = [points for points in tried if not isinstance(points, str)]
        if not able:
            return "; ".join(why for why in tried if isinstance(why, str))
        return min(able, key=lambda points: self._judge.pooled(best_point(points, self._judge).bits))

    def _values(self, rung: int, found: Mapping[str, Outcome]) -> dict[str, float]:
        able = {
            name: best_point(self.points[name], self._judge)
            for name, points in found.items()
            if not isinstance(points, str)
        }
        values = dict.fromkeys(found, math.inf)
        if able:
            of_able = judged(list(able.values()), self._judge, self._config.judge)
            values.update(zip(able, of_able, strict=True))
        self.scores[rung] = [
            ArmScore(arm=name, bits=None, value=None, failed=points)
            if isinstance(points, str)
            else self._score(name, able[name], values[name], points)
            for name, points in found.items()
        ]
        return values

    def _score(self, name: str, best: Point, value: float, points: Sequence[Point]) -> ArmScore:
        judge = self._judge
        return ArmScore(
            arm=name,
            steps=best.steps,
            rate=best.rate,
            bits=judge.span(best.bits),
            rows=tuple((best.bits / judge.bytes).tolist()),
            metric=None if best.metric is None else judge.mean_span(best.metric),
            metric_rows=() if best.metric is None else tuple(best.metric.tolist()),
            value=value,
            looks=tuple(Look(steps=point.steps, bits=judge.pooled(point.bits)) for point in points),
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


def _joined(parts: Sequence[Held], rung: int, steps: int, rate: float) -> Point:
    """The held-out rows of all folds at one look, in the order of the rows."""
    order = np.argsort(np.concatenate([part.rows for part in parts]), kind="stable")
    bits = np.concatenate([part.bits for part in parts])[order]
    metric = None
    if all(part.metric is not None for part in parts):
        metric = np.concatenate([np.asarray(part.metric) for part in parts])[order]
    return Point(rung, steps, rate, bits, metric)
