"""Few-shot splits: drawn by a seed, head-disjoint, the same for every family, model and tuner.

A head's place in the drawing order is a hash of the seed and its id. So a split depends on nothing but the seed and
the heads: not on the order of the file, nor on a library's random numbers; and the split of 5 shots is the
beginning of the split of 30.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mto.errors import DataError
from mto.tasks.shared_heads import LEAVE, MEND
from mto.tasks.task import Example, Row, Task


@dataclass(frozen=True)
class Split:
    """One few-shot split of one task.

    Attributes:
        shots: labelled rows asked for (0: none; None: every row of the train file).
        seed: draws the training and dev rows.
        test_seed: draws the test heads; `max_test` of them at most (None: all).
        fold: such as ``2/5`` for a part of a k-fold, else None.
        source: SHA-256 of the data that it was drawn from, by split.
        train: one row a head, one tail each (with shots None every tail of a head is a row of its own).
        dev: one row a head, with all its references; no more rows than train.
        test: heads with all their tails, none of them in the task's train or dev file.
    """

    task: str
    relation: str
    shots: int | None
    seed: int
    test_seed: int
    max_test: int | None
    source: Mapping[str, str]
    train: tuple[Row, ...]
    dev: tuple[Row, ...]
    test: tuple[Example, ...]
    fold: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of everything in it: equal splits, equal digest."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def draw_split(
    task: Task,
    *,
    shots: int | None,
    seed: int,
    dev: int | None = None,
    max_test: int | None = None,
    test_seed: int = 0,
) -> Split:
    """Draw a few-shot split.

    Args:
        task: the task.
        shots: n (head, tail) rows from n different heads, one tail a head; 0 for none, None for all rows. Of classes and
            choices n in all, as evenly over labels, or places of the right choice, as the data allow.
        seed: the data seed.
        dev: rows for choosing settings, `shots` at most; default: as many as there are, up to `shots`. They come
            from the task's dev file, else from the train heads that were not drawn.
        max_test: most test heads, drawn by `test_seed` (never by `seed`: all seeds share one test set).

    Raises:
        DataError: there are fewer heads than asked for, or a number makes no sense.
    """
    _check(task, shots, dev, max_test)
    arrange = _evenly if task.kind in ("multiple-choice", "classification") else _order
    order = arrange(task.train, seed, "train")
    drawn = order if shots is None else order[:shots]
    train = [row for head in drawn for row in (_all_rows(head) if shots is None else [_one_row(head, seed)])]
    used = {head.id for head in drawn}
    pool = [head for head in arrange(task.dev, seed, "dev") if head.id not in used]
    # From the end: small changes of n keep it. An even order is not even at its end, so there it is drawn anew.
    backwards = reversed(order) if arrange is _order else _evenly(task.train, seed, "dev")
    rest = [head for head in backwards if head.id not in used]
    chosen = (pool if task.dev else rest)[: len(train) if dev is None else dev]
    if dev is not None and len(chosen) < dev:
        where = "the dev file" if task.dev else "the train heads that were not drawn"
        raise DataError(
            f"{task.name}: {dev} dev rows asked for, {where} give {len(chosen)}", hint="ask for fewer"
        )
    return Split(
        task=task.name,
        relation=task.relation,
        shots=shots,
        seed=seed,
        test_seed=test_seed,
        max_test=max_test,
        source=dict(task.source.files),
        train=tuple(train),
        dev=tuple(_one_row(head, seed, references=head.targets) for head in chosen),
        test=_test(task, max_test, test_seed),
    )


def folds(split: Split, k: int) -> tuple[Split, ...]:
    """Cut the labelled rows of a split into k parts by head; each part is the test set of one fold.

    Each fold is a split again (its `test` holds the part's heads with the tails that the split has for them,
    its `dev` is empty), so that settings can be chosen by folds inside a fold. Sizes differ by one head at most.

    Raises:
        DataError: k is below 2 or above the number of heads.

    >>> from mto.tasks import task_from_rows
    >>> rows = [{"head": f"thing {n}", "tail": "use"} for n in range(5)]
    >>> whole = draw_split(task_from_rows(rows), shots=None, seed=1)
    >>> [(len(fold.train), len(fold.test), fold.fold) for fold in folds(whole, 2)]
    [(2, 3, '1/2'), (3, 2, '2/2')]
    """
    heads: dict[str, list[Row]] = {}
    for row in split.train:
        heads.setdefault(row.id, []).append(row)
    if not 2 <= k <= len(heads):
        raise DataError(
            f"{split.task}: {k} folds asked for, the split has {len(heads)} heads",
            hint=f"choose from 2 to {len(heads)} folds" if len(heads) > 1 else "give more labelled rows",
        )
    order = sorted(heads, key=lambda key: _hash(split.seed, "fold", key))
    parts = []
    for number in range(k):
        held = set(order[number::k])
        name = f"{number + 1}/{k}" if split.fold is None else f"{split.fold}, {number + 1}/{k}"
        train = tuple(row for row in split.train if row.id not in held)
        test = tuple(_example(rows) for key, rows in heads.items() if key in held)
        parts.append(replace(split, train=train, dev=(), test=test, fold=name))
    return tuple(parts)


def _check(task: Task, shots: int | None, dev: int | None, max_test: int | None) -> None:
    for name, number in (("shots", shots), ("dev", dev), ("max_test", max_test)):
        if number is not None and number < 0:
            raise DataError(f"{name} is {number}; it cannot be negative")
    if shots is not None and shots > len(task.train):
        raise DataError(
            f"{task.name}: {shots} shots asked for, the train data have {len(task.train)} {'head' if len(task.train) == 1 else 'heads'}",
            where=task.source.path or None,
            hint=f"ask for {len(task.train)} shots or fewer; a shot is one row, each from another head",
        )
    if dev is not None and shots is not None and dev > shots:
        hint = "a dev set larger than the shots is no few-shot setting"
        raise DataError(f"{task.name}: {dev} dev rows asked for with {shots} shots", hint=hint)


def _test(task: Task, most: int | None, seed: int) -> tuple[Example, ...]:
    """Test heads, in the order of the file; heads that stand in train or dev as well are never tested on."""
    pool = task.tested
    if task.test and not pool:
        raise DataError(f"{task.name}: {LEAVE}", hint=MEND)
    chosen = {example.id for example in _order(pool, seed, "test")[: len(pool) if most is None else most]}
    return tuple(example for example in pool if example.id in chosen)


def _order(examples: Iterable[Example], seed: int, what: str) -> list[Example]:
    return sorted(examples, key=lambda example: _hash(seed, what, example.id))


def _evenly(examples: Iterable[Example], seed: int, what: str) -> list[Example]:
    """The drawing order of questions and of texts with labels: every right answer in turn, as long as it lasts.

    Right answers are the places of the right choices, or the labels; their order within a round is drawn too.
    """
    groups: dict[str, list[Example]] = {}
    for example in _order(examples, seed, what):
        right = example.targets[0]
        groups.setdefault(str(example.choices.index(right)) if example.choices else right, []).append(example)
    turns = sorted(groups, key=lambda right: _hash(seed, what, right))
    rounds = max((len(group) for group in groups.values()), default=0)
    return [groups[right][n] for n in range(rounds) for right in turns if n < len(groups[right])]


def _hash(seed: int, what: str, key: str) -> str:
    return hashlib.sha256(f"{seed} {what} {key}".encode()).hexdigest()


def _one_row(head: Example, seed: int, references: Collection[str] = ()) -> Row:
    target = head.targets[int(_hash(seed, "tail", head.id), 16) % len(head.targets)]
    return Row(head.id, head.fields, target, tuple(references) or (target,), head.where)


def _all_rows(head: Example) -> list[Row]:
    return [Row(head.id, head.fields, target, (target,), head.where) for target in head.targets]


def _example(rows: list[Row]) -> Example:
    return Example(rows[0].id, rows[0].fields, tuple(row.target for row in rows), rows[0].where)


def to_json(split: Split) -> dict[str, Any]:
    """Everything but the rows: what ``split.json`` holds."""
    kept = asdict(split)
    sizes = {part: len(kept.pop(part)) for part in ("train", "dev", "test")}
    return {**kept, "sizes": sizes}
