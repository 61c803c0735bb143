"""The two pictures of a report: means with intervals, and dev score by rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mto.report import numbers
from mto.report.dev import DevCurve, dev_curves
from mto.report.results import Comparison
from mto.report.svg import GRID_HEX, INK_HEX, MUTED_HEX, draw, family_hex
from mto.report.theme import Mark, family_marks
from mto.report.titles import metric_title
from mto.report.values import Line, Scope, Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, NARROW = 760, 380  # pixels; the narrow ones are for phones
GAP, DIGIT, HOLLOW = (
    6,
    6,
    5,
)  # pixels before a number, of one of its characters, half a hollow mark with its edge
ROW, HEAD, FOOT = 19, 34, 46  # pixels of a row, of a group's name, of the axis below


def means_plot(comparison: Comparison, summary: Summary, *, width: int = WIDE) -> str | None:
    """Means with intervals, a group of rows a task, as SVG; None when nothing is finished.

    A filled mark is the tuned family, a hollow one the same without tuning, a diamond-shaped ink mark the aligned
    way, a dashed line copying the nearest head.
    """
    if summary.whole is None:
        return None
    scopes = [summary.whole, *(summary.tasks if len(summary.tasks) > 1 else ())]
    marks = family_marks(comparison)
    title = metric_title(comparison.metric)
    label = f"{title} of each family with 95 % interval, by task"
    return draw(f"means-{width}", label, lambda: _means(scopes, marks, title, width), marks)


def dev_plot(comparison: Comparison, *, width: int = WIDE) -> str | None:
    """Dev metric and dev likelihood by rate for each family, over all sweeps, as SVG; None without sweeps."""
    curves = dev_curves(comparison)
    if not curves:
        return None
    marks = family_marks(comparison)
    title = metric_title(comparison.metric)
    label = f"dev {title} and dev nats a byte of each family by learning rate"
    return draw(f"dev-{width}", label, lambda: _dev(curves, marks, title, width), marks)


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of so many pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72))


def _means(scopes: Sequence[Scope], marks: dict[str, Mark], title: str, width: int) -> Figure:
    rows = [[line for line in scope.lines if line.kind in ("family", "aligned")] for scope in scopes]
    height = sum(HEAD + ROW * len(lines) for lines in rows) + FOOT
    figure = blank_figure(width, height)
    left, right = (150, 14) if width >= WIDE else (112, 10)
    axes = figure.add_axes((left / width, FOOT / height, 1 - (left + right) / width, 1 - FOOT / height))
    lines_of_all = [line for lines in rows for line in lines]
    ends = [
        1.0,
        *(line.score.high for line in lines_of_all),
        *(line.zero_shot or 0.0 for line in lines_of_all),
    ]
    ends += [near.score.mean for scope in scopes if (near := scope.line("nearest head")) is not None]
    limit = (1.06 if width >= WIDE else 1.13) * max(ends)  # room for the last number
    pixel = limit / (width - left - right)
    y = 0.0
    for scope, lines in zip(scopes, rows, strict=True):
        axes.text(
            -left + 2, y + HEAD * 0.62, scope.label, transform=in_pixels(axes), weight="bold", va="center"
        )
        top = y + HEAD
        for number, line in enumerate(lines):
            _mean_row(axes, line, top + ROW * (number + 0.5), marks, left, pixel)
        y = top + ROW * len(lines)
        if (nearest := scope.line("nearest head")) is not None:
            x = nearest.score.mean
            axes.plot([x, x], [top, y], color=MUTED_HEX, linewidth=1.5, linestyle=(0, (3, 2)))
            if scope is scopes[0]:
                axes.text(x, top - 5, "copying", color=MUTED_HEX, fontsize=10, ha="center", va="bottom")
    axes.set_ylim(y + 4, 0)
    axes.set_xlim(0, limit)
    axes.set_yticks([])
    axes.grid(axis="x")
    axes.tick_params(axis="x", length=0, pad=6)
    axes.set_xlabel(f"{title}{' on the test heads' if width >= WIDE else ''}, with 95 % interval", labelpad=6)
    return figure


def number_place(line: Line, pixel: float) -> tuple[float, float]:
    """Where the number of a row begins: behind its interval, or behind the hollow mark that would stand on it.

    Args:
        pixel: units of the axis in one pixel.

    Returns:
        A place on the axis, and the pixels from there to the number.
    """
    begin = line.score.high + GAP * pixel
    end = begin + DIGIT * len(numbers.points(line.score.mean)) * pixel
    hollow = line.zero_shot if line.kind == "family" else None
    if hollow is None or not begin - HOLLOW * pixel <= hollow <= end + HOLLOW * pixel:
        return line.score.high, GAP
    return hollow, HOLLOW + GAP / 2


def _mean_row(axes: Any, line: Line, y: float, marks: dict[str, Mark], left: float, pixel: float) -> None:
    index = list(marks).index(line.family) if line.family in marks else None
    colour = family_hex(index) if index is not None else INK_HEX
    shape = marks[line.family].shape if line.family in marks else "d"
    name = "aligned" if line.kind == "aligned" else line.label
    small = {"transform": in_pixels(axes), "va": "center_baseline", "fontsize": 11}
    axes.text(-left + 10, y, name, color=colour, **small)
    axes.plot(
        [line.score.low, line.score.high],
        [y, y],
        color=colour,
        linewidth=3,
        solid_capstyle="round",
        alpha=0.45,
    )
    # Marks at 0 are drawn whole, over the edge.
    axes.plot(
        [line.score.mean], [y], color=colour, marker=shape, markersize=8, linestyle="none", clip_on=False
    )
    place, gap = number_place(line, pixel)
    axes.annotate(
        numbers.points(line.score.mean),
        (place, y),
        xytext=(gap, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=10,
        color=MUTED_HEX,
    )
    if line.zero_shot is not None and line.kind == "family":
        axes.plot(
            [line.zero_shot],
            [y],
            color=colour,
            marker=shape,
            markersize=6,
            fillstyle="none",
            linestyle="none",
        )


def in_pixels(axes: Any) -> Any:
    """x in pixels from the left edge of the axes, y in data."""
    from matplotlib.transforms import Affine2D, blended_transform_factory

    # The page is drawn at 72 dots an inch, so a point, a pixel and a unit of the SVG are the same.
    return blended_transform_factory(Affine2D().translate(axes.bbox.x0, 0), axes.transData)


def _dev(curves: Sequence[DevCurve], marks: dict[str, Mark], title: str, width: int) -> Figure:
    beside = width >= WIDE
    height = 300 if beside else 520
    figure = blank_figure(width, height)
    panels = figure.subplots(*((1, 2) if beside else (2, 1)))
    rates = sorted({point.rate for curve in curves for point in curve.points})
    for axes, (field, label) in zip(
        panels,
        (
            ("metric", f"dev {title}  (higher is better)"),
            ("nats_per_byte", "dev nats a byte  (lower is better)"),
        ),
        strict=True,
    ):
        for curve in curves:
            _dev_curve(axes, curve, rates, field, list(marks).index(curve.family), marks[curve.family].shape)
        axes.set_xticks(
            [-1, *range(len(rates))], ["none", *(numbers.rate(rate) for rate in rates)], fontsize=11
        )
        axes.set_xlim(-1.4, len(rates) - 0.6)
        axes.set_title(label, loc="left", fontsize=12)
        axes.set_xlabel("learning rate" if len(rates) else "")
        axes.grid(axis="y")
        axes.tick_params(length=0, pad=5)
        axes.axvline(-0.5, color=GRID_HEX, linewidth=1, linestyle=(0, (2, 2)))
    edge = 44 / width
    if beside:
        figure.subplots_adjust(left=edge, right=1 - 8 / width, top=0.9, bottom=0.17, wspace=0.17)
    else:
        figure.subplots_adjust(left=edge, right=1 - 8 / width, top=0.95, bottom=0.1, hspace=0.38)
    return figure


def _dev_curve(
    axes: Any, curve: DevCurve, rates: Sequence[float], field: str, index: int, shape: str
) -> None:
    colour = family_hex(index)
    at = [rates.index(point.rate) for point in curve.points]
    values = [getattr(point, field) for point in curve.points]
    axes.plot(at, values, color=colour, linewidth=1, linestyle=(0, (2, 2)))
    whole = [n for n, point in enumerate(curve.points) if point.sweeps == curve.sweeps]
    axes.plot([at[n] for n in whole], [values[n] for n in whole], color=colour, linewidth=2)
    for x, value, point in zip(at, values, curve.points, strict=True):
        style = (
            "full" if point.sweeps == curve.sweeps else "none"
        )  # hollow: a rate that only some sweeps tried
        axes.plot([x], [value], color=colour, marker=shape, markersize=7, fillstyle=style, linestyle="none")
    if curve.untuned is not None:
        axes.plot(
            [-1], [getattr(curve.untuned, field)], color=colour, marker=shape, markersize=7, linestyle="none"
        )
