"""What a preparation reads of its tasks: their rows, and what selection is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mto.prepare.config import PrepareConfig
from mto.tasks import Split, Task, is_rows_file, load_task


def load(ref: str, config: PrepareConfig) -> Task:
    """A task of the configuration.

    Raises:
        MtoError: as `load_task` raises it.
    """
    own = (config.phrase,) if config.phrase is not None else ()
    # Other tasks have columns of their own; where no rows are given at all, loading says so.
    files = [one for one in config.tasks if config.data or is_rows_file(one)] or config.tasks
    about: dict[str, Any] = {"columns": config.columns, "delimiter": config.delimiter} if ref in files else {}
    return load_task(ref, data=config.data, relation=config.relation, phrases=own, **about)


def selected_by(task: Task, split: Split) -> dict[str, Any]:
    """What selection looks for: phrases, the words of labels, and labelled rows as queries.

    A query is the input with its right answer; of a classification the text alone, whose label is looked for by its words.
    """
    classes = task.kind == "classification"
    return {
        "name": task.name,
        "phrases": [*task.phrases, *task.wordings],
        "labels": {name: list(words) for name, words in task.form.labels.items()} if classes else {},
        "rows": [[row.head] if classes else [row.head, row.target] for row in split.train],
    }


def told(tasks: Sequence[Task]) -> list[str]:
    """What the datasheet says of how tasks of other kinds than completion were looked for and guarded."""
    notes = []
    others = [task for task in tasks if task.kind != "completion"]
    if others:
        notes.append(
            "A sentence gives an item (a question, a text with its label, a source with its target) away that holds a text of it of five words or "
            "more word after word (of a classification the text alone, whatever its label), or three quarters of the content words of its input "
            "together with the right answer."
        )
    for task in others:
        if not any(_literal(phrase) for phrase in (*task.phrases, *task.wordings)):
            what = "its phrases have no words of their own" if task.phrases else "it has no phrase"
            notes.append(f"{task.name}: {what}, so no sentence was chosen by phrase.")
    return notes


def _literal(phrase: str) -> bool:
    """Whether a phrase has words of its own."""
    from mto.prepare.phrases import PhraseBook
    from mto.prepare.words import Normaliser

    return PhraseBook([[phrase]], Normaliser()).looks_for_something
