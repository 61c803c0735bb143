"""A budget in seconds, by a made-up clock."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.match.probe.budget import FIRST_STEP, Pace, Purse
from mto.match.probe.config import ProbeConfig
from tests.match.probe_bench import BATCH, ROWS, FakeBench, race

ARMS = {"mapping": 40, "masked-mapping": 41, "prompting": 30, "masked-prompting": 31}


def bits(name: str, steps: int, rate: float) -> float:
    return ARMS[name] / (1 + steps / 100)


def test_a_minute_is_used_and_not_overrun() -> None:
    bench = FakeBench(bits, step=0.16, fixed=0.12, row=0.004, jitter=(1.0, 1.1, 0.9))
    ran, _, purse = race(list(ARMS), bench, ProbeConfig(budget_seconds=60))
    assert ran.ended == "winner" and ran.ranking[0] == "prompting"
    assert 54 <= purse.seconds <= 66
    assert 300 <= purse.steps <= 370  # 60 seconds less scoring, at 0.16 a step


@pytest.mark.parametrize("budget", [20, 30])
def test_a_slow_first_training_does_not_use_up_the_probe(budget: float) -> None:
    """Figures of the embedded model on two busy cores: the first training of one step takes 3.2 s, later ones 0.7 s."""
    bench = FakeBench(bits, step=0.3, fixed=0.3, row=0.0147, warm=2.5)
    ran, _, purse = race(list(ARMS), bench, ProbeConfig(budget_seconds=budget))
    assert len(ran.rungs) > 1 and purse.steps > 12  # every arm was trained in every fold
    assert 0.75 * budget <= purse.seconds <= 1.1 * budget


@settings(max_examples=60)
@given(
    budget=st.floats(2.0, 500.0),
    row=st.floats(0.0005, 0.2),
    share=st.floats(0.5, 8.0),
    fixed=st.floats(0.0, 1.0),
    warm=st.floats(0.0, 2.0),
    jitter=st.lists(st.floats(0.85, 1.15), min_size=1, max_size=7),
    steps=st.none() | st.integers(1, 400),
)
def test_seconds_are_obeyed_within_a_tenth(budget, row, share, fixed, warm, jitter, steps) -> None:
    """For any pace of steps and scoring: a step takes half to eight times the scoring of its rows.

    Warming up takes up to twice what a first step is guessed to take.
    """
    bench = FakeBench(
        bits,
        step=share * BATCH * row,
        fixed=fixed,
        row=row,
        warm=warm * FIRST_STEP * BATCH * row,
        jitter=jitter,
    )
    config = ProbeConfig(budget_seconds=budget, budget_steps=steps)
    began = bench.now
    ran, tournament, purse = race(list(ARMS), bench, config)
    # the answer needs at least one arm's zero-shot score, however long that takes
    assert bench.now - began <= max(1.1 * budget, row * ROWS * max(jitter)) + 1e-6
    assert purse.seconds == pytest.approx(bench.now - began)
    assert steps is None or purse.steps <= steps
    if any(entry[2] for entry in bench.log):  # trained only where all were scored first
        assert len(tournament.left_out) == 0
        assert [entry[2] for entry in bench.log[:4]] == [0] * 4
    if tournament.left_out:
        assert ran.ended == "budget"
        assert {left.name for left in tournament.left_out} | set(ran.ranking) == set(ARMS)
        assert all("time was up" in left.why for left in tournament.left_out)


@settings(max_examples=30)
@given(slow=st.floats(1.5, 6.0), when=st.integers(30, 300))
def test_a_machine_that_becomes_slow_is_noticed(slow: float, when: int) -> None:
    """From one act on everything takes longer: work under way is broken off, and the finished rungs stand."""
    jitter = [1.0] * when + [slow] * 2000
    bench = FakeBench(bits, step=0.15, fixed=0.1, row=0.004, jitter=jitter)
    ran, _, purse = race(list(ARMS), bench, ProbeConfig(budget_seconds=60))
    assert purse.seconds <= 66
    assert ran.ranking[0] == "prompting"


def test_no_training_is_begun_where_its_pace_cannot_even_be_measured() -> None:
    bench = FakeBench(bits, step=5.0, row=0.05)  # zero-shot takes 2.4 s
    ran, _, purse = race(list(ARMS), bench, ProbeConfig(budget_seconds=4))
    assert (ran.ended, purse.steps, len(ran.rungs)) == ("budget", 0, 1)


def test_pilots_that_diverge_do_not_end_the_probe() -> None:
    bench = FakeBench(lambda name, steps, rate: math.nan if name == "prompting" and steps else ARMS[name])
    ran, _, _ = race(list(ARMS), bench, ProbeConfig(budget_seconds=60))
    assert ran.ended == "winner" and ran.ranking[0] == "masked-prompting"


def test_the_pilot_counts_until_there_is_a_real_training() -> None:
    pace = Pace()
    pace.note(1, 2.0, 1.9, pilot=True)
    pace.note(4, 1.0, 0.8, pilot=True)
    assert (pace.step, pace.each) == pytest.approx((0.2, 0.2))  # the first pilot is forgotten
    pace.note(10, 1.1, 1.0)
    pace.note(30, 3.3, 3.0)
    assert (pace.step, pace.each) == pytest.approx((0.1, 0.2))


@given(budget=st.integers(1, 1000), arms=st.integers(2, 12), folds=st.integers(2, 5), eta=st.integers(2, 3))
def test_a_plan_can_be_paid_and_tells_more_than_the_one_before(budget, arms, folds, eta) -> None:
    purse = Purse(ProbeConfig(budget_steps=budget, eta=eta))
    before, left, number = 0, arms, 1
    while left > 1:
        steps = purse.plan(number, left, {"m": left * folds}, before)
        if steps is None:
            assert budget - purse.steps < (before + 1) * left * folds or before == 60
            break
        assert before < steps <= 60
        purse.steps += steps * left * folds
        assert purse.steps <= budget
        before, left, number = steps, math.ceil(left / eta), number + 1
