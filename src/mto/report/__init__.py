"""Tables, plots and pages from what comparisons found out. Takes results, gives text; trains and scores nothing."""

from mto.report.examples import pick_examples
from mto.report.html import render_html
from mto.report.markdown import render_markdown
from mto.report.page import remake_page, render_page, write_page
from mto.report.plots import dev_plot, means_plot
from mto.report.results import (
    Baseline,
    Cell,
    Choice,
    Comparison,
    FamilyInfo,
    Forecast,
    MatchInfo,
    ModelInfo,
    Shown,
    SweepInfo,
    SweepPoint,
    TaskInfo,
    Trained,
    read_results,
    write_results,
)
from mto.report.summary import summarise
from mto.report.terminal import render_terminal
from mto.report.values import Line, PairTest, Scope, Summary
from mto.report.write import write_report

__all__ = [
    "Baseline",
    "Cell",
    "Choice",
    "Comparison",
    "FamilyInfo",
    "Forecast",
    "Line",
    "MatchInfo",
    "ModelInfo",
    "PairTest",
    "Scope",
    "Shown",
    "Summary",
    "SweepInfo",
    "SweepPoint",
    "TaskInfo",
    "Trained",
    "dev_plot",
    "means_plot",
    "pick_examples",
    "read_results",
    "remake_page",
    "render_html",
    "render_markdown",
    "render_page",
    "render_terminal",
    "summarise",
    "write_page",
    "write_report",
    "write_results",
]
