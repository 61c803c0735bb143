"""Leave-one-relation-out: the only honest accuracy, since the examples of one relation are all alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from mto.config import Strict
from mto.errors import DataError
from mto.match.classifier.labelled import Labelled, leave_out, meaning
from mto.match.classifier.voting import Classifier
from mto.match.evidence import Span
from mto.tasks import TaskType

RESAMPLES = 2000
VOTERS = 30  # heads of a vote where it stands for a few-shot set
Floats = NDArray[np.float64]
Fit = Callable[[Sequence[Labelled]], Classifier]


class Fold(Strict):
    """What a classifier that never saw a relation says of its examples. Goes to JSON and back, so it can be stored.

    Attributes:
        relation, type: of the relation that was left out.
        mask_filling: probability of each held-out row.
        heads: which head each row has.
        classifier: its name.
        unseen: the meanings that were left out of its training.
    """

    relation: str
    type: TaskType
    mask_filling: tuple[float, ...]
    heads: tuple[str, ...]
    classifier: str
    unseen: tuple[str, ...]


class RelationResult(Strict):
    """One relation's part of `LeaveOneOut`.

    Attributes:
        examples: share of its heads that are told right, with an interval over heads.
        mean: mean probability of mask-filling over its heads.
        vote_right: whether the vote of all its heads is right.
        few_right: how often the vote of 30 heads drawn from them is right.
        heads: how many there are.
    """

    relation: str
    type: TaskType
    examples: Span
    mean: float
    vote_right: bool
    few_right: float
    heads: int


class LeaveOneOut(Strict):
    """Accuracy on relations that were never seen; shares from 0 to 1.

    Intervals resample relations, and heads inside each. They do not fit the classifier anew.

    Attributes:
        relations: one result each.
        examples: share of examples that are told right, mean over relations.
        tasks: share of relations whose vote is right.
        nats: mean loss of an example in nats, mean over relations; a coin gives 0.693.
        chance: share of relations of the commoner type: what a classifier gets that always says it.
        classifiers: their names.
    """

    relations: tuple[RelationResult, ...]
    examples: Span
    tasks: Span
    nats: Span
    chance: float
    classifiers: tuple[str, ...]


def hold_out(train: Sequence[Labelled], held_out: Labelled, fit: Fit) -> Fold:
    """Fit on every relation that does not mean the same as `held_out`, and read its rows.

    Raises:
        DataError: `held_out` has no rows; or what is left cannot be trained on.
    """
    if not held_out.rows:
        raise DataError(f"relation '{held_out.relation}' has no rows", hint="leave it out")
    classifier = fit(leave_out(train, [held_out.relation]))
    told = classifier.predict(held_out.rows, phrase=held_out.phrase)
    return Fold(
        relation=held_out.relation,
        type=held_out.type,
        mask_filling=tuple(map(float, told)),
        heads=tuple(row.id for row in held_out.rows),
        classifier=classifier.name,
        unseen=(held_out.meaning,),
    )


def leave_one_out(
    train: Sequence[Labelled],
    held_out: Sequence[Labelled],
    fit: Fit,
    *,
    done: Collection[Fold] = (),
    on_fold: Callable[[Fold], None] | None = None,
    seed: int = 0,
) -> LeaveOneOut:
    """Judge a classifier on relations that it never saw: `all_folds`, summarised.

    Raises:
        DataError: nothing to judge on, or a relation stands twice.
    """
    return summarise(all_folds(train, held_out, fit, done=done, on_fold=on_fold), seed=seed)


def all_folds(
    train: Sequence[Labelled],
    held_out: Sequence[Labelled],
    fit: Fit,
    *,
    done: Collection[Fold] = (),
    on_fold: Callable[[Fold], None] | None = None,
) -> tuple[Fold, ...]:
    """What classifiers that never saw a relation say of its rows: one fit a relation.

    Args:
        train: rows to learn from, of any data sets.
        held_out: rows to judge on. A relation in `train` of the same name is left out, from whatever data set.
        fit: makes a classifier of labelled rows, such as
            ``lambda rows: train_fast_classifier(encoder, rows)``.
        done: folds of an earlier call; their relations are not computed again.
        on_fold: is given each new fold, to store it.

    Raises:
        DataError: a relation stands twice.
    """
    names = [one.relation for one in held_out]
    if len(set(names)) < len(names):
        raise DataError(
            f"a relation stands twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}"
        )
    stored = {fold.relation: fold for fold in done}
    folds = []
    for one in held_out:
        fold = stored.get(one.relation)
        if fold is None:
            fold = hold_out(train, one, fit)
            if on_fold is not None:
                on_fold(fold)
        folds.append(fold)
    return tuple(folds)


def summarise(folds: Sequence[Fold], *, seed: int = 0) -> LeaveOneOut:
    """Accuracy of folds, with intervals over relations and heads.

    Raises:
        DataError: no folds, or a fold that saw its relation.
    """
    if not folds:
        raise DataError("no relation is held out, so nothing can be judged")
    for fold in folds:
        if meaning(fold.relation) not in fold.unseen:
            raise DataError(f"the classifier of '{fold.relation}' has seen that relation")
    rng = np.random.default_rng([seed, len(folds)])
    tables = [_by_head(fold) for fold in folds]
    # Of each relation, in each resample of its heads: share right, whether the vote is right, nats.
    again = np.stack([_resampled(table, len(table), rng) for table in tables], axis=1)
    few = [_resampled(table, VOTERS, rng)[:, 1].mean() for table in tables]
    found = np.stack([_measure(table[None])[0] for table in tables])
    drawn = rng.integers(0, len(folds), (RESAMPLES, len(folds)))
    over = np.take_along_axis(again, drawn[:, :, None], axis=1).mean(axis=1)
    relations = tuple(
        RelationResult(
            relation=fold.relation,
            type=fold.type,
            examples=_span(found[n, 0], again[:, n, 0]),
            mean=float(tables[n][:, 3].mean()),
            vote_right=bool(found[n, 1] == 1.0),
            few_right=float(few[n]),
            heads=len(tables[n]),
        )
        for n, fold in enumerate(folds)
    )
    filling = np.mean([fold.type == "mask-filling" for fold in folds])
    examples, tasks, nats = (_span(found[:, i].mean(), over[:, i]) for i in range(3))
    return LeaveOneOut(
        relations=relations,
        examples=examples,
        tasks=tasks,
        nats=nats,
        chance=float(max(filling, 1 - filling)),
        classifiers=tuple(dict.fromkeys(fold.classifier for fold in folds)),
    )


def _by_head(fold: Fold) -> Floats:
    """``[heads, 4]``: share right, probability of the right type, nats, probability of mask-filling."""
    told = np.asarray(fold.mask_filling)
    right = told if fold.type == "mask-filling" else 1 - told
    nats = -np.log(np.maximum(right, 1e-12))
    table = np.column_stack([np.heaviside(right - 0.5, 0.5), right, nats, told])
    heads: dict[str, list[int]] = {}
    for place, head in enumerate(fold.heads):
        heads.setdefault(head, []).append(place)
    return np.array([table[rows].mean(axis=0) for rows in heads.values()])


def _resampled(table: Floats, size: int, rng: np.random.Generator) -> Floats:
    return _measure(table[rng.integers(0, len(table), (RESAMPLES, size))])


def _measure(tables: Floats) -> Floats:
    """``[n, heads, 4]`` to ``[n, 3]``: share right, whether the vote (the mean probability) is right, nats."""
    share, probability, nats = tables[..., 0].mean(1), tables[..., 1].mean(1), tables[..., 2].mean(1)
    return np.column_stack([share, np.heaviside(probability - 0.5, 0.5), nats])


def _span(value: float, resampled: Floats) -> Span:
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Span(value=float(value), low=float(low), high=float(high))
