"""The report of a whole run as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from mto.report.markdown import bullets, escape, example_lines, fenced, pairs, table
from mto.report.numbers import duration
from mto.report.tables import asked, machine, task_rows
from mto.report.titles import labels_of
from mto.report.whole import notes
from mto.report.whole.results import SYSTEMS, WholeResults
from mto.report.whole.summary import WholeSummary, summarise_whole
from mto.report.whole.tables import (
    aligned_table,
    leak_lines,
    loss_table,
    planned_table,
    preparation_table,
    stage_table,
    system_table,
)


def render_whole_markdown(
    results: WholeResults, summary: WholeSummary | None = None, *, plots: str | None = None
) -> str:
    """The whole report.

    Args:
        plots: folder, as seen from the page, that holds ``means.svg`` and ``losses.svg``; None leaves pictures out.
    """
    summary = summary or summarise_whole(results)
    blocks = [
        *_top(results, summary),
        *_systems(results, summary, plots),
        *_stages(results, plots),
        *_examples(results),
        *_end(results, summary),
    ]
    return "\n\n".join(blocks) + "\n"


def _top(results: WholeResults, summary: WholeSummary) -> Iterator[str]:
    yield f"# {escape(results.title)}"
    yield f"**{escape(summary.reading[0])}**"
    if summary.illustration:
        yield f"> {escape(summary.illustration)}"
    if summary.reading[1:]:
        yield bullets(summary.reading[1:])


def _systems(results: WholeResults, summary: WholeSummary, plots: str | None) -> Iterator[str]:
    yield "## Systems"
    if plots:
        yield f"![Means with intervals for each system]({plots}/means.svg)"
    for scope in summary.scopes:
        label = scope.label[:1].upper() + scope.label[1:] if len(scope.tasks) > 1 else scope.label
        yield f"### {escape(label)}"
        yield f"{scope.heads} test heads, {scope.seeds} seed{'s' if scope.seeds != 1 else ''}."
        yield table(system_table(results, summary, scope))
        yield table(planned_table(scope), bold=())
        if scope is summary.whole:
            yield bullets(
                [*notes.system_notes(results), *notes.control_notes(results), *notes.test_notes(summary)]
            )


def _stages(results: WholeResults, plots: str | None) -> Iterator[str]:
    labels = labels_of(results.tasks)
    yield "## What is aligned"
    yield table(aligned_table(results))
    for match in results.matches:
        yield f"### Matching {escape(labels[match.task])}"
        yield bullets([*match.verdict, *match.evidence])
    yield "## From text to pairs"
    yield table(preparation_table(results))
    yield bullets(leak_lines(results))
    if (found := loss_table(results)) is not None:
        yield "## What adaptation did to the losses"
        if plots:
            yield f"![Losses before and after each adaptation]({plots}/losses.svg)"
        yield table(found)
        yield bullets(notes.loss_notes(results))


def _examples(results: WholeResults) -> Iterator[str]:
    if not results.shown:
        return
    titles, labels = {str(key): title for key, title in SYSTEMS.items()}, labels_of(results.tasks)
    yield "## Examples"
    yield "Best and worst by score of the adapted way, and heads drawn blindly. In brackets: the score."
    for task in results.tasks:
        shown = [example for example in results.shown if example.task == task.name]
        if shown:
            yield f"### Examples of {escape(labels[task.name])}"
            yield "\n".join(line for example in shown for line in example_lines(example, titles))


def _end(results: WholeResults, summary: WholeSummary) -> Iterator[str]:
    view = summary.view
    yield "## What was asked"
    yield table(task_rows(view))
    yield pairs(asked(view))
    yield fenced(results.command)
    yield "## Machine and time"
    yield table(stage_table(results))
    yield pairs([*machine(view), ("In all", duration(results.hours))])
