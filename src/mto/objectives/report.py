"""Where masks fell: realised density, span lengths and positions, as counts that can be added up."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from mto.objectives.layouts import Spans
from mto.objectives.ragged import Ragged

BINS = 10


@dataclass(frozen=True)
class MaskReport:
    """Counts over any number of rows; add two reports to join them.

    Args:
        rows: rows seen.
        spans: spans in them.
        span_lengths: ``span_lengths[k]`` spans were `k` tokens long.
        noise_at: noise tokens in each tenth of their row (token `i` of `L` lies in tenth ``10 (i + 0.5) / L``).
        tokens_at: all tokens in each tenth; short rows do not fill all tenths evenly.
        suffix_rows: rows whose noise is one span at the end: prefix LM in disguise.
        prefix_rows: rows whose noise is one span at the start.

    >>> report = MaskReport.of(Ragged.from_lists([[0, 1, 1, 0, 0], [0, 0, 0, 0, 1]], dtype=bool))
    >>> report.density, report.mean_span, report.spans_per_row, report.suffix_share
    (0.3, 1.5, 1.0, 0.5)
    """

    rows: int
    spans: int
    span_lengths: tuple[int, ...]
    noise_at: tuple[int, ...]
    tokens_at: tuple[int, ...]
    suffix_rows: int
    prefix_rows: int

    @classmethod
    def of(cls, noise: Ragged) -> MaskReport:
        """Count one batch of masks: bool, the rows of the batch."""
        spans = Spans.find(noise.values, noise.offsets)
        lengths = np.maximum(noise.lengths, 1)
        place = np.arange(noise.values.size) - np.repeat(noise.offsets[:-1], noise.lengths)
        tenth = (BINS * (2 * place + 1)) // (2 * np.repeat(lengths, noise.lengths))
        one = np.flatnonzero(spans.counts == 1)
        start = spans.starts[spans.offsets[one]]
        end = start + spans.lengths[spans.offsets[one]]
        return cls(
            rows=len(noise),
            spans=int(spans.starts.size),
            span_lengths=tuple(np.bincount(spans.lengths).tolist()),
            noise_at=tuple(np.bincount(tenth[noise.values], minlength=BINS).tolist()),
            tokens_at=tuple(np.bincount(tenth, minlength=BINS).tolist()),
            suffix_rows=int((end == noise.offsets[one + 1]).sum()),
            prefix_rows=int((start == noise.offsets[one]).sum()),
        )

    def __add__(self, other: MaskReport) -> MaskReport:
        return MaskReport(
            self.rows + other.rows,
            self.spans + other.spans,
            _added(self.span_lengths, other.span_lengths),
            _added(self.noise_at, other.noise_at),
            _added(self.tokens_at, other.tokens_at),
            self.suffix_rows + other.suffix_rows,
            self.prefix_rows + other.prefix_rows,
        )

    @property
    def density(self) -> float:
        """Share of tokens that are noise."""
        return sum(self.noise_at) / max(sum(self.tokens_at), 1)

    @property
    def mean_span(self) -> float:
        """Mean span length in tokens."""
        return sum(self.noise_at) / max(self.spans, 1)

    @property
    def spans_per_row(self) -> float:
        """Mean number of spans in a row."""
        return self.spans / max(self.rows, 1)

    @property
    def density_at(self) -> tuple[float, ...]:
        """Share of noise among the tokens of each tenth of the rows: flat when masks fall anywhere."""
        return tuple(n / max(t, 1) for n, t in zip(self.noise_at, self.tokens_at, strict=True))

    @property
    def suffix_share(self) -> float:
        """Share of rows whose noise is one span at the end."""
        return self.suffix_rows / max(self.rows, 1)

    @property
    def prefix_share(self) -> float:
        """Share of rows whose noise is one span at the start."""
        return self.prefix_rows / max(self.rows, 1)

    def show(self) -> str:
        """A few lines for a person: numbers, and a bar for each tenth."""
        highest = max(*self.density_at, 1e-9)
        bars = [
            f"  {10 * tenth:3d}-{10 * tenth + 10:3d} %  "
            + (f"{share:6.1%}  {'#' * round(40 * share / highest)}" if tokens else "     -")
            for tenth, (share, tokens) in enumerate(zip(self.density_at, self.tokens_at, strict=True))
        ]
        head = (
            f"{self.rows} rows, {sum(self.tokens_at)} tokens: density {self.density:.3f}, "
            f"mean span {self.mean_span:.2f}, {self.spans_per_row:.2f} spans a row, "
            f"one span at the end {self.suffix_share:.1%}, at the start {self.prefix_share:.1%}"
        )
        return "\n".join([head, "noise by place in the row:", *bars])


def _added(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip_longest(a, b, fillvalue=0))
