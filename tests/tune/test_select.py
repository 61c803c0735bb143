from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.tune import SweepPoint, choose_family, choose_point
from mto.tune.select import mean_ranks

points = st.lists(
    st.builds(
        SweepPoint,
        rate=st.sampled_from([1e-4, 3e-4, 1e-3]),
        steps=st.integers(1, 9),
        nats_per_byte=st.integers(1, 6).map(lambda n: n / 4),
        metric=st.integers(0, 5).map(float),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda point: (point.rate, point.steps),
)


def test_each_rule_takes_its_own_best() -> None:
    likely = SweepPoint(1e-4, 20, 1.0, 8.0)
    right = SweepPoint(1e-3, 20, 1.6, 20.0)
    even = SweepPoint(3e-4, 20, 1.1, 19.0)
    worst = SweepPoint(3e-4, 60, 1.7, 9.0)
    assert choose_point([worst, likely, right, even], "likelihood") is likely
    assert choose_point([worst, likely, right, even], "metric") is right
    assert choose_point([worst, likely, right, even], "both") is even


def test_ties_go_to_likelihood_then_fewer_steps_then_the_lower_rate() -> None:
    a, b = SweepPoint(1e-4, 20, 1.0, 10.0), SweepPoint(1e-4, 60, 1.2, 12.0)
    assert mean_ranks([b, a]) == [1.5, 1.5]
    assert choose_point([b, a]) is a
    same = SweepPoint(3e-4, 20, 1.0, 10.0)
    assert choose_point([same, replace(a, steps=60), a, replace(same, steps=60)]) is a


@given(points)
def test_a_point_that_another_beats_is_never_chosen(found: list[SweepPoint]) -> None:
    for rule in ("both", "likelihood", "metric"):
        chosen = choose_point(found, rule)
        for other in found:
            no_worse = other.nats_per_byte <= chosen.nats_per_byte and other.metric >= chosen.metric
            assert not (no_worse and (other.nats_per_byte, other.metric) != (chosen.nats_per_byte, chosen.metric)) or (
                rule == "likelihood" and other.nats_per_byte == chosen.nats_per_byte
            )  # fmt: skip


@given(points, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(found: list[SweepPoint], random) -> None:
    shuffled = found.copy()
    random.shuffle(shuffled)
    assert choose_point(found) == choose_point(shuffled)


@given(points)
def test_ranks_share_out_all_places(found: list[SweepPoint]) -> None:
    assert sum(mean_ranks(found)) == pytest.approx(len(found) * (len(found) + 1) / 2)


def test_a_family_is_chosen_by_the_same_rule_and_nothing_gives_an_error() -> None:
    found = {"mapping": SweepPoint(1e-3, 60, 1.5, 12.0), "prompting": SweepPoint(1e-4, 5, 1.1, 12.5)}
    assert choose_family(found) == "prompting"
    twins = {"mapping": found["mapping"], "prompting": found["mapping"]}
    assert choose_family(twins) == "mapping"
    with pytest.raises(DataError, match="nothing to choose"):
        choose_family({})
