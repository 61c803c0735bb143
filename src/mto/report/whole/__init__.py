"""The report of the whole way: what each system scored, what adaptation did, and whether it was worth it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.report.whole.results import WholeResults, is_whole_results, read_whole_results
    from mto.report.whole.summary import WholeSummary, summarise_whole
    from mto.report.whole.terminal import render_whole_terminal
    from mto.report.whole.write import write_whole_report

_HOMES = {
    "WholeResults": "results",
    "WholeSummary": "summary",
    "is_whole_results": "results",
    "read_whole_results": "results",
    "render_whole_terminal": "terminal",
    "summarise_whole": "summary",
    "write_whole_report": "write",
}

__all__ = [
    "WholeResults",
    "WholeSummary",
    "is_whole_results",
    "read_whole_results",
    "render_whole_terminal",
    "summarise_whole",
    "write_whole_report",
]

__getattr__ = lazily(__name__, _HOMES)
