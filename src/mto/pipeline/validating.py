"""Whether a task holds together: its file, its rows, and each template family with a checkpoint's tokenizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mto.errors import TemplateError
from mto.pipeline.inputs import choose_phrase
from mto.pipeline.kinds import ALL_OF, METRICS_OF
from mto.pipeline.show import load_adapter
from mto.tasks import Task, load_task
from mto.templates import encode_many

SHOWN = 5
"""Odd rows that are quoted."""


@dataclass(frozen=True)
class FamilyCheck:
    """One family on the first test rows (or train rows): the longest source in ids, or why it cannot be written."""

    family: str
    longest: int | None
    reason: str = ""


@dataclass(frozen=True)
class Validation:
    """What was found.

    Attributes:
        splits: rows of each file, those that can be used.
        answers: how often each label, or each place of the right choice, is right in the train file; empty for others.
        guessing: what guessing scores, in points; None without options.
        odd: rows that were mended or left out.
        first_odd: some of them, with file and line.
        metrics: those of a run that names none.
    """

    name: str
    kind: str
    relation: str
    fields: tuple[str, ...]
    splits: Mapping[str, int]
    answers: Mapping[str, int]
    guessing: float | None
    odd: int
    first_odd: tuple[str, ...]
    families: tuple[FamilyCheck, ...]
    metrics: tuple[str, ...]


def validate_task(
    task: str | Path | Task,
    *,
    data: Any = None,
    relation: str | None = None,
    model: str | Path = "mini",
    rows: int = 50,
) -> Validation:
    """Read a task and write its rows under every family of its kind; nothing is trained and no weights are read.

    Args:
        data, relation: as for `load_task`.
        model: the checkpoint whose tokenizer is asked.
        rows: so many rows are written under each family.

    Raises:
        MtoError: the file or the rows cannot be used at all, as `load_task` raises it.

    >>> found = validate_task("household/ObjectUse", rows=5)
    >>> found.kind, found.odd, all(check.longest for check in found.families)
    ('completion', 0, True)
    """
    from mto.pipeline.config import METRICS

    loaded = load_task(task, data=data, relation=relation)
    adapter = load_adapter(model)
    some = (loaded.test or loaded.train)[:rows]
    checks = []
    for family in ALL_OF[loaded.kind]:
        try:
            template = loaded.form.template(
                family, phrase=choose_phrase(loaded, 0), fields=loaded.fields, adapter=adapter
            )
            encoded = encode_many([template.render(example.fields) for example in some], adapter)
            checks.append(FamilyCheck(family, max(len(item.source_ids) for item in encoded)))
        except TemplateError as error:
            checks.append(FamilyCheck(family, None, error.message))
    options = [len(loaded.form.names(example.fields)) for example in loaded.test or loaded.train]
    return Validation(
        name=loaded.name,
        kind=loaded.kind,
        relation=loaded.relation,
        fields=loaded.fields,
        splits={name: len(getattr(loaded, name)) for name in ("train", "dev", "test")},
        answers=_answers(loaded),
        guessing=round(sum(100 / n for n in options) / len(options), 2) if all(options) else None,
        odd=len(loaded.warnings),
        first_odd=tuple(map(str, loaded.warnings[:SHOWN])),
        families=tuple(checks),
        metrics=METRICS_OF.get(loaded.kind, METRICS),
    )


def _answers(task: Task) -> dict[str, int]:
    if task.form.labels:
        found = Counter(example.targets[0] for example in task.train)
        return {label: found[label] for label in task.form.labels}
    places = Counter(example.choices.index(example.targets[0]) for example in task.train if example.choices)
    return {f"choice {place + 1}": places[place] for place in sorted(places)}
