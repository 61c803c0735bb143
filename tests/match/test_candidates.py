"""Candidate checkpoints against the first, over the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from mto.errors import DataError
from mto.match.candidates import compare_candidates
from mto.match.depthrank.results import FamilyScore, FamilyScores, ScoredRow
from mto.match.evidence import Span

ROWS = 20


def scores(model: str, bits: np.ndarray, first_id: int = 0) -> FamilyScores:
    value = float(bits.sum() / (10 * ROWS))
    some = Span(value=value, low=value - 0.5, high=value + 0.5)
    ten = (10.0,) * ROWS
    family = FamilyScore(
        family="mapping", title="Mapping", objective=None, conventional=True, masks=0, natural=False, ids=9.0,
        words_lost=0, depth_rank=some, weighted=some, log_rank=some, bits_per_byte=some, row_depth_rank=ten,
        row_weighted=ten, row_log_rank=ten, row_bits=tuple(bits.tolist()), row_bytes=ten,
    )  # fmt: skip
    rows = tuple(ScoredRow(id=str(first_id + n), head="h", targets=("t",)) for n in range(ROWS))
    return FamilyScores(
        task="t", model=model, revision="r", phrase=None, shots=0, seed=0, targets="first", precision="fp32",
        labelled=ROWS, rows=rows, families=(family,),
    )  # fmt: skip


HARD = np.linspace(5.0, 60.0, ROWS)
"""Bits of rows that are hard for one checkpoint and hard for another."""


def test_a_small_difference_that_every_row_shows_is_clear() -> None:
    found = compare_candidates([("a", scores("a", HARD)), ("b", scores("b", HARD + 1))])
    assert found is not None and not found.too_close and found.first == "a"
    assert found.behind[0].bits.value == pytest.approx(0.1) and found.behind[0].bits.low > 0.09
    assert "a; b expects the same rows clearly less (+0.10" in found.says


def test_a_difference_that_rows_disagree_on_is_too_close() -> None:
    turned = HARD[::-1] + 1
    found = compare_candidates(
        [("a", scores("a", HARD)), ("b", scores("b", turned)), ("c", scores("c", HARD + 30))]
    )
    assert found is not None and found.too_close
    assert [(one.model, one.close) for one in found.behind] == [("b", True), ("c", False)]
    assert found.says.startswith("too close to call between a and b")


def test_one_checkpoint_has_no_rival_and_rows_must_be_the_same() -> None:
    assert compare_candidates([("a", scores("a", HARD))]) is None
    with pytest.raises(DataError, match="different rows"):
        compare_candidates([("a", scores("a", HARD)), ("b", scores("b", HARD, first_id=5))])
