from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.match.depthrank import FamilyScore, FamilyScores, MaskabilityReport, MaskPair, maskability
from mto.match.depthrank.resample import Heads
from mto.match.depthrank.results import LeftOut, ScoredRow
from mto.match.evidence import Span

NOWHERE = Span(value=0, low=0, high=0)


def scored(name: str, ranks: Sequence[float], bits: Sequence[float], **more: Any) -> FamilyScore:
    n = len(ranks)
    return FamilyScore(
        family=name, title=name, objective=None, masks=int("masked" in name), natural=True, ids=9, words_lost=0,
        depth_rank=NOWHERE, weighted=NOWHERE, log_rank=NOWHERE, bits_per_byte=NOWHERE,
        row_depth_rank=tuple(ranks), row_weighted=tuple(ranks), row_log_rank=tuple(np.log1p(ranks).tolist()),
        row_bits=tuple(bits), row_bytes=(10.0,) * n, **{"conventional": name == "mapping", **more},
    )  # fmt: skip


def both(
    plain: Sequence[float],
    masked: Sequence[float],
    bits: tuple[Sequence[float], Sequence[float]] | None = None,
    names: tuple[str, str] = ("prompting", "masked-prompting"),
    ids: Sequence[str] | None = None,
) -> FamilyScores:
    n = len(plain)
    left, right = bits or ([20.0] * n, [10.0] * n)
    return FamilyScores(
        task="t", model="m", revision="r", phrase="p", shots=5, seed=0, targets="first", precision="fp32", labelled=n,
        rows=tuple(ScoredRow(id=i, head=i, targets=("x",)) for i in ids or [f"h{k:03}" for k in range(n)]),
        families=(scored(names[0], plain, left), scored(names[1], masked, right)),
        pairs=(MaskPair(plain=names[0], masked=names[1]),),
    )  # fmt: skip


def test_the_worked_example() -> None:
    found = maskability(both([30, 50], [20, 30])).pairs[0]
    assert found.index is not None and found.index.value == pytest.approx(0.375)
    assert found.bits.value == pytest.approx(1.0)
    assert found.relative_bits is not None and found.relative_bits.value == pytest.approx(0.5)
    assert found.by_reported_rule == "mask-filling" and found.shots == 5 and found.heads == 2
    assert found.reason is None


def test_the_rule_and_the_lean() -> None:
    rng = np.random.default_rng(0)
    plain = rng.uniform(90, 110, 50)
    clear = maskability(both(plain, plain * 0.5, (plain, plain * 0.5)))
    assert clear.lean.value == pytest.approx(1.0) and clear.lean.towards == "mask-filling"
    against = maskability(both(plain, plain * 3, (plain, plain * 3)))
    assert against.lean.value == pytest.approx(-1.0)
    assert against.pairs[0].by_reported_rule == "map-phrasal"
    some = maskability(both(plain, plain * 0.8, (plain, plain)))
    assert 0 < some.lean.value < 0.7 and some.pairs[0].by_reported_rule == "map-phrasal"
    assert "masked-prompting against prompting: MI 0.2 [" in some.lean.saw
    noise = maskability(both(plain, rng.permutation(plain), (plain, rng.permutation(plain))))
    assert abs(noise.lean.value) < 0.1


def test_a_sure_difference_leans_more_than_a_doubtful_one_of_its_size() -> None:
    sure = maskability(both([100] * 20, [85] * 20, ([20] * 20, [20] * 20)))
    rng = np.random.default_rng(1)
    ranks = rng.exponential(100, 20)
    doubtful = maskability(both([100] * 20, ranks * 85 / ranks.mean(), ([20] * 20, [20] * 20)))
    assert sure.pairs[0].index is not None and doubtful.pairs[0].index is not None
    assert sure.pairs[0].index.value == pytest.approx(doubtful.pairs[0].index.value)
    assert doubtful.pairs[0].index.low < 0 < sure.pairs[0].index.low
    assert sure.pairs[0].lean.value > doubtful.pairs[0].lean.value > 0


def test_heads_are_resampled_together() -> None:
    """Heads differ a thousandfold, the mask takes the same share of each: the index is known exactly."""
    plain = np.geomspace(1, 1000, 40)
    found = maskability(both(plain, plain * 0.7)).pairs[0]
    assert found.index is not None
    assert (found.index.low, found.index.high) == pytest.approx((0.3, 0.3))


RANKS = st.lists(st.tuples(st.floats(1, 1e4), st.floats(0, 1e4)), min_size=2, max_size=20)


@given(RANKS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_and_the_interval_holds_the_value(
    pairs: list[tuple[float, float]], random: Any
) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)
    plain, masked = zip(*pairs, strict=True)
    ids = [f"h{n:03}" for n in order]
    mixed = both([plain[n] for n in order], [masked[n] for n in order], ids=ids)
    found = maskability(both(plain, masked))
    assert maskability(mixed) == found
    for span in (
        found.pairs[0].index,
        found.pairs[0].weighted,
        found.pairs[0].log_index,
        found.pairs[0].bits,
    ):
        assert span is not None and span.low <= span.value <= span.high
    index = found.pairs[0].index
    assert index is not None
    assert index.value == pytest.approx((np.mean(plain) - np.mean(masked)) / np.mean(plain), abs=1e-9)
    assert MaskabilityReport.model_validate_json(found.model_dump_json()) == found


def test_coverage_of_the_interval() -> None:
    """Of 200 draws of 40 heads, about 95 % of the intervals hold the index of the population."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        plain = rng.gamma(2, 50, 40)
        masked = plain * rng.uniform(0.4, 1.0, 40)
        index = maskability(both(plain, masked), resamples=400).pairs[0].index
        assert index is not None
        held += index.low <= 0.3 <= index.high
    assert 178 <= held <= 199


def test_no_ratio_where_nothing_can_be_gained() -> None:
    found = maskability(both([0, 0, 0, 0], [0, 1, 0, 2])).pairs[0]
    assert found.index is None and found.by_reported_rule is None
    assert found.reason == "the DepthRank of prompting touches 0: a ratio would mean nothing"
    assert found.bits.value == pytest.approx(1.0) and found.lean.value == pytest.approx(1.0)
    rare = maskability(both([0, 0, 0, 9], [0, 1, 0, 2])).pairs[0]  # a third of the resamples leave 9 out
    assert rare.index is None


def test_pairs_of_the_conventional_family_count_only_alone() -> None:
    natural = both([100] * 9, [50] * 9)
    mapping = both([100] * 9, [200] * 9, ([10] * 9, [20] * 9), names=("mapping", "masked-mapping"))
    assert maskability(mapping).lean.value == pytest.approx(-1.0)
    together = natural.model_copy(
        update={"families": natural.families + mapping.families, "pairs": mapping.pairs + natural.pairs}
    )
    report = maskability(together)
    assert len(report.pairs) == 2 and report.lean.value == pytest.approx(1.0)
    assert report.pair("mapping", "masked-mapping").index is not None
    with pytest.raises(DataError, match="no pair"):
        report.pair("mapping", "prompting")


def test_without_a_pair_it_says_why() -> None:
    alone = both([1, 2], [1, 2]).model_copy(
        update={"pairs": (), "left_out": (LeftOut(family="masked-mapping", reason="it has no sentinels"),)}
    )
    report = maskability(alone)
    assert report.pairs == () and report.lean.value == 0 and report.lean.towards == "neither"
    assert report.reason == (
        "no two of the scored families differ by a mask alone (masked-mapping was left out: it has no sentinels)"
    )


def test_columns_must_fit() -> None:
    with pytest.raises(DataError, match="3 values of rank for 2 rows"):
        Heads(["a", "b"], {"rank": [1, 2, 3]})
