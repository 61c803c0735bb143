"""The results file of the study of the splitters: how well each hit the target of each sentence. All tables come from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from mto.config import Strict
from mto.evaluate.statistics import Interval, crossed_bootstrap
from mto.study.files import StudyResults, read_study_file

Share = Annotated[float, AfterValidator(lambda value: round(value, 4) + 0.0)]
Hits = tuple[Share | None, ...]


class Judged(Strict):
    """What one splitter found in the sentences of one relation.

    Attributes:
        model: checkpoint that the model was tuned from; empty for rules alone.
        splitter: which one, such as ``model, free``.
        relation: whose test sentences.
        seen: whether labelled rows of the relation were in the training (of rules: whether they know its phrases).
        overlap: F1 of the words of span and target, one a sentence; 1: the span is exact; None: no span.
    """

    model: str
    splitter: str
    relation: str
    seen: bool
    overlap: Hits = Field(min_length=1)


class Figures(Strict):
    """Means over relations of one splitter on seen or on unseen relations, with 95 % intervals over the sentences.

    Attributes:
        kept: share of sentences with a span.
        exact: share of all sentences with the exact span.
        overlap: F1 of the words, 0 where there is no span.
        precision: share of exact spans among the spans, over all relations together; None where there is no span.
    """

    kept: float
    exact: float
    exact_low: float
    exact_high: float
    overlap: float
    overlap_low: float
    overlap_high: float
    precision: float | None


class SplitterResults(StudyResults):
    """Everything that the study found out."""

    revisions: dict[str, str]
    hits: tuple[Judged, ...]

    def rows(self, *, seen: bool) -> dict[tuple[str, str], tuple[Judged, ...]]:
        """What each (checkpoint, splitter) found, in the file's order."""
        found: dict[tuple[str, str], list[Judged]] = {}
        for one in self.hits:
            if one.seen == seen:
                found.setdefault((one.model, one.splitter), []).append(one)
        return {at: tuple(some) for at, some in found.items()}


def figures(found: Sequence[Judged]) -> Figures:
    """The means of one splitter."""
    exact = interval([[float(hit == 1.0) for hit in one.overlap] for one in found])
    overlap = interval([[hit or 0.0 for hit in one.overlap] for one in found])
    spans = [hit for one in found for hit in one.overlap if hit is not None]
    kept = [sum(hit is not None for hit in one.overlap) / len(one.overlap) for one in found]
    return Figures(
        kept=sum(kept) / len(kept), exact=exact.mean, exact_low=exact.low, exact_high=exact.high, overlap=overlap.mean,
        overlap_low=overlap.low, overlap_high=overlap.high,
        precision=sum(hit == 1.0 for hit in spans) / len(spans) if spans else None,
    )  # fmt: skip


def interval(values: Sequence[Sequence[float]]) -> Interval:
    """Mean of relation means with its interval; the sentences of each relation are resampled."""
    return crossed_bootstrap([[list(one)] for one in values])


def read_splitters(path: str | Path) -> SplitterResults:
    """Read a results file. Raises `DataError` when it is none, or not whole."""
    return read_study_file(SplitterResults, path, "splitters")
