"""Tails of other heads beside the right one, so that a completion task can be ranked like a question with choices."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from mto.errors import DataError
from mto.tasks.split import Split
from mto.tasks.task import Task, fold_case
from mto.templates import CHOICE_FIELDS, MOST_CHOICES


def with_distractors(split: Split, task: Task, number: int, *, seed: int = 0) -> Split:
    """The split whose dev and test rows have `number` choices: a right tail, and tails of other heads.

    Distractors are tails of the task's test and dev files (of the train file where there are neither), none of them right for
    the head, drawn by hashing; so is the place of the right one, which is the first tail of a test head and the target of a dev
    row. Every data seed gives a test head the same choices.

    Args:
        number: of choices, 2 to 10.

    Raises:
        DataError: the task is of another kind, or has too few different tails.

    >>> from mto.tasks import draw_split, task_from_rows
    >>> rows = [{"head": f"thing {n}", "tail": f"use {n}"} for n in range(6)]
    >>> task = task_from_rows({"train": rows[:3], "test": rows[3:]})
    >>> found = with_distractors(draw_split(task, shots=0, seed=0), task, 2).test[0]
    >>> len(found.choices), found.targets[0] in found.choices
    (2, True)
    """
    if task.kind != "completion":
        raise DataError(f"{task.name} is a {task.kind} task; tails are ranked for completion tasks")
    if not 2 <= number <= MOST_CHOICES:
        raise DataError(f"{number} tails to rank", hint=f"give 2 to {MOST_CHOICES}")
    examples = (*task.test, *task.dev) or task.train
    pool = {fold_case(tail): tail for example in examples for tail in example.targets}

    def choices(key: str, right: str, references: tuple[str, ...]) -> dict[str, str]:
        known = {fold_case(text) for text in (right, *references)}
        others = sorted((t for f, t in pool.items() if f not in known), key=lambda t: _hash(seed, key, t))
        if len(others) < number - 1:
            raise DataError(
                f"{task.name}: {len(others)} tails of other heads, {number - 1} are needed to rank {number}",
                hint="rank fewer tails",
            )
        texts = others[: number - 1]
        texts.insert(int(_hash(seed, key, ""), 16) % number, right)
        return dict(zip(CHOICE_FIELDS, texts, strict=False))

    def beside(fields: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
        return {**fields, **more}

    return replace(
        split,
        dev=tuple(
            replace(row, fields=beside(row.fields, choices(row.id, row.target, row.references)))
            for row in split.dev
        ),
        test=tuple(
            replace(item, fields=beside(item.fields, choices(item.id, item.targets[0], item.targets)))
            for item in split.test
        ),
    )


def _hash(seed: int, key: str, text: str) -> str:
    return hashlib.sha256(f"{seed} tails {key} {text}".encode()).hexdigest()
