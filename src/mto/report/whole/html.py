"""The report of a whole run as one HTML file: no scripts, nothing fetched, light and dark, phone and desktop."""

from __future__ import annotations

from mto.report.html import KINDS, both_widths, template
from mto.report.numbers import duration, percent_gain, points, signed, span
from mto.report.plots import means_plot
from mto.report.tables import asked, machine, task_rows
from mto.report.theme import family_marks
from mto.report.titles import labels_of, metric_title, model_name
from mto.report.whole import notes
from mto.report.whole.losses import losses_plot
from mto.report.whole.results import SYSTEMS, WholeResults
from mto.report.whole.summary import WholeSummary, plotted, summarise_whole
from mto.report.whole.tables import (
    aligned_table,
    leak_lines,
    loss_table,
    planned_table,
    preparation_table,
    stage_table,
    system_table,
)


def render_whole_html(results: WholeResults, summary: WholeSummary | None = None) -> str:
    """The whole report as one HTML page. Everything from the results is escaped; equal results give equal bytes."""
    summary = summary or summarise_whole(results)
    view = summary.view
    marks = family_marks(view)
    return template("whole.html").render(
        c=view,
        s=summary,
        r=results,
        model=model_name(view),
        metric=metric_title(results.metric),
        cards=_cards(summary, metric_title(results.metric)),
        marks=list(marks.values()),
        index={name: number for number, name in enumerate(marks)},
        titles=SYSTEMS,
        labels=labels_of(results.tasks),
        kinds=KINDS,
        means=both_widths(means_plot, view, plotted(summary)),
        losses=both_widths(losses_plot, results),
        scopes=[
            (scope, system_table(results, summary, scope), planned_table(scope)) for scope in summary.scopes
        ],
        aligned=aligned_table(results),
        preparation=preparation_table(results),
        leaks=leak_lines(results),
        loss_table=loss_table(results),
        system_notes=[*notes.system_notes(results), *notes.control_notes(results)],
        test_notes=notes.test_notes(summary),
        loss_notes=notes.loss_notes(results),
        stages=stage_table(results),
        task_table=task_rows(view),
        asked=asked(view),
        machine=machine(view),
        duration=duration(results.hours),
    )


def _cards(summary: WholeSummary, metric: str) -> list[dict[str, str]]:
    """Four figures for the top of the page."""
    whole, gains = summary.whole, summary.gains[summary.whole.name]
    cards = []
    for key, label in (("adapted", f"The whole way, {metric}"), ("conventional", "Conventional")):
        if (line := whole.line(key)) is not None:
            cards.append({"label": label, "value": points(line.score.mean), "note": span(line.score)})
    for over, label in (("conventional", "Gain over conventional"), ("aligned", "Gain by adaptation")):
        found = gains.get(("adapted", over))
        if found is None:
            continue
        if found.ratio is not None:
            value, _, rest = percent_gain(found.ratio).partition(" [")
            cards.append({"label": label, "value": value, "note": f"[{rest}"})
        else:
            difference = found.difference
            cards.append(
                {
                    "label": f"{label}, points",
                    "value": signed(difference.mean),
                    "note": span(difference, sign=True),
                }
            )
    return cards
