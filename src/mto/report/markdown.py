"""A report as Markdown: readable as plain text, and on any site that shows Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mto.report import notes
from mto.report.expected import said
from mto.report.numbers import count
from mto.report.results import Comparison, Shown
from mto.report.summary import summarise
from mto.report.tables import (
    Table,
    asked,
    dev_table,
    family_table,
    gain_lines,
    machine,
    pair_table,
    score_table,
    task_rows,
)
from mto.report.titles import task_labels
from mto.report.values import Scope, Summary

_SPECIAL = re.compile(r"([\\`*_|~$]|^#|\](?=[(\[:]))")


def render_markdown(
    comparison: Comparison, summary: Summary | None = None, *, plots: str | None = None
) -> str:
    """The whole report as Markdown.

    Args:
        comparison: the results.
        summary: its summary, if it was made already.
        plots: folder, as seen from the page, that holds ``means.svg``, ``expected.svg`` and ``dev.svg``; None leaves pictures out.
    """
    summary = summary or summarise(comparison)
    blocks = [*_top(comparison, summary), *_results(comparison, summary, plots)]
    blocks += [
        *_matching(comparison, plots),
        *_dev(comparison, summary, plots),
        *_examples(comparison),
        *_end(comparison),
    ]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """User text as Markdown that shows exactly this text, also in a table cell.

    >>> escape("a|b <i>_x_</i>")
    'a\\\\|b &lt;i&gt;\\\\_x\\\\_&lt;/i&gt;'
    """
    flat = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def table(content: Table, *, bold: Sequence[str] = ("aligned",)) -> str:
    """A Markdown table; rows of these kinds in bold."""
    rows = [
        "| " + " | ".join(map(escape, content.columns)) + " |",
        "| " + " | ".join(["---", *["---:"] * (len(content.columns) - 1)]) + " |",
    ]
    for row in content.rows:
        cells = [f"**{escape(cell)}**" if row.kind in bold else escape(cell) for cell in row.cells]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def fenced(text: str) -> str:
    """Text as a block of code, whatever it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def bullets(items: Sequence[str]) -> str:
    """Sentences as a list."""
    return "\n".join(f"- {escape(item)}" for item in items)


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Labels and values as a list."""
    return "\n".join(f"- {escape(label)}: {escape(value)}" for label, value in rows)


def _top(comparison: Comparison, summary: Summary) -> Iterator[str]:
    yield f"# {escape(comparison.title)}"
    yield f"**{escape(summary.reading[0])}**"
    for warning in (summary.illustration, notes.missing_note(summary)):
        if warning:
            yield f"> {escape(warning)}"
    if summary.reading[1:]:
        yield bullets(summary.reading[1:])


def _matching(comparison: Comparison, plots: str | None) -> Iterator[str]:
    if not comparison.matches:
        return
    yield "## What matching expected"
    if plots:
        yield f"![Score that matching expected of each family, with intervals]({plots}/expected.svg)"
    labels = task_labels(comparison)
    for task in comparison.tasks:
        if (match := said(comparison, task.name)) is not None:
            yield f"### Matching {escape(labels[task.name])}"
            yield bullets([*match.verdict, *match.evidence])
    yield bullets(notes.match_notes(comparison))


def _results(comparison: Comparison, summary: Summary, plots: str | None) -> Iterator[str]:
    if summary.whole is None:
        return
    yield "## Scores"
    if plots:
        yield f"![Means with intervals for each family]({plots}/means.svg)"
    several = len(summary.tasks) > 1
    for scope in [summary.whole, *(summary.tasks if several else ())]:
        yield from scope_blocks(comparison, scope)
        if scope is summary.whole:
            yield bullets([*notes.score_notes(comparison), *notes.pair_notes(summary)])


def scope_blocks(comparison: Comparison, scope: Scope) -> Iterator[str]:
    """One table of scores with its gain and its tests."""
    seeds = f", {count(scope.seeds, 'complete seed')}" if comparison.stage == "tuned" else ""
    yield f"### {escape(scope.label[:1].upper() + scope.label[1:] if len(scope.tasks) > 1 else scope.label)}"
    yield f"{scope.heads} test heads{seeds}."
    yield table(score_table(comparison, scope))
    if lines := gain_lines(scope):
        yield pairs(lines)
    if scope.tests:
        yield table(pair_table(scope), bold=())


def _dev(comparison: Comparison, summary: Summary, plots: str | None) -> Iterator[str]:
    found = dev_table(comparison)
    if found is None:
        return
    yield "## Dev score by rate"
    if plots:
        yield f"![Dev score by learning rate for each family]({plots}/dev.svg)"
    yield table(found)
    yield bullets(notes.dev_notes(comparison))


def _examples(comparison: Comparison) -> Iterator[str]:
    if not comparison.shown:
        return
    titles = {family.name: family.title for family in comparison.families}
    labels = task_labels(comparison)
    yield "## Examples"
    by = " of the aligned family" if comparison.stage == "tuned" else ""
    yield f"Best and worst by score{by}, and heads drawn blindly. In brackets: the score."
    for task in comparison.tasks:
        shown = [example for example in comparison.shown if example.task == task.name]
        if shown:
            yield f"### Examples of {escape(labels[task.name])}"
            yield "\n".join(line for example in shown for line in example_lines(example, titles))


def example_lines(example: Shown, titles: dict[str, str]) -> Iterator[str]:
    """One example as list items; `titles` says what each family is called."""
    references = " / ".join(map(escape, example.references))
    yield f"- {example.kind}: **{escape(example.head)}** → {references}"
    for family, text in example.predictions.items():
        score = f" ({example.scores[family]:.0f})" if family in example.scores else ""
        yield f"  - {escape(titles.get(family, family))}{score}: {escape(text) or '(nothing)'}"


def _end(comparison: Comparison) -> Iterator[str]:
    yield "## What was asked"
    yield table(task_rows(comparison))
    yield table(family_table(comparison))
    yield pairs(asked(comparison))
    yield fenced(comparison.command)
    yield "## Machine and time"
    yield pairs(machine(comparison))
