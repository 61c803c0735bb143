"""What a whole run says: means with intervals, the tests that it was made for, gains, and a reading of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mto.evaluate.statistics import Gain, gain, holm, paired_sign_flip
from mto.report.matrices import Matrices
from mto.report.results import Comparison
from mto.report.summary import ALL, illustration, make_scope
from mto.report.systems import BASELINES, System, find_systems
from mto.report.values import PairTest, Scope, Summary
from mto.report.whole.reading import read_whole
from mto.report.whole.results import SHORT, SystemKey, WholeResults
from mto.report.whole.view import as_comparison

PLANNED: tuple[tuple[SystemKey, str], ...] = (
    ("adapted", "conventional"),
    ("adapted", "prompting"),
    ("adapted", "aligned"),
    ("adapted", "random-spans"),
    ("adapted", "wrong-objective"),
    ("adapted", "general"),
    ("aligned", "conventional"),
    ("adapted", "nearest head"),
)
"""The tests of a whole run; Holm's correction is over these and no others, because they were named before the run."""
OVER: tuple[SystemKey, ...] = ("conventional", "aligned")
"""What gains are told over."""


@dataclass(frozen=True)
class WholeSummary:
    """What the report of a whole run says.

    Attributes:
        whole: all tasks together; the task itself when there is one.
        tasks: one table a task.
        gains: for each table, the gain of each system over the conventional and over the aligned one, by (system, over).
        reading: sober sentences; the first is the headline.
        illustration: why this is no more than an illustration, with its n; else None.
        view: the run as a comparison of systems.
    """

    whole: Scope
    tasks: tuple[Scope, ...]
    gains: Mapping[str, Mapping[tuple[str, str], Gain]]
    reading: tuple[str, ...]
    illustration: str | None
    view: Comparison

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Every table, that of all tasks first."""
        return (self.whole, *(self.tasks if len(self.tasks) > 1 else ()))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for ``metrics.json``."""
        return {
            "whole": asdict(self.whole),
            "tasks": [asdict(scope) for scope in self.tasks],
            "gains": {
                scope: [{"system": a, "over": b, **asdict(one)} for (a, b), one in several.items()]
                for scope, several in self.gains.items()
            },
            "reading": list(self.reading),
            "illustration": self.illustration,
        }


def summarise_whole(results: WholeResults) -> WholeSummary:
    """Means with crossed-bootstrap intervals, paired tests corrected by Holm, gains, and a reading. Deterministic."""
    view = as_comparison(results)
    lookup = Matrices(view)
    names = [task.name for task in results.tasks]
    single = [_systems(lookup, [name]) for name in names]
    tasks = tuple(
        make_scope(lookup, name, [name], systems, tests)
        for name, systems, tests in zip(names, single, planned_tests(single), strict=True)
    )
    gains = {name: _gains(systems) for name, systems in zip(names, single, strict=True)}
    whole = tasks[0]
    if len(names) > 1:
        systems = _systems(lookup, names)
        whole = make_scope(lookup, ALL, names, systems, planned_tests([systems])[0])
        gains[ALL] = _gains(systems)
    return WholeSummary(
        whole=whole,
        tasks=tasks,
        gains=gains,
        reading=read_whole(results, whole, tasks, gains[whole.name]),
        illustration=illustration(view, whole),
        view=view,
    )


def _systems(lookup: Matrices, tasks: Sequence[str]) -> dict[str, System]:
    """The systems and the baselines of a table, without the rows that repeat one."""
    own = {family.name for family in lookup.comparison.families}
    found = find_systems(lookup, tasks)
    return {
        key: one for key, one in found.items() if (key in own and one.kind == "family") or key in BASELINES
    }


def planned_tests(tables: Sequence[Mapping[str, System]]) -> list[tuple[PairTest, ...]]:
    """The planned tests of tables that are read together, corrected together; ``a - b`` as planned, not turned round.

    A pair of systems that are the same cells (Prompting where Prompting is the aligned family) is not tested.
    """
    pairs = [
        [
            (table[a], table[b])
            for a, b in PLANNED
            if a in table and b in table and not _same(table[a], table[b])
        ]
        for table in tables
    ]
    results = [[paired_sign_flip(a.matrices, b.matrices) for a, b in several] for several in pairs]
    raw = [test.p_value for several in results for test in several]
    adjusted = iter(holm(raw).tolist() if raw else [])
    return [
        tuple(
            PairTest(
                a=a.key, b=b.key, labels=(a.label, b.label), difference=gain(a.matrices, b.matrices).difference,
                p=test.p_value, holm=next(adjusted), heads=test.heads, exact=test.exact,
            )
            for (a, b), test in zip(several, tests, strict=True)
        )
        for several, tests in zip(pairs, results, strict=True)
    ]  # fmt: skip


def _same(a: System, b: System) -> bool:
    return all((x == y).all() for x, y in zip(a.matrices, b.matrices, strict=True)) and a.kind == b.kind


def _gains(systems: Mapping[str, System]) -> dict[tuple[str, str], Gain]:
    return {
        (key, over): gain(system.matrices, systems[over].matrices)
        for over in OVER
        for key, system in systems.items()
        if over in systems and key != over and key not in BASELINES
    }


def plotted(summary: WholeSummary) -> Summary:
    """What the plots of a comparison read, with short names, so that they fit on a phone."""
    return Summary(
        _shortened(summary.whole),
        tuple(map(_shortened, summary.tasks)),
        summary.reading,
        summary.illustration,
        (),
    )


def _shortened(scope: Scope) -> Scope:
    lines = tuple(replace(line, label=SHORT.get(line.key, line.label)) for line in scope.lines)
    return replace(scope, lines=lines)
