"""Which test heads are shown: some that went well, some that went badly, some drawn blindly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mto.errors import DataError
from mto.report.results import Shown


def pick_examples(
    task: str,
    heads: Sequence[str],
    references: Sequence[Sequence[str]],
    predictions: Mapping[str, Sequence[str]],
    scores: Mapping[str, ArrayLike],
    *,
    by: str,
    seed: int = 0,
    each: int = 2,
) -> tuple[Shown, ...]:
    """Examples of one task and seed: best, worst and blindly drawn test heads.

    Args:
        task: the task's name.
        heads, references: n test heads with their references.
        predictions, scores: family name to n predictions, and to n scores of the main metric.
        by: the family whose scores decide what is best and worst: the aligned one.
        seed: the data seed that the predictions come from; it also draws the blind ones.
        each: how many of each kind; fewer when there are fewer heads. No head is shown twice.

    Raises:
        DataError: `by` is not among the families, or lengths differ.

    >>> shown = pick_examples("t", ["a", "b"], [["x"], ["y"]], {"f": ["x", "z"]}, {"f": [100, 0]}, by="f", each=1)
    >>> [(e.kind, e.head, e.predictions["f"]) for e in shown]
    [('good', 'a', 'x'), ('bad', 'b', 'z')]
    """
    if by not in predictions or set(predictions) != set(scores):
        raise DataError(
            f"families are {sorted(predictions)} and {sorted(scores)}, examples are chosen by {by!r}"
        )
    arrays = {family: np.asarray(values, dtype=np.float64) for family, values in scores.items()}
    sizes = {len(references), *map(len, predictions.values()), *map(len, arrays.values())}
    if sizes != {len(heads)}:
        raise DataError(f"{len(heads)} heads, but {sorted(sizes)} references, predictions and scores")
    ranked = np.argsort(-arrays[by], kind="stable").tolist()
    good = ranked[:each]
    bad = [n for n in reversed(ranked) if n not in good][:each]
    rest = [n for n in range(len(heads)) if n not in good and n not in bad]
    drawn = np.random.default_rng(seed).permutation(len(rest))[:each]
    kinds = [("good", good), ("bad", bad), ("drawn", [rest[n] for n in sorted(drawn.tolist())])]
    return tuple(
        Shown.model_validate(
            {
                "task": task,
                "head": heads[n],
                "references": tuple(references[n]),
                "predictions": {family: several[n] for family, several in predictions.items()},
                "scores": {family: float(values[n]) for family, values in arrays.items()},
                "kind": kind,
                "seed": seed,
            }
        )
        for kind, several_heads in kinds
        for n in several_heads
    )
