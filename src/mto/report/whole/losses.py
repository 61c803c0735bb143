"""The picture of what each adaptation did to the held-out losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mto.report.plots import WIDE, blank_figure, in_pixels
from mto.report.svg import INK_HEX, draw, family_hex
from mto.report.theme import SYSTEMS as MARKS
from mto.report.whole.results import SHORT, AdaptationInfo, WholeResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW, HEAD, FOOT = 19, 32, 44  # pixels of a row, of a loss's name, of the axis below


def losses_plot(results: WholeResults, *, width: int = WIDE) -> str | None:
    """Losses before and after each adaptation, a group of rows a loss, as SVG; None without adaptations."""
    groups = _groups(results)
    if not groups:
        return None
    marks = {str(key): MARKS[key] for key in results.systems}
    label = "losses before and after each adaptation, nats a token"
    return draw(f"losses-{width}", label, lambda: _figure(groups, list(marks), results, width), marks)


def _groups(results: WholeResults) -> list[tuple[str, list[AdaptationInfo]]]:
    """Each loss with the adaptations that measured it."""
    names = dict.fromkeys(
        name for one in results.adaptations for name in one.before if "/" in name and "bits" not in name
    )
    found = [
        (name, [one for one in results.adaptations if name in one.before and name in one.after])
        for name in names
    ]
    return [(name, several) for name, several in found if several]


def _figure(
    groups: Sequence[tuple[str, list[AdaptationInfo]]], order: list[str], results: WholeResults, width: int
) -> Figure:
    height = sum(HEAD + ROW * len(several) for _, several in groups) + FOOT
    figure = blank_figure(width, height)
    left, right = (170, 20) if width >= WIDE else (140, 12)
    axes = figure.add_axes((left / width, FOOT / height, 1 - (left + right) / width, 1 - FOOT / height))
    values = [loss[name] for name, several in groups for one in several for loss in (one.before, one.after)]
    room = 0.06 * (max(values) - min(values) or 1.0)
    y = 0.0
    small = {"transform": in_pixels(axes), "va": "center_baseline", "fontsize": 11}
    for name, several in groups:
        axes.text(-left + 2, y + HEAD * 0.62, _title(name), color=INK_HEX, weight="bold", **small)
        for number, one in enumerate(several):
            at, colour = y + HEAD + ROW * (number + 0.5), family_hex(order.index(one.system))
            before, after, shape = one.before[name], one.after[name], MARKS[one.system].shape
            axes.text(-left + 10, at, _row(one, results), color=colour, **small)
            axes.plot([before, after], [at, at], color=colour, linewidth=2, alpha=0.45)
            axes.plot(
                [before], [at], color=colour, marker=shape, markersize=6, fillstyle="none", linestyle="none"
            )
            axes.plot([after], [at], color=colour, marker=shape, markersize=8, linestyle="none")
        y += HEAD + ROW * len(several)
    axes.set_ylim(y + 4, 0)
    axes.set_xlim(min(values) - room, max(values) + room)
    axes.set_yticks([])
    axes.grid(axis="x")
    axes.tick_params(axis="x", length=0, pad=6)
    axes.set_xlabel("nats a token, before and after", labelpad=6)
    return figure


def _title(name: str) -> str:
    what, _, written = name.partition("/")
    told = {"pairs": "held-out pairs", "general": "general text", "sentences": "held-out sentences"}
    return f"{told.get(what, what)}, as {written}"


def _row(one: AdaptationInfo, results: WholeResults) -> str:
    short = SHORT[one.system]
    if len(one.tasks) == len(results.tasks):
        return short
    return f"{short}: {one.tasks[0].rpartition('/')[2]}"
