"""The values that a report is made of: rows of a table, tests, a table, a summary."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from mto.evaluate.statistics import Gain, Interval

ALPHA = 0.05  # adjusted p-values up to here count
Kind = Literal["family", "aligned", "conventional", "zero-shot", "baseline"]


@dataclass(frozen=True)
class Line:
    """One row of a table; scores in points, shares in percent.

    Attributes:
        key: a family's name, ``aligned``, ``conventional``, ``zero-shot`` or a baseline's name.
        family: the family's name for a family, else None.
        score: the main metric with its interval over heads and seeds.
        metrics: means of all metrics.
        zero_shot: mean of the main metric without tuning.
        chosen: in how many of `cells` this family was the aligned one.
        points: chosen rate and steps with how often, most often first.
        words_lost: words cut from over-long examples, over all cells.
    """

    key: str
    kind: Kind
    label: str
    family: str | None
    score: Interval
    metrics: dict[str, float]
    zero_shot: float | None = None
    chosen: int | None = None
    cells: int = 0
    empty: float | None = None
    unasked: float | None = None
    distinct: float | None = None
    points: tuple[tuple[float, int, int], ...] = ()
    words_lost: int = 0
    seconds: float = 0.0
    corpus: dict[str, float] | None = None
    """Means over tasks and seeds of the measures of all predictions together, where there are some."""


@dataclass(frozen=True)
class PairTest:
    """``a - b`` in points with its interval, the sign-flip p-value, and the same after Holm's correction."""

    a: str
    b: str
    labels: tuple[str, str]
    difference: Interval
    p: float
    holm: float
    heads: int
    exact: bool

    @property
    def shown(self) -> bool:
        """Whether the difference counts: Holm's p is small, and the interval over heads and seeds leaves out 0."""
        return self.holm <= ALPHA and not self._touches_zero

    @property
    def only_these_seeds(self) -> bool:
        """Small p, but the interval, which also knows the chance of seeds, holds 0."""
        return self.holm <= ALPHA and self._touches_zero

    @property
    def _touches_zero(self) -> bool:
        return self.difference.low <= 0 <= self.difference.high


@dataclass(frozen=True)
class Scope:
    """One table: a task, or all tasks together (the mean of task means)."""

    name: str
    label: str
    tasks: tuple[str, ...]
    seeds: int
    heads: int
    lines: tuple[Line, ...]
    tests: tuple[PairTest, ...]
    gain: Gain | None
    no_gain: str | None
    """Why there is no gain to speak of, when there is none."""

    def line(self, key: str) -> Line | None:
        """The row of that key."""
        return next((line for line in self.lines if line.key == key), None)

    @property
    def families(self) -> tuple[Line, ...]:
        """The families' rows, in the order asked for."""
        return tuple(line for line in self.lines if line.kind == "family")

    @property
    def sole_choice(self) -> str | None:
        """The family that was chosen everywhere, if it is always the same one."""
        return next((line.key for line in self.families if line.chosen and line.chosen == line.cells), None)

    def _tested(self, name: str) -> str:
        """The name that a row is tested under: a row that repeats a family's row is tested as that family."""
        if name == "aligned":
            return self.sole_choice or name
        line = self.line("conventional") if name == "conventional" else None
        return line.family if line is not None and line.family else name

    def test(self, a: str, b: str) -> PairTest | None:
        """The test of a against b, whichever way round it is listed; `a - b` as listed."""
        names = {self._tested(a), self._tested(b)}
        return next((test for test in self.tests if {test.a, test.b} == names), None)


@dataclass(frozen=True)
class Summary:
    """What a report says.

    Attributes:
        whole: all tasks together; the task itself when there is one; None when no seed is complete.
        tasks: one table a task (also for a single task).
        reading: sober sentences from the numbers; the first is the headline.
        illustration: why this is no more than an illustration, with its n; else None.
    """

    whole: Scope | None
    tasks: tuple[Scope, ...]
    reading: tuple[str, ...]
    illustration: str | None
    missing: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for ``metrics.json``; measures over all predictions stand there where there are some."""
        value = asdict(self)
        for scope in filter(None, [value["whole"], *value["tasks"]]):
            for line in scope["lines"]:
                if line["corpus"] is None:
                    del line["corpus"]
        return value
