"""A report for the terminal, as rich renderables: what `mto run` ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.report import notes
from mto.report.results import Comparison
from mto.report.summary import summarise
from mto.report.tables import Table, brief_table, score_table
from mto.report.theme import family_marks
from mto.report.values import Scope, Summary

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

WIDE_ENOUGH = 160  # columns from which the whole table fits
NAME = 12  # columns that are left to the names of rows at least
ROOMY = 96  # columns from which there is room between the figures


def render_terminal(comparison: Comparison, summary: Summary | None = None, *, width: int = 80) -> Group:
    """The reading and the tables of scores.

    Args:
        comparison: the results.
        summary: its summary, if it was made already.
        width: columns of the terminal; under 160 the tables hold fewer columns.
    """
    from rich.console import Group
    from rich.text import Text

    summary = summary or summarise(comparison)
    parts: list[RenderableType] = [
        Text(comparison.title, style="dim"),
        Text(summary.reading[0], style="bold"),
    ]
    parts += [Text(f"- {sentence}") for sentence in summary.reading[1:]]
    for warning in (summary.illustration, notes.missing_note(summary)):
        if warning:
            parts.append(Text(warning, style="yellow"))
    if summary.whole is not None:
        several = len(summary.tasks) > 1
        for scope in [summary.whole, *(summary.tasks if several else ())]:
            make = score_table if width >= WIDE_ENOUGH else brief_table
            parts += [
                Text(),
                draw_table(comparison, _caption(comparison, scope), make(comparison, scope), width),
            ]
    return Group(*parts)


def _caption(comparison: Comparison, scope: Scope) -> str:
    seeds = f", n = {scope.heads} test heads"
    if comparison.stage == "tuned":
        seeds += f", {scope.seeds} seed{'s' if scope.seeds != 1 else ''}"
    return scope.label + seeds


def draw_table(comparison: Comparison, title: str, content: Table, width: int) -> RenderableType:
    """A table with the colours of the families of a comparison."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    # Text objects everywhere: user text may hold what rich would read as markup.
    marks = family_marks(comparison)
    drawn = RichTable(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 1 if width >= ROOMY else 0),
    )
    sizes = _widths(content, width)
    left_out = len(content.columns) - len(sizes)
    if left_out:
        more = "one more column stands" if left_out == 1 else f"{left_out} more columns stand"
        drawn.caption = Text(f"{more} in the report", style="dim")
        drawn.caption_justify = "left"
    for number, (column, size) in enumerate(zip(content.columns, sizes, strict=False)):
        drawn.add_column(
            Text(column),
            justify="right" if number else "left",
            width=size,
            overflow="ellipsis" if number else "fold",
        )
    for row in content.rows:
        style = "bold" if row.kind == "aligned" else "dim" if row.kind in ("baseline", "zero-shot") else ""
        colour = marks[row.family].dark if row.family in marks and row.kind == "family" else ""
        first = Text(row.cells[0], style=f"{style} {colour}".strip())
        drawn.add_row(first, *(Text(cell, style=style) for cell in row.cells[1 : len(sizes)]))
    return drawn


def _widths(content: Table, width: int) -> list[int]:
    """Columns of the terminal for each column of a table: heads are on one line if all fits, else they wrap between words.

    What is left then goes to the names of rows, which wrap too; figures never do, for a cut one would be another figure. Columns that do
    not fit even so are left out, the last ones first.
    """
    cells = [[len(row.cells[number]) for row in content.rows] for number in range(len(content.columns))]
    longest = [max([0, *several]) for several in cells]
    whole = [max(size, len(column)) for size, column in zip(longest, content.columns, strict=True)]
    if sum(whole) + _between(len(whole), width) <= width:
        return whole
    words = [max([0, *map(len, column.split())]) for column in content.columns]
    figures = [max(pair) for pair in zip(longest[1:], words[1:], strict=True)]
    name = min(whole[0], NAME)
    while len(figures) > 1 and name + sum(figures) + _between(len(figures) + 1, width) > width:
        figures.pop()
    left = width - sum(figures) - _between(len(figures) + 1, width)
    return [min(whole[0], max(name, left)), *figures]


def _between(columns: int, width: int) -> int:
    """What the box and the padding take."""
    return columns + 1 + (columns if width >= ROOMY else 0)
