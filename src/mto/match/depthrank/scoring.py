"""DepthRank, its frequency-normalised form and bits a byte of every template family, in as few passes as can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, TypedDict

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError
from mto.evaluate.likelihood import Likelihood, likelihood
from mto.evaluate.teacher import BATCH_TOKENS
from mto.families import LoadedModel
from mto.match.depthrank.families import (
    FamilyRef,
    Written,
    answers_of,
    mask_pairs,
    targets_of,
    write_families,
)
from mto.match.depthrank.frequency import TokenWeights
from mto.match.depthrank.ranking import rank_rows
from mto.match.depthrank.recipe import Recipe
from mto.match.depthrank.resample import RESAMPLES, Heads
from mto.match.depthrank.results import (
    MEASURES,
    FamilyScore,
    FamilyScores,
    LeftOut,
    ScoredRow,
    Targets,
    TokenDetail,
)
from mto.tasks import Example, Row, Task
from mto.templates import Encoded
from mto.tune.cell import settle

Floats = NDArray[np.float64]


def score_families(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row | Example],
    families: Sequence[FamilyRef] | None = None,
    *,
    phrase: str | None = None,
    targets: Targets = "first",
    labelled: Sequence[Row | Example] | None = None,
    max_source: int | None = None,
    precision: str = "fp32",
    keep_tokens: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
    batch_tokens: int = BATCH_TOKENS,
) -> FamilyScores:
    """Score how well a checkpoint, as it is, expects the targets of a task in every template family.

    DepthRank of a target is the mean over its tokens of the zero-based rank of the right token under teacher forcing,
    sentinels and EOS left out; of a family it is the mean over heads (docs/method.md 5). A target whose tokens have ranks 0, 3
    and 12 has DepthRank 5.0. Lower is easier.

    All families are scored together: examples of like length share a batch whatever their family, a source is encoded once
    for all its targets, and what its targets begin with alike is decoded once.

    Args:
        loaded: the checkpoint.
        task: gives fields and, where `phrase` is None, the phrase.
        rows: what to score. For a decision give few-shot and dev rows, never test rows.
        families: names, YAML files or families; None: every registered one. One that cannot be written (no phrase,
            no sentinels, a source that is too long) is left out, with its reason in the result.
        phrase: natural phrase in place of the task's first.
        targets: ``first``: the row's own target; ``all``: each of its references, and the row's value is the mean over
            them; or most references as a number. docs/method.md 5 speaks of a mean over held-out examples; so a head with
            ten tails weighs no more than one with a single tail.
        labelled: rows whose targets say which tokens are frequent, see `TokenWeights`; None: `rows`.
        max_source: most source ids; None: as the table in `mto.tune.defaults` says.
        precision: ``fp32`` or ``bf16`` (autocast; ranks are then coarse).
        keep_tokens: also keep each target token by token.
        resamples, seed: of the bootstrap.
        batch_tokens: as in `mto.evaluate.likelihood.likelihood`.

    Raises:
        DataError: no rows, a single head (it gives no interval), or a target without tokens.
        TemplateError: no family can be written.
        UnknownNameError: no such family.
    """
    limit = max_source if max_source is not None else settle(loaded, None).max_source
    written, left_out = write_families(
        loaded, task, rows, families, phrase=phrase, targets=targets, max_source=limit
    )
    check_heads(task, rows)
    weights = weights_of(loaded, task, rows if labelled is None else labelled, written)
    values = score_written(
        loaded, written, weights, precision=precision, keep_tokens=keep_tokens, batch_tokens=batch_tokens
    )
    ranked = None
    if task.form.has_options:
        ranked = rank_rows(
            loaded, task, rows, written, max_source=limit, precision=precision, batch_tokens=batch_tokens
        )
    return assemble(
        loaded,
        task,
        rows,
        written,
        values,
        ranked=ranked,
        left_out=left_out,
        resamples=resamples,
        described={
            "shots": 0,
            "seed": seed,
            "targets": targets,
            "precision": precision,
            "labelled": weights[0].targets,
        },
    )


@dataclass(frozen=True, eq=False)
class Values:
    """Values a row of one family: see `FamilyScore`."""

    depth_rank: Floats
    weighted: Floats
    log_rank: Floats
    bits: Floats
    bytes: Floats
    tokens: tuple[tuple[TokenDetail, ...], ...] | None


def weights_of(
    loaded: LoadedModel, task: Task, labelled: Sequence[Row | Example], written: Sequence[Written]
) -> list[TokenWeights]:
    """Token weights for each family, from the own targets of labelled rows (of a head with tails: its first).

    Where rows have options families write them in different ways (a label's name or its word, a choice with its name or
    without), so each has weights of its own.
    """
    if not labelled:
        return [TokenWeights.count([])] * len(written)
    if task.form.has_options:
        return [TokenWeights.count(answers_of(loaded, task, one.template, labelled)) for one in written]
    texts = [text.strip() for row in labelled for text in targets_of(row, "first")]
    return [TokenWeights.count(loaded.adapter.encode_many(texts))] * len(written)


def check_heads(task: Task, rows: Sequence[Row | Example]) -> None:
    """Raise `DataError` where all rows have one head."""
    if len({row.id for row in rows}) < 2:
        raise DataError(
            f"{task.name}: one head gives no interval",
            hint="give rows of two heads or more; a single example can be scored by mto.evaluate.likelihood",
        )


def score_written(
    loaded: LoadedModel,
    written: Sequence[Written],
    weights: Sequence[TokenWeights],
    *,
    precision: str,
    keep_tokens: bool,
    batch_tokens: int = BATCH_TOKENS,
) -> list[Values]:
    """Score written families together, each with its token weights.

    Raises:
        DataError: the model gives what is no number.
    """
    flat = [item for family in written for some in family.encoded for item in some]
    # Equal examples (families may share sources) are scored once, and in an order of their own: so neither the order
    # of rows nor that of families changes a bit of the result.
    places: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    keys = [(item.source_ids, item.target_ids) for item in flat]
    for key in sorted(set(keys)):
        places[key] = len(places)
    distinct = [Encoded(source, target, 0) for source, target in places]
    scored = likelihood(
        loaded,
        distinct,
        include_eos=False,
        depth_rank=True,
        details=True,
        precision=precision,
        batch_tokens=batch_tokens,
    )
    if not np.isfinite(scored.nll).all():
        raise DataError(
            f"{loaded.ref} gives likelihoods that are no numbers",
            hint="its weights are broken, or a tuning diverged: try a lower rate",
        )
    numbers = iter([places[key] for key in keys])
    found = []
    for family, weight in zip(written, weights, strict=True):
        by_row = [[next(numbers) for _ in some] for some in family.encoded]
        found.append(_values(loaded, family, by_row, scored, weight, keep_tokens))
    return found


def _values(
    loaded: LoadedModel,
    family: Written,
    by_row: Sequence[Sequence[int]],
    scored: Likelihood,
    weights: TokenWeights,
    keep_tokens: bool,
) -> Values:
    assert scored.depth_rank is not None and scored.details is not None
    bits = scored.nll / math.log(2)
    weighted, logs = {}, {}
    for number in {n for some in by_row for n in some}:
        ids, ranks = scored.details[number].ids, np.array(scored.details[number].ranks)
        weighted[number] = weights.mean(ids, ranks)
        logs[number] = weights.mean(ids, np.log1p(ranks))
    sizes = family.sizes or [scored.bytes[some] for some in by_row]
    tokens = None
    if keep_tokens:
        tokens = tuple(tuple(_detail(loaded, scored, n, weights) for n in numbers) for numbers in by_row)
    return Values(
        depth_rank=np.array([scored.depth_rank[some].mean() for some in by_row]),
        weighted=np.array([np.mean([weighted[n] for n in some]) for some in by_row]),
        log_rank=np.array([np.mean([logs[n] for n in some]) for some in by_row]),
        bits=np.array([bits[some].mean() for some in by_row]),
        bytes=np.array([np.mean(some) for some in sizes]),
        tokens=tokens,
    )


def _detail(loaded: LoadedModel, scored: Likelihood, number: int, weights: TokenWeights) -> TokenDetail:
    assert scored.details is not None
    found = scored.details[number]
    return TokenDetail(
        target=loaded.adapter.decode(found.ids),
        ids=found.ids,
        pieces=found.pieces,
        ranks=found.ranks or (),
        nats=found.nats,
        weights=tuple(weights.of(token) for token in found.ids),
    )


def assemble(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row | Example],
    written: Sequence[Written],
    values: Sequence[Values],
    *,
    left_out: tuple[LeftOut, ...],
    described: Described,
    ranked: Sequence[Floats] | None = None,
    resamples: int = RESAMPLES,
) -> FamilyScores:
    """Put values a row together with their means and intervals over heads.

    Args:
        ranked: for each family 100 or 0 a row, whether the right option is the likeliest; None where rows have no options
            or were not ranked.
    """
    columns: dict[str, Floats] = {}
    for family, value in zip(written, values, strict=True):
        for measure in MEASURES:
            columns[f"{family.name} {measure}"] = getattr(value, measure)
    for family, right in zip(written, ranked or (), strict=False):
        columns[f"{family.name} ranked"] = right
    heads = Heads([row.id for row in rows], columns, resamples=resamples, seed=described["seed"])
    phrase = next((f.template.phrase for f in written if f.template.phrase is not None), None)
    return FamilyScores(
        task=task.name,
        model=loaded.ref,
        revision=loaded.revision,
        phrase=phrase,
        rows=tuple(
            ScoredRow(id=row.id, head=row.head, targets=targets_of(row, described["targets"])) for row in rows
        ),
        families=tuple(
            _score(family, value, heads, None if ranked is None else ranked[number])
            for number, (family, value) in enumerate(zip(written, values, strict=True))
        ),
        left_out=left_out,
        pairs=mask_pairs(written),
        guessing=None
        if ranked is None
        else float(np.mean([100 / len(task.form.names(r.fields)) for r in rows])),
        **described,
    )


class Described(TypedDict, total=False):
    """What a `FamilyScores` says of how it was made."""

    shots: Required[int]
    seed: Required[int]
    targets: Required[Targets]
    precision: Required[str]
    labelled: Required[int]
    folds: int | None
    recipe: Recipe | None


def _score(written: Written, values: Values, heads: Heads, ranked: Floats | None) -> FamilyScore:
    family, name = written.template.family, written.name
    examples = [item for some in written.encoded for item in some]
    return FamilyScore(
        family=name,
        title=family.title,
        objective=family.objective,
        conventional=family.conventional,
        masks=written.masks,
        natural=written.template.phrase is not None,
        ids=float(np.mean([len(item.source_ids) + len(item.target_ids) for item in examples])),
        words_lost=sum(some[0].words_lost for some in written.encoded),
        depth_rank=heads.span(f"{name} depth_rank"),
        weighted=heads.span(f"{name} weighted"),
        log_rank=heads.span(f"{name} log_rank"),
        bits_per_byte=heads.span(f"{name} bits", f"{name} bytes"),
        row_depth_rank=tuple(values.depth_rank.tolist()),
        row_weighted=tuple(values.weighted.tolist()),
        row_log_rank=tuple(values.log_rank.tolist()),
        row_bits=tuple(values.bits.tolist()),
        row_bytes=tuple(values.bytes.tolist()),
        rank_accuracy=None if ranked is None else heads.span(f"{name} ranked"),
        row_ranked=None if ranked is None else tuple(ranked.tolist()),
        tokens=values.tokens,
    )
