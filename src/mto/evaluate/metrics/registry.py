"""What a metric is, and the registry of all metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError
from mto.registry import Registry

Scored = NDArray[np.float64]
Compute = Callable[[Sequence[str], Sequence[Sequence[str]]], Scored]


@dataclass(frozen=True)
class Metric:
    """A named score of predictions against one or more references each.

    Call it with n predictions and n lists of references; it returns ``float64[n]`` on 0-100, one score an example.

    Raises (on call):
        DataError: the numbers of predictions and reference lists differ, or an example has no reference.
    """

    name: str
    title: str
    """Short, for table heads."""
    signature: Callable[[], str]
    """What was computed by which package in which version: goes into results, because metrics drift."""
    compute: Compute
    remark: str | None = None
    """What must be said beside every figure of this metric."""
    reads: str = "text"
    """What it looks at: the ``text`` that was written, the option that it was ``read`` as, or the first option of a ranking
    (``sum``, ``token``, ``byte``, ``calibrated``); all but the text are for tasks with options."""

    def __call__(self, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
        if len(predictions) != len(references):
            raise DataError(f"{len(predictions)} predictions, but {len(references)} lists of references")
        for index, several in enumerate(references):
            if isinstance(several, str):
                raise DataError(
                    f"the references of example {index} are one string, {several!r}",
                    hint="give a list of references for each example",
                )
            if not several:
                raise DataError(
                    f"example {index} (prediction {predictions[index]!r}) has no reference",
                    hint="leave examples without references out of the evaluation",
                )
        return self.compute(predictions, references)


metrics: Registry[Metric] = Registry("metric", Metric)
metrics.register(
    "rouge_l", "mto.evaluate.metrics.rouge:ROUGE_L", summary="ROUGE-L F1, best over all references"
)
metrics.register(
    "rouge_l3",
    "mto.evaluate.metrics.rouge:ROUGE_L3",
    summary="ROUGE-L F1, best over the first three references, as published figures have it",
)
metrics.register(
    "exact_match",
    "mto.evaluate.metrics.exact:EXACT_MATCH",
    summary="equal to a reference after normalisation",
)
metrics.register(
    "accuracy",
    "mto.evaluate.metrics.options:ACCURACY",
    summary="the option that was written is the right one",
)
for _by, _what in (
    ("sum", "in all, EOS included"),
    ("token", "a token"),
    ("byte", "a byte"),
    ("calibrated", "in all minus those without the question"),
):
    metrics.register(
        f"rank_{_by}",
        f"mto.evaluate.metrics.options:RANK_{_by.upper()}",
        summary=f"the likeliest option is the right one, by nats {_what}",
    )
metrics.register(
    "bleu", "mto.evaluate.metrics.translation:BLEU", summary="BLEU of sacrebleu, over all references"
)
metrics.register(
    "chrf", "mto.evaluate.metrics.translation:CHRF", summary="chrF of sacrebleu, over all references"
)
metrics.register(
    "semantic",
    "mto.evaluate.metrics.semantic:SEMANTIC",
    summary="cosine of sentence embeddings, best over all references (needs mto[semantic])",
)
