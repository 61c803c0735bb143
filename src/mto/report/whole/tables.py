"""The tables of a whole run as plain text cells; Markdown, HTML and the terminal all draw these."""

from __future__ import annotations

from mto.report import numbers
from mto.report.numbers import NONE, points
from mto.report.tables import Row, Table
from mto.report.titles import labels_of, metric_title
from mto.report.values import Scope
from mto.report.whole.results import SYSTEMS, AdaptationInfo, WholeResults
from mto.report.whole.summary import WholeSummary


def system_table(results: WholeResults, summary: WholeSummary, scope: Scope) -> Table:
    """Every system with its interval, and what it gains over the conventional and over the aligned way."""
    gains = summary.gains[scope.name]
    columns = (
        "", f"{metric_title(results.metric)} [95 %]", "gain over conventional", "gain over aligned, not adapted",
        "exact", "zero-shot", "empty %", "distinct %", "rate × steps",
    )  # fmt: skip
    rows = []
    for line in scope.lines:
        cells = [line.label, numbers.estimate(line.score)]
        for over in ("conventional", "aligned"):
            found = gains.get((line.key, over))
            cells.append(numbers.percent_gain(found.ratio) if found and found.ratio else NONE)
        cells += [points(line.metrics.get("exact_match")), points(line.zero_shot), points(line.empty)]
        cells += [points(line.distinct), _point(line.points)]
        rows.append(Row("aligned" if line.key == "adapted" else line.kind, line.family, tuple(cells)))
    return Table(columns, tuple(rows))


def brief_system_table(results: WholeResults, summary: WholeSummary, scope: Scope) -> Table:
    """The same for a terminal of 80 columns."""
    table = system_table(results, summary, scope)
    columns = (table.columns[0], table.columns[1], "over conventional", "over aligned", "zero")
    kept = (0, 1, 2, 3, 5)
    rows = tuple(Row(row.kind, row.family, tuple(row.cells[n] for n in kept)) for row in table.rows)
    return Table(columns, rows)


def _point(chosen: tuple[tuple[float, int, int], ...]) -> str:
    """The point of the sweep that dev data chose most often."""
    if not chosen:
        return NONE
    rate, steps, n = chosen[0]
    what = f"{numbers.rate(rate)} × {steps}" if steps else "no tuning"
    times = sum(one for _, _, one in chosen)
    return what if n == times else f"{what} ({n}/{times})"


def aligned_table(results: WholeResults) -> Table:
    """What is aligned for each task, and why."""
    labels, titles = labels_of(results.tasks), {f.name: f.title for f in results.families}
    rows = [
        Row(
            "task", None,
            (
                labels[one.task], one.objective or "the router's", titles.get(one.family, one.family),
                f"{results.pairs[one.task]:,}", one.reason,
            ),
        )
        for one in results.aligned
    ]  # fmt: skip
    return Table(("task", "objective", "family", "pairs", "because"), tuple(rows))


def preparation_table(results: WholeResults) -> Table:
    """From lines of text to pairs, step by step; steps that counted nothing are left out."""
    prepared = results.prepared
    rows = [Row("step", None, (name, f"{count:,}")) for name, count in prepared.steps.items() if count]
    rows += [Row("step", None, (f"pairs: {name}", f"{count:,}")) for name, count in prepared.pairs.items()]
    return Table(("step", "count"), tuple(rows))


def leak_lines(results: WholeResults) -> list[str]:
    """What of dev and test stood in the text, and was taken out."""
    labels = labels_of(results.tasks)
    return [
        f"{labels.get(leak.task, leak.task)}: {leak.found:,} of {leak.triples:,} dev and test examples stood in the text; "
        f"{leak.dropped:,} sentences were left out for them."
        for leak in results.prepared.leaks
    ]


def loss_table(results: WholeResults) -> Table | None:
    """What each adaptation did to the losses, in nats a token; None where there was no adaptation."""
    if not results.adaptations:
        return None
    names = list(
        dict.fromkeys(
            name for one in results.adaptations for name in one.before if "/" in name and "bits" not in name
        )
    )
    rows = []
    for one in results.adaptations:
        cells = [_told(results, one), _shares(one), f"{one.counts.get('trained', 0):,}"]
        cells.append(f"{one.kept_step:,} of {one.steps:,}")
        for name in names:
            there = name in one.before and name in one.after
            mark = " *" if name == one.watched else ""
            cells.append(f"{one.before[name]:.3f} → {one.after[name]:.3f}{mark}" if there else NONE)
        rows.append(Row("aligned" if one.system == "adapted" else "family", one.system, tuple(cells)))
    return Table(("", "objective", "pairs", "step kept", *names), tuple(rows))


def _told(results: WholeResults, one: AdaptationInfo) -> str:
    if len(one.tasks) == len(results.tasks):
        return SYSTEMS[one.system]
    labels = labels_of(results.tasks)
    return f"{SYSTEMS[one.system]}, {', '.join(labels[task] for task in one.tasks)}"


def _shares(one: AdaptationInfo) -> str:
    if one.objective in ("spans", "prefixes", "ul2"):
        return one.objective
    return ", ".join(f"{100 * share:.0f} % {name}" for name, share in sorted(one.objectives.items()))


def planned_table(scope: Scope) -> Table:
    """The planned tests, as planned: the first against the second."""
    rows = []
    for test in scope.tests:
        verdict = "too close to call"
        if test.shown:
            verdict = "shown" if test.difference.mean > 0 else "shown: worse"
        elif test.only_these_seeds:
            verdict = "these seeds only"
        p, corrected = (numbers.p_value(value).removeprefix("= ") for value in (test.p, test.holm))
        cells = (
            f"{test.labels[0]} − {test.labels[1]}", numbers.estimate(test.difference, sign=True), p, corrected, verdict,
        )  # fmt: skip
        rows.append(Row("shown" if test.shown else "open", None, cells))
    return Table(("pair", "difference [95 %]", "p", "p (Holm)", "verdict"), tuple(rows))


def stage_table(results: WholeResults) -> Table:
    """The stages with their time."""
    rows = [Row("stage", None, (one.name, numbers.duration(one.seconds / 3600))) for one in results.stages]
    return Table(("stage", "time"), tuple(rows))
