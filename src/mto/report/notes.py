"""The words under tables and plots, the same in every kind of report."""

from __future__ import annotations

from mto.report.results import Comparison
from mto.report.titles import chooser, metric_remark, metric_title
from mto.report.values import Summary

MISSING_NAMED = 12  # so many missing cells are named one by one


_BY = {
    "sum": "nats in all",
    "token": "nats a token",
    "byte": "nats a byte",
    "calibrated": "nats in all minus those without the question",
}
"""What each ranking looks at."""


def ranked_note(metric: str, ranking: str) -> str:
    """How to read scores of tasks with options.

    Args:
        metric: the first column's.
        ranking: that calibration error and macro F1 are of.
    """
    first = " (the first column)" if metric == "rank_sum" else ""
    also = "" if ranking == "sum" else ", and so is macro F1"
    return (
        f"Ranked: the likeliest option, by nats in all{first}, a token, a byte, or in all minus those without "
        "the question (calibrated). Written: what was generated, right only where it equals the right option; near misses "
        f"are wrong, and counted. Calibration error: of the ranking by {_BY.get(ranking, ranking)}, ten bins{also}."
    )


def score_notes(comparison: Comparison) -> list[str]:
    """How to read a table of scores."""
    metric = metric_title(comparison.metric)
    options = any(task.kind in ("multiple-choice", "classification") for task in comparison.tasks)
    notes = [
        f"{metric} from 0 to 100, best over all references of a head. Brackets, here and above: 95 % interval, crossed bootstrap over "
        "heads and seeds. Over several tasks: the mean of the tasks' means.",
    ]
    if comparison.stage == "tuned":
        notes.append(
            f"Aligned: for each split the family that {chooser(comparison)} chose; test data had no say. Conventional: the usual "
            "text-to-text form. Rate × steps: what dev data chose most often."
        )
        notes.append(
            "Copying: the tail of the few-shot row with the nearest head, or the most frequent tail; no model."
            if not options
            else "Most frequent answer: the label, or the place of the right choice, that is right most often in the few-shot "
            "rows; guessing: one over the number of options. Copying: the label of the few-shot row with the nearest text."
        )
    if any(task.folds for task in comparison.tasks):
        notes.append(
            "Scores by k-fold: training sets of different folds share rows, so intervals are a little too narrow."
        )
    if options:
        notes.append(ranked_note(comparison.metric, comparison.ranking))
    if len(comparison.seeds) == 1 and comparison.stage == "tuned":
        notes.append("One seed: intervals hold the chance of heads alone.")
    shown = sorted({name for cell in comparison.cells for name in cell.scores})
    notes += [f"{metric_title(name)}: {remark}" for name in shown if (remark := metric_remark(name))]
    return notes


def match_notes(comparison: Comparison) -> list[str]:
    """How to read what matching said."""
    return [
        "Matching reads the labelled rows alone, before anything is tuned. Expected: the score above or below the mean of the "
        "families, with an 80 % interval, mean over the seeds; “chosen”: in how many seeds. Where it is too close to call, the "
        "one with the shortest examples is taken of those that are expected within 1 % of the best. The sentences are those of the first seed.",
        *(
            ["Not tuned: a family that matching put behind, and that was not asked for."]
            if {f.family for m in comparison.matches for f in m.forecasts}
            - {f.name for f in comparison.families}
            else []
        ),
    ]


def pair_notes(summary: Summary) -> list[str]:
    """How to read a table of tests."""
    scope = (
        "the pairs of this table"
        if len(summary.tasks) < 2
        else "the pairs of one table of all tasks, and over the pairs of all single tasks together"
    )
    return [
        "Paired sign-flip test per head on the mean over seeds, two-sided; Holm's correction over "
        f"{scope}; the reading gives corrected p-values. The test speaks of these seeds; the interval knows the chance of seeds too. "
        "Shown: corrected p at most 0.05 and an interval without 0."
    ]


def dev_notes(comparison: Comparison) -> list[str]:
    """How to read dev scores by rate."""
    notes = [
        f"Dev {metric_title(comparison.metric)} (higher is better) and nats a byte of the dev answers (lower is "
        "better), each at its best rung of steps, mean over sweeps. (3×): three sweeps chose this rate."
    ]
    if any(sweep.extended for sweep in comparison.sweeps):
        notes.append(
            "Some grids were extended because the best rate stood at their edge. Rates that not all sweeps tried, such "
            "as (2/4), are hollow marks; their means are moved by how those sweeps differ from all without tuning."
        )
    return notes


def missing_note(summary: Summary) -> str | None:
    """What an unfinished run has not done yet."""
    if not summary.missing:
        return None
    named = "; ".join(summary.missing[:MISSING_NAMED])
    more = len(summary.missing) - MISSING_NAMED
    return (
        f"Unfinished: {len(summary.missing)} cells are missing ({named}{f'; and {more} more' if more > 0 else ''}). "
        "Tables hold only the seeds that every family has finished."
    )
