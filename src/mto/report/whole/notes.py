"""The words under the tables of a whole run, the same in every kind of report."""

from __future__ import annotations

from mto.report.notes import ranked_note
from mto.report.numbers import thousands
from mto.report.titles import metric_remark, metric_title
from mto.report.whole.results import WholeResults
from mto.report.whole.summary import WholeSummary


def system_notes(results: WholeResults) -> list[str]:
    """How to read the table of systems."""
    metric = metric_title(results.metric)
    notes = [
        f"{metric} from 0 to 100, best over all references of a head. Brackets: 95 % interval, crossed bootstrap over heads and seeds. "
        "Over several tasks: the mean of the tasks' means. Gains are ratios of means, with their interval.",
        "Every system had the same labelled rows and the same sweep of rates and steps, chosen on dev data. Zero-shot: the same without tuning.",
        "Conventional: the usual text-to-text form on the checkpoint as it is. Aligned: the family of the table below, tuned on the checkpoint "
        "as it is, then on the adapted one.",
        "What is aligned was settled, and the text was chosen, with the labelled rows of the first seed; the same checkpoint serves all seeds.",
    ]
    kinds = {task.kind for task in results.tasks}
    if "multiple-choice" in kinds:
        notes.append(
            "Prompting: for multiple choice this is AnswerPrompting, the question with its choices and nothing behind it."
        )
    if kinds & {"multiple-choice", "classification"}:
        notes.append(ranked_note(results.metric, results.ranking))
    if any(task.folds for task in results.tasks):
        notes.append(
            "Scores by k-fold: the rows that text was chosen with are the rows that are scored; sentences that hold head and tail of one were "
            "left out. Training sets of different folds share rows, so intervals are a little too narrow."
        )
    if len(results.seeds) == 1:
        notes.append("One seed: intervals hold the chance of heads alone.")
    shown = sorted({name for cell in results.cells for name in cell.scores})
    return notes + [f"{metric_title(name)}: {remark}" for name in shown if (remark := metric_remark(name))]


def control_notes(results: WholeResults) -> list[str]:
    """What each control changes."""
    told = {
        "random-spans": "Random spans: the same sentences, objective and number of words, cut at a random place.",
        "wrong-objective": "Wrong objective: the same pairs, trained as the other objective (LM in place of denoising and the other way round).",
        "general": "Unselected text: as many pairs from sentences that were chosen for no task.",
    }
    notes = [text for name, text in told.items() if name in results.systems]
    return (
        ["All controls are tuned with the aligned family, as the right adaptation is.", *notes]
        if notes
        else []
    )


def test_notes(summary: WholeSummary) -> list[str]:
    """How to read a table of tests."""
    over = "the tests of this table"
    if len(summary.tasks) > 1:
        over += ", and over those of all single tasks together"
    return [
        "Paired sign-flip test per head on the mean over seeds, two-sided. The tests are those that a whole run is made for, named before it; "
        f"Holm's correction is over {over}. Shown: corrected p at most 0.05 and an interval without 0."
    ]


def loss_notes(results: WholeResults) -> list[str]:
    """How to read the table of losses."""
    notes = [
        "Nats a token before → after, with the weights that were kept. pairs/…: held-out pairs, written both ways; general/…: sentences "
        "that have nothing to do with the tasks, where a rise is forgetting. *: the loss that decided when to stop. A control's pairs are its own."
    ]
    few = [one for one in results.adaptations if 0 < one.counts.get("retention", 0) < 50]
    if few:
        notes.append(
            f"General text: only {thousands(few[0].counts['retention'])} sentences, so its losses say little."
        )
    if any(one.kept_step == 0 for one in results.adaptations):
        notes.append("Step 0 was kept: the held-out loss never fell, so the checkpoint is as it was.")
    return notes
