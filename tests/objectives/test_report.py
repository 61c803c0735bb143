"""Mask reports count right and add up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mto.objectives import MaskReport, Ragged

MASKS = st.lists(st.lists(st.booleans(), max_size=30), max_size=8)


def ragged(rows: list[list[bool]]) -> Ragged:
    return Ragged.from_lists(rows, dtype=np.bool_)


def test_one_report_by_hand() -> None:
    report = MaskReport.of(ragged([[True, True] + [False] * 8, [False] * 8 + [True] * 2, [True, False] * 5]))
    assert (report.rows, report.spans) == (3, 7)
    assert report.span_lengths == (0, 5, 2)
    assert report.noise_at == (2, 1, 1, 0, 1, 0, 1, 0, 2, 1)
    assert report.tokens_at == (3,) * 10
    assert (report.suffix_rows, report.prefix_rows) == (1, 1)
    assert report.density == 0.3
    assert "30 tokens: density 0.300" in report.show()


@given(MASKS, MASKS)
def test_reports_add_up(first: list[list[bool]], second: list[list[bool]]) -> None:
    assert MaskReport.of(ragged(first)) + MaskReport.of(ragged(second)) == MaskReport.of(
        ragged(first + second)
    )


@given(MASKS)
def test_counts_agree_with_each_other(rows: list[list[bool]]) -> None:
    report = MaskReport.of(ragged(rows))
    assert sum(report.tokens_at) == sum(map(len, rows))
    assert sum(report.noise_at) == sum(map(sum, rows))
    assert sum(report.span_lengths) == report.spans
    assert sum(length * count for length, count in enumerate(report.span_lengths)) == sum(report.noise_at)


def test_tenths_that_no_token_falls_into_are_shown_as_such() -> None:
    shown = MaskReport.of(ragged([[True, False, False, False, False]])).show()
    assert shown.count(" -\n") + shown.endswith(" -") == 5
