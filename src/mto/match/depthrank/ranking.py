"""Zero-shot ranking of the options of rows under each family: beside bits a byte, whether the right one is the likeliest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mto.evaluate.choices import score_options
from mto.evaluate.teacher import BATCH_TOKENS
from mto.families import LoadedModel
from mto.match.depthrank.families import Written, targets_of
from mto.tasks import Example, Row, Task
from mto.templates import Encoded, Rendered, encode_many
from mto.tune.optioned import OptionRow, encode_options

RANKING = "sum"
"""Nats of the whole option, EOS included, as the first metric of runs ranks (`rank_sum`)."""


def rank_rows(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row | Example],
    written: Sequence[Written],
    *,
    max_source: int | None,
    precision: str = "fp32",
    batch_tokens: int = BATCH_TOKENS,
) -> list[NDArray[np.float64]]:
    """Rank the options of each row under each family, without tuning.

    Args:
        rows: labelled rows of a task with options; of an `Example` its first target is the right one.
        written: the rows as each family writes them.

    Returns:
        For each family ``float64 [rows]``: 100 where the right option is the likeliest, else 0.
    """
    asked = [_options(loaded, task, rows, family, max_source) for family in written]
    nats = iter(
        score_options(
            loaded, [one for some in asked for one in some],
            calibrate=False, batch_tokens=batch_tokens, precision=precision,
        )
    )  # fmt: skip
    return [np.array([100.0 * (next(nats).best(RANKING) == row.right) for row in some]) for some in asked]


def _options(
    loaded: LoadedModel, task: Task, rows: Sequence[Row | Example], family: Written, max_source: int | None
) -> tuple[OptionRow, ...]:
    def encode(rendered: Sequence[Rendered]) -> Sequence[Encoded]:
        return encode_many(rendered, loaded.adapter, max_source=max_source)

    right = [(row.fields, targets_of(row, "first")[0]) for row in rows]
    questions = [some[0] for some in family.encoded]
    places = [row.where for row in rows]
    return encode_options(family.template, task.form, right, questions, loaded.adapter, encode, places)
