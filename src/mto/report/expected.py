"""What matching said before anything was tuned: one picture, and the sentences beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mto.report.plots import FOOT, HEAD, ROW, WIDE, blank_figure, in_pixels
from mto.report.results import Comparison, MatchInfo
from mto.report.svg import GRID_HEX, MUTED_HEX, draw, family_hex
from mto.report.theme import Mark, family_marks
from mto.report.titles import task_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Expected:
    """What was expected of one family of one task: means over the seeds, and in how many of them it was chosen."""

    family: str
    value: float
    low: float
    high: float
    chosen: int
    seeds: int


def expected_of(comparison: Comparison, task: str) -> tuple[Expected, ...]:
    """The forecasts of a task, the best expected first; empty where it was not matched."""
    matches = [m for m in comparison.matches if m.task == task]
    families = dict.fromkeys(f.family for m in matches for f in m.forecasts)
    found = []
    for family in families:
        several = [f for m in matches for f in m.forecasts if f.family == family]
        low, value, high = (
            sum(getattr(f, name) for f in several) / len(several) for name in ("low", "expected", "high")
        )
        chosen = sum(m.family == family for m in matches)
        found.append(Expected(family, value, low, high, chosen, len(matches)))
    return tuple(sorted(found, key=lambda one: -one.value))


def said(comparison: Comparison, task: str) -> MatchInfo | None:
    """What matching said about a task with the rows of its first matched seed."""
    return next((m for m in comparison.matches if m.task == task), None)


def expected_plot(comparison: Comparison, *, width: int = WIDE) -> str | None:
    """Families by the score that matching expected, a group of rows a task, as SVG; None where nothing was matched.

    The x axis is the score above or below the mean of the families in percent of that mean; bars are 80 % intervals.
    """
    groups = [(t.name, found) for t in comparison.tasks if (found := expected_of(comparison, t.name))]
    if not groups:
        return None
    marks, labels = family_marks(comparison), task_labels(comparison)
    titles = {family.name: family.title for family in comparison.families}
    drawn = [(labels[name], found) for name, found in groups]
    text = "score that matching expected of each family, by task, with 80 % interval"
    return draw(f"expected-{width}", text, lambda: _expected(drawn, marks, titles, width), marks)


def _expected(
    groups: Sequence[tuple[str, Sequence[Expected]]],
    marks: dict[str, Mark],
    titles: dict[str, str],
    width: int,
) -> Figure:
    height = sum(HEAD + ROW * len(found) for _, found in groups) + FOOT
    figure = blank_figure(width, height)
    left, right = (150, 110) if width >= WIDE else (112, 64)
    axes = figure.add_axes((left / width, FOOT / height, 1 - (left + right) / width, 1 - FOOT / height))
    axes.axvline(0, color=GRID_HEX, linewidth=1.5)
    y = 0.0
    for label, found in groups:
        axes.text(-left + 2, y + HEAD * 0.62, label, transform=in_pixels(axes), weight="bold", va="center")
        y += HEAD
        for one in found:
            _row(axes, one, y + ROW / 2, marks, titles, (left, right), width)
            y += ROW
    axes.set_ylim(y + 4, 0)
    axes.set_yticks([])
    axes.grid(axis="x")
    axes.tick_params(axis="x", length=0, pad=6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
    axes.set_xlabel(
        "expected score against the mean of the families" if width >= WIDE else "expected score", labelpad=6
    )
    return figure


def _row(
    axes: Any,
    one: Expected,
    y: float,
    marks: dict[str, Mark],
    titles: dict[str, str],
    edges: tuple[int, int],
    width: int,
) -> None:
    known = one.family in marks
    colour = family_hex(list(marks).index(one.family)) if known else MUTED_HEX
    text = {"transform": in_pixels(axes), "va": "center_baseline"}
    weight = "bold" if one.chosen else "normal"
    axes.text(
        -edges[0] + 10,
        y,
        titles.get(one.family, one.family),
        color=colour,
        fontsize=11,
        weight=weight,
        **text,
    )
    axes.plot([one.low, one.high], [y, y], color=colour, linewidth=3, solid_capstyle="round", alpha=0.45)
    shape = marks[one.family].shape if known else "o"
    axes.plot(
        [one.value], [y], color=colour, marker=shape, markersize=8, linestyle="none",
        fillstyle="full" if known else "none", clip_on=False,
    )  # fmt: skip
    note = f"chosen {one.chosen} of {one.seeds}" if one.chosen else "" if known else "not tuned"
    if width < WIDE and one.chosen:
        note = f"{one.chosen} of {one.seeds}"
    axes.text(width - edges[0] - edges[1] + 8, y, note, color=MUTED_HEX, fontsize=10, **text)
