"""A bench of made-up arms with a clock of its own: no model, no real time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mto.errors import TrainingError
from mto.match.probe.bench import Guard, Held
from mto.match.probe.budget import Purse
from mto.match.probe.config import ProbeConfig
from mto.match.probe.halving import Race
from mto.match.probe.judge import Judge
from mto.match.probe.result import Arm, ProbeStatus
from mto.match.probe.tournament import Tournament

ROWS, FOLDS, BATCH = 12, 3, 8


@dataclass
class FakeBench:
    """Arms with bits per row that depend on arm, steps and rate; every act moves the clock.

    Attributes:
        bits: ``bits(arm, steps, rate)``: bits of each row, NaN for a training that fails.
        step, fixed, row: seconds of a step, of a training besides, and of scoring one row.
        warm: seconds that the first training of all takes besides: half before its steps, half in the first.
        jitter: factor of each act's time, in turn.
    """

    bits: Callable[[str, int, float], float]
    step: float = 0.15
    fixed: float = 0.1
    row: float = 0.01
    warm: float = 0.0
    jitter: Sequence[float] = (1.0,)
    before: Callable[[str], None] = lambda what: None
    now: float = 1000.0
    log: list[tuple[str, int, int, float]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    acts: int = 0

    def clock(self) -> float:
        return self.now

    def _pass(self, seconds: float) -> float:
        took = seconds * self.jitter[self.acts % len(self.jitter)]
        self.acts += 1
        self.now += took
        return took

    def untrained(self, name: str) -> Held:
        self.before(name)
        self.log.append((name, -1, 0, 0.0))
        self._pass(self.row * ROWS)
        return Held(np.arange(ROWS), np.full(ROWS, self.bits(name, 0, 0.0)), None)

    def trained(self, name: str, fold: int, rate: float, looks: Sequence[int], guard: Guard) -> list[Held]:
        self.before(name)
        self.log.append((name, fold, looks[-1], rate))
        warm, self.warm = self.warm / 2, 0.0
        self._pass(self.fixed + warm)
        rows, stepping, held = np.arange(fold, ROWS, FOLDS), 0.0, []
        for done in range(1, looks[-1] + 1):
            if done > 1:
                guard()
            stepping += self._pass(self.step + (warm if done == 1 else 0.0))
            if done in looks:
                value = self.bits(name, done, rate)
                if np.isnan(value):
                    raise TrainingError("the loss is nan")
                held.append(Held(rows, np.full(len(rows), value), None))
                self._pass(self.row * len(rows))
        return [replace(scores, stepping=stepping) for scores in held]

    def release(self, model: str) -> None:
        self.released.append(model)


def race(
    names: Sequence[str],
    bench: FakeBench,
    config: ProbeConfig,
    *,
    rates: Sequence[float] = (1e-4,),
    models: Mapping[str, str] | None = None,
    progress: Callable[[ProbeStatus], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Race, Tournament, Purse]:
    """Run a tournament of made-up arms; odd names hold a mask."""
    arms = {
        name: Arm(
            name=name, model=(models or {}).get(name, "m"), family=name, phrase=None, masked=bool(n % 2)
        )
        for n, name in enumerate(names)
    }
    purse = Purse(config, bench.clock)
    judge = Judge(np.arange(ROWS), np.full(ROWS, 10.0), 0)
    tournament = Tournament(
        arms, dict.fromkeys(arms, rates), bench, judge, purse, config,
        folds=FOLDS, batch_rows=BATCH, progress=progress, stop=stop,
    )  # fmt: skip
    return tournament.run(), tournament, purse
