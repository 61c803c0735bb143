"""A report as one HTML file: no scripts, nothing fetched, light and dark, phone and desktop."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from mto.report import notes
from mto.report.expected import expected_plot, said
from mto.report.numbers import duration, estimate, percent_gain, points, signed, span
from mto.report.plots import NARROW, WIDE, dev_plot, means_plot
from mto.report.results import Comparison
from mto.report.summary import summarise
from mto.report.tables import (
    asked,
    dev_table,
    family_table,
    gain_lines,
    machine,
    pair_table,
    score_table,
    task_rows,
)
from mto.report.theme import family_marks
from mto.report.titles import metric_title, model_name, task_labels
from mto.report.values import Summary

KINDS = {"good": "went well", "bad": "went badly", "drawn": "drawn blindly"}


def render_html(comparison: Comparison, summary: Summary | None = None) -> str:
    """The whole report as one HTML page. Everything from the results is escaped; equal results give equal bytes."""
    summary = summary or summarise(comparison)
    marks = family_marks(comparison)
    names = list(marks)
    return template("report.html").render(
        c=comparison,
        s=summary,
        model=model_name(comparison),
        metric=metric_title(comparison.metric),
        cards=_cards(comparison, summary),
        marks=list(marks.values()),
        index={name: number for number, name in enumerate(names)},
        titles={family.name: family.title for family in comparison.families},
        labels=task_labels(comparison),
        kinds=KINDS,
        means=both_widths(means_plot, comparison, summary),
        dev=both_widths(dev_plot, comparison),
        expected=both_widths(expected_plot, comparison),
        said=[match for task in comparison.tasks if (match := said(comparison, task.name))],
        match_notes=notes.match_notes(comparison),
        scores=[(scope, score_table(comparison, scope)) for scope in _scopes(summary)],
        tests={scope.name: pair_table(scope) for scope in _scopes(summary)},
        gains={scope.name: gain_lines(scope) for scope in _scopes(summary)},
        dev_table=dev_table(comparison),
        dev_tables=[
            (task.name, found) for task in comparison.tasks if (found := dev_table(comparison, [task.name]))
        ],
        score_notes=notes.score_notes(comparison),
        pair_notes=notes.pair_notes(summary),
        dev_notes=notes.dev_notes(comparison),
        missing=notes.missing_note(summary),
        task_table=task_rows(comparison),
        family_table=family_table(comparison),
        asked=asked(comparison),
        machine=machine(comparison),
        duration=duration(comparison.hours),
    )


def _scopes(summary: Summary) -> list[Any]:
    if summary.whole is None:
        return []
    return [summary.whole, *(summary.tasks if len(summary.tasks) > 1 else ())]


def both_widths(plot: Any, *values: Any) -> dict[str, str] | None:
    """The wide and the narrow version; the page shows the one that fits."""
    wide = plot(*values, width=WIDE)
    return {"wide": wide, "narrow": plot(*values, width=NARROW)} if wide else None


def _cards(comparison: Comparison, summary: Summary) -> list[dict[str, str]]:
    """Up to four figures for the top of the page."""
    whole = summary.whole
    if whole is None:
        return []
    cards = []
    for key, label in (("aligned", "Aligned"), ("conventional", "Conventional")):
        if (line := whole.line(key)) is not None:
            cards.append({"label": label, "value": points(line.score.mean), "note": span(line.score)})
    if whole.gain is not None:
        difference = whole.gain.difference
        note = span(difference, sign=True)
        cards.append({"label": "Difference in points", "value": signed(difference.mean), "note": note})
        if whole.gain.ratio is not None:
            value, _, rest = percent_gain(whole.gain.ratio).partition(" [")
            cards.append({"label": "Gain", "value": value, "note": f"[{rest}"})
    if not cards:
        for line in sorted(whole.families, key=lambda line: -line.score.mean)[:4]:
            value, _, rest = estimate(line.score).partition(" ")
            cards.append({"label": line.label, "value": value, "note": rest})
    elif (nearest := whole.line("nearest head")) is not None:
        cards.append(
            {"label": "Copying the nearest", "value": points(nearest.score.mean), "note": span(nearest.score)}
        )
    return cards


@cache
def template(name: str) -> Any:
    """A page of this room, with everything that is put into it escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mto.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tight"] = tight
    return environment.get_template(name)


def tight(text: str) -> str:
    """A sentence whose intervals, percentages and p-values do not break over lines.

    >>> tight("+1 % [+0.5, +1.5], p = 0.01").count(" ")
    1
    """
    text = re.sub(r"\[([^\[\] ]+), ([^\[\] ]+)\]", "[\\1,\u00a0\\2]", text)
    text = re.sub(r"(\d) %", "\\1\u00a0%", text)
    text = re.sub(r"% \[", "%\u00a0[", text)
    return re.sub(r"\bp ([=<]) (\d)", "p\u00a0\\1\u00a0\\2", text)
