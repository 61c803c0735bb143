"""DepthRank at n shots: every family is tuned on the same rows by the same recipe, and rows it did not see are scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mto.errors import DataError
from mto.families import LoadedModel
from mto.match.depthrank.families import FamilyRef, Written, write_families
from mto.match.depthrank.recipe import Recipe
from mto.match.depthrank.resample import RESAMPLES
from mto.match.depthrank.results import MEASURES, FamilyScores, LeftOut, Targets
from mto.match.depthrank.scoring import (
    Values,
    assemble,
    check_heads,
    score_families,
    score_written,
    weights_of,
)
from mto.tasks import Example, Row, Split, Task, folds
from mto.tune.ladder import fit
from mto.tune.rows import Asked, CellRows
from mto.tune.weights import Weights

Told = Callable[[str, int, int], None]
"""Called before each tuning with the family, how many are done, and of how many."""
FOLDS = 5


def tuned_scores(
    loaded: LoadedModel,
    task: Task,
    train_rows: Sequence[Row],
    held_out_rows: Sequence[Row | Example],
    families: Sequence[FamilyRef] | None = None,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    phrase: str | None = None,
    targets: Targets = "first",
    max_source: int | None = None,
    precision: str = "fp32",
    keep_tokens: bool = False,
    resamples: int = RESAMPLES,
    progress: Told | None = None,
) -> FamilyScores:
    """Tune with each family on the same rows, score other rows, and put the weights back (docs/method.md 5).

    Args:
        loaded: the checkpoint, fp32; left as it was.
        task: as in `score_families`.
        train_rows: labelled rows to tune on, their own targets; they also say which tokens are frequent. None at all: 0
            shots.
        held_out_rows: what to score; no head of `train_rows` may be among them.
        families: as in `score_families`.
        recipe: None: the follow-up paper's epochs, batch and rate; see `Recipe`.
        seed: of the order of batches, dropout and the bootstrap.
        phrase, targets, max_source, precision, keep_tokens, resamples: as in `score_families`.
        progress: is told before each tuning.

    Raises:
        TrainingError: a tuning diverges.
        DataError: a head stands on both sides; see also `score_families`.
    """
    recipe = recipe or Recipe()
    both = {row.id for row in train_rows} & {row.id for row in held_out_rows}
    if both:
        head = next(row.head for row in train_rows if row.id in both)
        raise DataError(
            f"{task.name}: {len(both)} heads are tuned on and scored, such as '{head}'",
            hint="take them out of one side; cross_scores does that by folds",
        )
    if not train_rows:
        scores = score_families(
            loaded, task, held_out_rows, families,
            phrase=phrase, targets=targets, labelled=(), max_source=max_source,
            precision=precision, keep_tokens=keep_tokens, resamples=resamples, seed=seed,
        )  # fmt: skip
        return scores
    check_heads(task, held_out_rows)
    settled, _ = recipe.settle(loaded.adapter.name, max_source=max_source, seed=seed)
    rows = [*train_rows, *held_out_rows]
    own, asked, left_out = _both_forms(loaded, task, rows, families, phrase, targets, settled.max_source)
    train, held = range(len(train_rows)), range(len(train_rows), len(rows))
    values = _folded(
        loaded, task, rows, own, asked, [(list(train), list(held))], recipe,
        seed=seed, max_source=max_source, precision=precision, keep_tokens=keep_tokens, progress=progress,
    )  # fmt: skip
    return assemble(
        loaded,
        task,
        held_out_rows,
        [_part(family, held) for family in asked],
        values,
        left_out=left_out,
        resamples=resamples,
        described={
            "shots": len(train_rows),
            "seed": seed,
            "targets": targets,
            "precision": precision,
            "labelled": len(train_rows),
            "recipe": recipe,
        },
    )


def cross_scores(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row],
    families: Sequence[FamilyRef] | None = None,
    *,
    k: int = FOLDS,
    shots: int | None = None,
    recipe: Recipe | None = None,
    seed: int = 0,
    phrase: str | None = None,
    targets: Targets = "first",
    max_source: int | None = None,
    precision: str = "fp32",
    keep_tokens: bool = False,
    resamples: int = RESAMPLES,
    progress: Told | None = None,
) -> FamilyScores:
    """DepthRank at n shots where there are only labelled rows: k parts of the heads, each scored by models that saw the others.

    With 30 rows and 5 folds each model is tuned on 24 rows; with ``shots=5`` on 5 of them, so that the index may be
    compared with one that is reported for 5 shots.

    Args:
        rows: labelled rows; for a decision never test rows.
        k: number of folds; fewer where there are fewer heads.
        shots: most rows to tune on in each fold (None: all of the other parts); drawn by the seed.
        seed: of the folds too.

    Others: as in `tuned_scores`.

    Raises:
        DataError: fewer than two heads, or `shots` below 1; see also `score_families`.
    """
    recipe = recipe or Recipe()
    if shots is not None and shots < 1:
        raise DataError(
            f"shots is {shots}", hint="tune on one row or more, or use score_families for 0 shots"
        )
    if rows:
        check_heads(task, rows)
    settled, _ = recipe.settle(loaded.adapter.name, max_source=max_source, seed=seed)
    own, asked, left_out = _both_forms(loaded, task, rows, families, phrase, targets, settled.max_source)
    cuts = _cuts(task, rows, k, shots, seed)
    values = _folded(
        loaded, task, rows, own, asked, cuts, recipe,
        seed=seed, max_source=max_source, precision=precision, keep_tokens=keep_tokens, progress=progress,
    )  # fmt: skip
    fewest = min(len(train) for train, _ in cuts)
    return assemble(
        loaded,
        task,
        rows,
        asked,
        values,
        left_out=left_out,
        resamples=resamples,
        described={
            "shots": fewest,
            "seed": seed,
            "targets": targets,
            "precision": precision,
            "labelled": fewest,
            "recipe": recipe,
            "folds": len(cuts),
        },
    )


Cut = tuple[list[int], list[int]]
"""Numbers of the rows to tune on, and of the rows to score."""


def _cuts(task: Task, rows: Sequence[Row], k: int, shots: int | None, seed: int) -> list[Cut]:
    whole = Split(
        task=task.name, relation=task.relation, shots=len(rows), seed=seed, test_seed=0, max_test=None,
        source={}, train=tuple(rows), dev=(), test=(),
    )  # fmt: skip
    heads = {row.id for row in rows}
    cuts = []
    for number, part in enumerate(folds(whole, min(k, len(heads)))):
        out = {example.id for example in part.test}
        train = [n for n, row in enumerate(rows) if row.id not in out]
        if shots is not None and shots < len(train):
            chosen = np.random.default_rng([seed, number]).permutation(len(train))[:shots]
            train = [train[n] for n in sorted(chosen)]
        cuts.append((train, [n for n, row in enumerate(rows) if row.id in out]))
    return cuts


def _both_forms(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row | Example],
    families: Sequence[FamilyRef] | None,
    phrase: str | None,
    targets: Targets,
    max_source: int | None,
) -> tuple[list[Written], list[Written], tuple[LeftOut, ...]]:
    """All rows as each family writes them: with their own target to learn, with those asked for to score."""
    own, left_out = write_families(
        loaded, task, rows, families, phrase=phrase, targets="first", max_source=max_source
    )
    if targets == "first":
        return own, own, left_out
    able = [family.template.family for family in own]
    asked, more = write_families(
        loaded, task, rows, able, phrase=phrase, targets=targets, max_source=max_source
    )
    names = {family.name for family in asked}
    return [family for family in own if family.name in names], asked, (*left_out, *more)


def _folded(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row | Example],
    own: Sequence[Written],
    asked: Sequence[Written],
    cuts: Sequence[Cut],
    recipe: Recipe,
    *,
    seed: int,
    max_source: int | None,
    precision: str,
    keep_tokens: bool,
    progress: Told | None,
) -> list[Values]:
    """Tune each family in each cut; values of all scored rows, in the order of the rows."""
    settled, rate = recipe.settle(loaded.adapter.name, max_source=max_source, seed=seed)
    weights = [weights_of(loaded, task, [rows[n] for n in train], asked) for train, _ in cuts]
    nothing = Asked((), (), ())
    start = Weights(loaded.model)
    found: list[Values] = []
    try:
        for number, (family, learned) in enumerate(zip(asked, own, strict=True)):
            parts: list[Values] = []
            for (train, held), by_family in zip(cuts, weights, strict=True):
                if progress is not None:
                    progress(family.name, len(found) * len(cuts) + len(parts), len(asked) * len(cuts))
                pairs = tuple(learned.encoded[n][0] for n in train)
                start.restore()
                fit(
                    loaded,
                    CellRows(pairs, nothing, (), nothing, 0, 0),
                    settled,
                    rate,
                    recipe.steps(len(pairs)),
                )
                parts += score_written(
                    loaded,
                    [_part(family, held)],
                    [by_family[number]],
                    precision=precision,
                    keep_tokens=keep_tokens,
                )
            found.append(_joined(parts, cuts))
    finally:
        start.restore()
    return found


def _part(family: Written, numbers: Sequence[int]) -> Written:
    wording = None if family.wording is None else tuple(family.wording[n] for n in numbers)
    sizes = None if family.sizes is None else tuple(family.sizes[n] for n in numbers)
    encoded = tuple(family.encoded[n] for n in numbers)
    return replace(family, encoded=encoded, wording=wording, sizes=sizes)


def _joined(parts: Sequence[Values], cuts: Sequence[Cut]) -> Values:
    """The values of all cuts as one, in the order of the rows."""
    order = np.argsort(np.concatenate([held for _, held in cuts]), kind="stable")
    columns = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in MEASURES}
    tokens = [row for part in parts for row in part.tokens or ()]
    return Values(**columns, tokens=tuple(tokens[n] for n in order) if tokens else None)
