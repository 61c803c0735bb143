"""`Scores`: predictions of one family, seed and relation with every per-example number kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError
from mto.evaluate.baselines import distinct_share
from mto.evaluate.metrics import metrics as known_metrics
from mto.evaluate.nats import RANKINGS
from mto.evaluate.options import Options

if TYPE_CHECKING:  # torch comes with it, and reading scores needs none
    from mto.families import Answer

DEFAULT_METRICS = ("rouge_l", "rouge_l3", "exact_match")
RANKED_METRICS = ("rank_sum", "accuracy", "rank_token", "rank_byte", "rank_calibrated")
"""Of tasks with options; the first one decides."""
FLAGS = ("empty", "unasked_sentinel")


@dataclass(frozen=True, eq=False)
class Scores:
    """n predictions with their scores; arrays are read-only.

    Attributes:
        heads: the items, one a prediction.
        predictions: what was written.
        references: the right answers of each head.
        values: metric name to ``float64[n]`` on 0-100.
        empty: ``bool[n]``, nothing was written.
        unasked_sentinel: ``bool[n]``, a sentinel stood where none was asked for.
        options: what was done with the options, for tasks that have some.
    """

    heads: tuple[str, ...]
    predictions: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    values: Mapping[str, NDArray[np.float64]]
    empty: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    unasked_sentinel: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    options: Options | None = None

    def __post_init__(self) -> None:
        frozen = {name: _frozen(array, np.float64) for name, array in self.values.items()}
        object.__setattr__(self, "values", MappingProxyType(frozen))
        for flag in FLAGS:
            object.__setattr__(self, flag, _frozen(getattr(self, flag), np.bool_))
        sizes = {name: len(array) for name, array in frozen.items()}
        sizes |= {"predictions": len(self.predictions), "references": len(self.references)}
        sizes |= {flag: len(getattr(self, flag)) for flag in FLAGS}
        if self.options is not None:
            sizes["options"] = len(self.options)
        wrong = {name: size for name, size in sizes.items() if size != len(self.heads)}
        if wrong:
            raise DataError(
                f"{len(self.heads)} heads, but " + ", ".join(f"{n}: {s}" for n, s in wrong.items())
            )

    def __len__(self) -> int:
        return len(self.heads)

    def means(self) -> dict[str, float]:
        """Mean of each metric in points, and in percent the shares of empty outputs, outputs with an unasked
        sentinel and distinct predictions. Raises `DataError` when there are no predictions."""
        if not len(self):
            raise DataError("no predictions, so no means")
        found = {name: float(array.mean()) for name, array in self.values.items()}
        found |= {flag: 100 * float(getattr(self, flag).mean()) for flag in FLAGS}
        return found | {"distinct": 100 * distinct_share(self.predictions)} | self.measures()

    def measures(self) -> dict[str, float]:
        """Measures that are of all predictions together: those of the options (`Options.measures`, by the first ranking among
        the metrics), and ``corpus_bleu`` and ``corpus_chrf`` where these metrics were asked for. Empty for others."""
        found = (
            self.options.measures(first_ranking(tuple(self.values)))
            if self.options is not None and len(self)
            else {}
        )
        for name in self.values:
            if name in ("bleu", "chrf"):
                from mto.evaluate.metrics.translation import corpus

                found[f"corpus_{name}"] = corpus(name, self.predictions, self.references)
        return found


def score(
    heads: Sequence[str],
    answers: Sequence[Answer] | Sequence[str],
    references: Sequence[Sequence[str]],
    metrics: Sequence[str] = DEFAULT_METRICS,
    options: Options | None = None,
) -> Scores:
    """Score answers of a model, or plain texts such as those of a baseline, with named metrics.

    Args:
        options: what was done with the options. Without, plain texts are taken for the options' names as they stand.

    Raises:
        UnknownNameError: no such metric.
        DataError: numbers differ, an example without references, or a metric of options for answers of a model without any.

    >>> score(["hammer"], ["pounding nails"], [["to pound nails", "hit"]]).means()["exact_match"]
    0.0
    """
    texts = tuple(a if isinstance(a, str) else a.text for a in answers)
    flags = {
        "empty": [not a.strip() if isinstance(a, str) else a.empty for a in answers],
        "unasked_sentinel": [not isinstance(a, str) and a.unasked_sentinel for a in answers],
    }
    values = {}
    for name in metrics:
        metric = known_metrics.get(name)
        read: Sequence[str] = texts
        if metric.reads != "text" and options is not None:
            read = options.picks(metric.reads)
        elif metric.reads != "text" and not all(isinstance(answer, str) for answer in answers):
            raise DataError(
                f"the metric '{name}' is for tasks with options, such as the choices of a question",
                hint="leave it out, or name another: mto ls metrics",
            )
        values[name] = metric(read, references)
    return Scores(
        heads=tuple(heads),
        predictions=texts,
        references=tuple(tuple(several) for several in references),
        values=values,
        options=options,
        empty=np.asarray(flags["empty"], dtype=bool),
        unasked_sentinel=np.asarray(flags["unasked_sentinel"], dtype=bool),
    )


def first_ranking(metrics: Sequence[str]) -> str:
    """The ranking that the first of some metrics looks at that looks at any; ``sum`` where none does.

    >>> first_ranking(["accuracy", "rank_byte", "rank_sum"]), first_ranking(["rouge_l"])
    ('byte', 'sum')
    """
    return next((by for name in metrics if (by := known_metrics.get(name).reads) in RANKINGS), "sum")


def _frozen(array: NDArray[Any], dtype: type) -> NDArray[Any]:
    copy: NDArray[Any] = np.array(array, dtype=dtype)
    copy.flags.writeable = False
    return copy
