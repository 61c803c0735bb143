"""Reports made again from results alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mto.errors import RunError
from mto.report import Comparison, read_results, write_report

if TYPE_CHECKING:
    from mto.report.whole import WholeResults


def report_whole_run(path: str | Path) -> WholeResults | None:
    """Read the results of a whole run; in a folder the report files are written again. None where it is no whole run.

    Raises:
        DataError: not a results file of this version.
    """
    from mto.report.whole import is_whole_results, read_whole_results, write_whole_report

    if not is_whole_results(path):
        return None
    results = read_whole_results(path)
    if Path(path).is_dir():
        write_whole_report(results, path)
    return results


def report_run(path: str | Path) -> Comparison:
    """Read the results of a run folder, or of a file; in a folder the report files are written again.

    Raises:
        RunError: no results there.
        DataError: not a results file of this version.
    """
    path = Path(path)
    if path.is_dir() and not (path / "results.json").exists():
        raise RunError(
            "holds no results", where=str(path), hint="give the folder of a finished run, or a results file"
        )
    comparison = read_results(path)
    if path.is_dir():
        write_report(comparison, path)
    return comparison
