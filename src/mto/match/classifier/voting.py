"""From the probabilities of single examples to what a whole task is: the vote, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mto.config import Strict
from mto.errors import DataError
from mto.match.evidence import Lean, Span
from mto.tasks import Row

Floats = NDArray[np.float64]
RESAMPLES = 2000


class Classifier(Protocol):
    """Anything that says how likely each example is mask-filling."""

    @property
    def name(self) -> str:
        """Which classifier it is and which checkpoint it reads with."""
        ...

    def predict(self, rows: Sequence[Row], *, phrase: str | None = None) -> Floats:
        """Probability of mask-filling of each row ``[n]``."""
        ...


class Classified(Strict):
    """What the task classifier says of a task (docs/method.md 5).

    Examples of one relation are alike, so the interval says how far the vote would move with other heads of the *same*
    task. How often a vote is right for a relation that was never seen is a matter of `leave_one_out` alone.

    Attributes:
        mask_filling: probability of mask-filling of each row, in the order of the rows.
        share: share of heads that vote for mask-filling, a vote for each side added.
        mean: mean probability over heads, in the same way.
        heads: how many heads there were.
        lean: from `mean`: 0.5 is 0.
        classifier: its name, with the checkpoint's revision.
    """

    mask_filling: tuple[float, ...]
    share: Span
    mean: Span
    heads: int
    lean: Lean
    classifier: str


def vote(
    rows: Sequence[Row], mask_filling: Sequence[float] | Floats, classifier: str, *, seed: int = 0
) -> Classified:
    """The vote of a task's examples.

    Rows of one head are averaged first. Then one head for each side is added, which matters for few rows only: three
    votes of three are a share of 4 / 5, thirty of thirty 31 / 32. The interval is a bootstrap over these heads.

    Raises:
        DataError: no rows, or not one probability a row.

    >>> rows = [Row(str(n), {"head": f"thing {n}"}, "red", ("red",), "") for n in range(3)]
    >>> told = vote(rows, [0.9, 0.8, 0.7], "by hand")
    >>> told.share.value, round(told.mean.value, 2), told.lean.towards
    (0.8, 0.68, 'mask-filling')
    """
    if not rows:
        raise DataError("there are no rows to classify", hint="give the few-shot rows of the task")
    given = np.asarray(mask_filling, dtype=np.float64)
    if given.shape != (len(rows),) or not np.isfinite(given).all():
        raise DataError(f"{len(rows)} rows, but probabilities of shape {given.shape}, or not all are finite")
    heads: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        heads.setdefault(row.id, []).append(place)
    # A probability of just 0.5 is half a vote for each side.
    votes = np.heaviside(given - 0.5, 0.5)
    by_head = np.array([[votes[some].mean(), given[some].mean()] for some in heads.values()])
    with_both = np.vstack([by_head, [[0.0, 0.0], [1.0, 1.0]]])
    drawn = np.random.default_rng([seed, len(with_both)]).integers(
        0, len(with_both), (RESAMPLES, len(with_both))
    )
    resampled = with_both[drawn].mean(axis=1)
    share, mean = (_span(with_both[:, i].mean(), resampled[:, i]) for i in (0, 1))
    for_it = by_head[:, 0].sum()
    saw = f"{for_it:g} of {len(heads)} heads look like mask-filling (mean probability {by_head[:, 1].mean():.2f})"
    return Classified(
        mask_filling=tuple(map(float, given)),
        share=share,
        mean=mean,
        heads=len(heads),
        lean=Lean(value=float(np.clip(2 * mean.value - 1, -1, 1)), saw=saw),
        classifier=classifier,
    )


def _span(value: float, resampled: Floats) -> Span:
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Span(value=float(value), low=float(low), high=float(high))
