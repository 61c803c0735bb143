"""Writing the report of a whole run into its folder."""

from __future__ import annotations

from pathlib import Path

from mto.report.plots import means_plot
from mto.report.results import RESULTS
from mto.report.svg import standalone
from mto.report.whole.html import render_whole_html
from mto.report.whole.losses import losses_plot
from mto.report.whole.markdown import render_whole_markdown
from mto.report.whole.results import WholeResults, write_whole_results
from mto.report.whole.summary import WholeSummary, plotted, summarise_whole
from mto.report.write import HTML, MARKDOWN, METRICS, PLOTS
from mto.runs import write_json, write_text


def write_whole_report(
    results: WholeResults, folder: str | Path, summary: WholeSummary | None = None
) -> WholeSummary:
    """Write ``results.json``, ``metrics.json``, ``report.md`` with ``plots/*.svg``, and ``report.html``.

    Equal results give equal bytes.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    folder = Path(folder)
    summary = summary or summarise_whole(results)
    write_whole_results(results, folder / RESULTS)
    write_json(folder / METRICS, summary.to_dict())
    pictures = {"means": means_plot(summary.view, plotted(summary)), "losses": losses_plot(results)}
    for name, svg in pictures.items():
        if svg is not None:
            write_text(folder / PLOTS / f"{name}.svg", standalone(svg))
    write_text(folder / MARKDOWN, render_whole_markdown(results, summary, plots=PLOTS))
    write_text(folder / HTML, render_whole_html(results, summary))
    return summary
