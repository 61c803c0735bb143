"""The report of a whole run for the terminal, as rich renderables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.report.terminal import WIDE_ENOUGH, draw_table
from mto.report.titles import labels_of
from mto.report.whole.results import WholeResults
from mto.report.whole.summary import WholeSummary, summarise_whole
from mto.report.whole.tables import brief_system_table, loss_table, system_table

if TYPE_CHECKING:
    from rich.console import Group, RenderableType


def render_whole_terminal(
    results: WholeResults, summary: WholeSummary | None = None, *, width: int = 80
) -> Group:
    """The reading, what is aligned, the systems, and the losses."""
    from rich.console import Group
    from rich.text import Text

    summary = summary or summarise_whole(results)
    parts: list[RenderableType] = [
        Text(results.title, style="dim"),
        Text(summary.reading[0], style="bold"),
        *(Text(f"- {sentence}") for sentence in summary.reading[1:]),
    ]
    if summary.illustration:
        parts.append(Text(summary.illustration, style="yellow"))
    labels = labels_of(results.tasks)
    for one in results.aligned:
        told = (
            f"{one.family}, {one.objective or 'objective by the router'}, {results.pairs[one.task]:,} pairs"
        )
        parts.append(Text(f"{labels[one.task]}: {told} ({one.reason})", style="dim"))
    make = system_table if width >= WIDE_ENOUGH else brief_system_table
    for scope in summary.scopes:
        title = f"{scope.label}, n = {scope.heads} test heads, {scope.seeds} seed{'s' if scope.seeds != 1 else ''}"
        parts += [Text(), draw_table(summary.view, title, make(results, summary, scope), width)]
    if (losses := loss_table(results)) is not None:
        title = "What adaptation did to the losses, nats a token"
        parts += [Text(), draw_table(summary.view, title, losses, width)]
    return Group(*parts)
