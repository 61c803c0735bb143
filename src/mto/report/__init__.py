"""Tables, plots and pages from what comparisons found out. Takes results, gives text; trains and scores nothing."""

from mto.report.results import (
    Baseline,
    Cell,
    Choice,
    Comparison,
    FamilyInfo,
    ModelInfo,
    Shown,
    SweepInfo,
    SweepPoint,
    TaskInfo,
    read_results,
    write_results,
)

__all__ = [
    "Baseline",
    "Cell",
    "Choice",
    "Comparison",
    "FamilyInfo",
    "ModelInfo",
    "Shown",
    "SweepInfo",
    "SweepPoint",
    "TaskInfo",
    "read_results",
    "write_results",
]
