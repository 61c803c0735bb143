"""Writing a report into a run folder."""

from __future__ import annotations

from pathlib import Path

from mto.report.expected import expected_plot
from mto.report.html import render_html
from mto.report.markdown import render_markdown
from mto.report.plots import dev_plot, means_plot
from mto.report.results import RESULTS, Comparison, write_results
from mto.report.summary import summarise
from mto.report.svg import standalone
from mto.report.values import Summary
from mto.runs import write_json, write_text

METRICS, MARKDOWN, HTML, PLOTS = "metrics.json", "report.md", "report.html", "plots"


def write_report(comparison: Comparison, folder: str | Path, summary: Summary | None = None) -> Summary:
    """Write ``results.json``, ``metrics.json``, ``report.md`` with ``plots/*.svg``, and ``report.html``.

    Equal results give equal bytes. An unfinished run gets a report too, which says what is missing.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    folder = Path(folder)
    summary = summary or summarise(comparison)
    write_results(comparison, folder / RESULTS)
    write_json(folder / METRICS, summary.to_dict())
    pictures = {
        "means": means_plot(comparison, summary),
        "expected": expected_plot(comparison),
        "dev": dev_plot(comparison),
    }
    for name, svg in pictures.items():
        if svg is not None:
            write_text(folder / PLOTS / f"{name}.svg", standalone(svg))
    write_text(folder / MARKDOWN, render_markdown(comparison, summary, plots=PLOTS))
    write_text(folder / HTML, render_html(comparison, summary))
    return summary
