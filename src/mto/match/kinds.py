"""What matching can say of each kind of task: which signals are silent there, and what a reader should know."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mto.match.config import Signal
from mto.tasks import Form, Row

CLASSIFIER = (
    "it does not apply to {kind} tasks: it learnt from heads and tails of a few words, and of longer inputs its answer goes by "
    "their length"
)
"""Why the task classifier has no voice; docs/matching/classifier.md has the figures."""
WEIGHTS = "what the signals and families weigh was learnt from completion tasks; of a {kind} task take type and family as a first guess"
MEASURED = {
    "classification": "over three classification tasks Mapping, once tuned, was on average no worse than the family that matching chose, on every "
    "embedded checkpoint (docs/results/every_task.md): let dev rows choose between the two, as mto run --choose dev does"
}
"""What is known of the choice on a kind of task, beyond that."""


def silent_signals(form: Form, asked: Collection[Signal]) -> dict[str, str]:
    """Signals among those asked that say nothing of tasks of this kind, with the reason.

    >>> list(silent_signals(Form(kind="text-to-text"), ("guidelines", "classifier")))
    ['classifier']
    """
    if form.kind == "completion" or "classifier" not in asked:
        return {}
    return {"classifier": CLASSIFIER.format(kind=form.kind)}


def notes_on_kind(form: Form, labelled: Sequence[Row]) -> tuple[str, ...]:
    """What a reader should know of a matching because of the kind of task; nothing for completion."""
    if form.kind == "completion":
        return ()
    notes = [WEIGHTS.format(kind=form.kind)]
    if form.kind in MEASURED:
        notes.append(MEASURED[form.kind])
    seen = {row.target for row in labelled}
    lacking = [name for name in form.labels if name not in seen]
    if lacking and labelled:
        names = ", ".join(f"'{name}'" for name in lacking)
        notes.append(f"no labelled row has the label {names}, so nothing is known of how it is expected")
    return tuple(notes)
