"""The tournament with made-up arms: what it may spend, who wins, and when it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.match.probe.config import ProbeConfig
from mto.match.probe.halving import Spent, Stopped, rungs_needed, successive_halving
from mto.match.probe.judge import Judge
from mto.match.probe.telling import tell
from tests.match.probe_bench import FOLDS, ROWS, FakeBench, race

LEVELS = st.lists(st.integers(10, 60), min_size=1, max_size=9, unique=True)


def names_of(levels: list[int]) -> dict[str, int]:
    return {f"arm{n}": level for n, level in enumerate(levels)}


def learns(levels: dict[str, int]):
    """All arms get better with steps, and none passes another."""
    return lambda name, steps, rate: levels[name] / (1 + steps / 100)


@settings(max_examples=60)
@given(
    levels=LEVELS,
    budget=st.integers(1, 2000),
    eta=st.integers(2, 4),
    first=st.none() | st.integers(1, 30),
    rungs=st.none() | st.integers(1, 3),
    drop=st.booleans(),
    rates=st.sampled_from([(1e-4,), (1e-4, 1e-3)]),
    judge=st.sampled_from(["bits", "rank"]),
)
def test_a_budget_in_steps_is_kept_and_the_best_arm_wins(
    levels, budget, eta, first, rungs, drop, rates, judge
) -> None:
    arms = names_of(levels)
    bench = FakeBench(learns(arms))
    config = ProbeConfig(
        budget_steps=budget, eta=eta, first_steps=first, rungs=rungs, drop_untrained=drop, judge=judge
    )
    ran, _, purse = race(list(arms), bench, config, rates=rates)
    trained = [entry for entry in bench.log if entry[2]]
    # the budget, counted from what was really done
    assert purse.steps == sum(steps for _, _, steps, _ in trained) <= budget
    assert all(steps <= config.most_steps for _, _, steps, _ in trained)
    # every arm has its zero-shot score before any is trained
    assert [name for name, _, steps, _ in bench.log[: len(arms)] if steps == 0] == list(arms)
    assert bench.log[len(arms) :] == trained
    # a score without noise: the best arm is the first, whatever was spent; all arms are ranked once
    assert ran.ranking[0] == min(arms, key=arms.__getitem__)
    assert sorted(ran.ranking) == sorted(arms)
    # a rung trains every arm that is left in every fold with the same steps, more than before, and keeps 1 in eta
    alive, before = len(arms), 0
    for rung in ran.rungs[1:]:
        done = [entry for entry in trained if entry[2] == rung.steps]
        tries = len(rates) if rung.number == 1 else 1
        assert len(done) == len(rung.values) * FOLDS * tries
        assert rung.steps > before
        assert len(rung.kept) == math.ceil(len(rung.values) / eta)
        alive, before = len(rung.kept), rung.steps
    if ran.ended == "winner":
        assert alive == 1 or (drop and len(ran.rungs[0].kept) == 1)
    else:
        assert ran.ended == "budget"


@settings(max_examples=30)
@given(levels=LEVELS, seed=st.integers(0, 10))
def test_every_arm_is_dropped_once_and_for_a_reason(levels: list[int], seed: int) -> None:
    arms = names_of(levels)
    noise = np.random.default_rng(seed)
    bench = FakeBench(lambda name, steps, rate: arms[name] + float(noise.normal(0, 5)))
    ran, tournament, _ = race(list(arms), bench, ProbeConfig(budget_steps=3000))
    told = tell(tournament, ran, Judge(np.arange(ROWS), np.full(ROWS, 10.0), seed))
    dropped = [out for rung in told.rungs for out in rung.dropped]
    assert sorted([*ran.rungs[-1].kept, *(out.arm for out in dropped)]) == sorted(arms)
    assert all(" more than " in out.why for out in dropped)
    assert ran.ended == "winner"
    if len(arms) == 1:
        assert told.difference is None and "nothing to choose" in told.notes[0]
    else:
        assert told.difference is not None


def test_the_default_budget_goes_to_two_rungs_of_four_families() -> None:
    arms = {"mapping": 40, "masked-mapping": 41, "prompting": 30, "masked-prompting": 31}
    ran, _, purse = race(list(arms), FakeBench(learns(arms)), ProbeConfig())
    assert [rung.steps for rung in ran.rungs] == [0, 12, 26]
    assert purse.steps == 4 * 3 * 12 + 2 * 3 * 26 == 300


def test_an_arm_is_judged_by_its_best_look() -> None:
    """`a` is best after few steps and is then trained too long; `b` gets better all the time."""
    curve = {"a": {0: 30, 2: 20, 3: 10}, "b": {0: 31, 6: 15, 12: 12}, "c": {0: 50}}
    bench = FakeBench(lambda name, steps, rate: curve[name].get(steps, 45))
    ran, tournament, _ = race(["a", "b", "c"], bench, ProbeConfig(first_steps=6))
    assert [rung.steps for rung in ran.rungs] == [0, 6, 12]
    assert ran.ranking == ("a", "b", "c") and ran.ended == "winner"
    first, last = ({score.arm: score for score in tournament.scores[rung]} for rung in (1, 2))
    assert [(look.steps, look.bits) for look in first["a"].looks] == [(1, 4.5), (3, 1.0), (6, 4.5)]
    assert (first["b"].steps, first["b"].value) == (6, 1.5)
    # 10 bits in 10 bytes after 3 steps of the second rung's training as of the first's
    assert (last["a"].steps, last["a"].value, last["a"].rows) == (3, 1.0, (1.0,) * ROWS)
    assert (last["b"].steps, last["b"].value) == (12, 1.2)
    # with one look a training `a` is seen too late
    blind, _, _ = race(["a", "b", "c"], bench, ProbeConfig(first_steps=6, looks=1))
    assert blind.ranking[0] == "b"


def test_one_odd_row_turns_the_bits_but_not_the_ranks() -> None:
    class Odd(FakeBench):
        def untrained(self, name: str):
            held = super().untrained(name)
            if name == "good":
                held.bits[0] += 1000
            return held

    arms = {"good": 20, "bad": 30}
    for how, first in (("bits", "bad"), ("rank", "good")):
        bench = Odd(lambda name, steps, rate: arms[name])
        ran, _, _ = race(list(arms), bench, ProbeConfig(judge=how, budget_steps=1))
        assert ran.ranking[0] == first and ran.ended == "budget"


def test_the_better_of_two_rates_goes_on() -> None:
    arms = {"a": 30, "b": 31, "c": 32, "d": 33}
    better = {"a": 1e-3, "b": 1e-4, "c": 1e-4, "d": 1e-4}
    bench = FakeBench(lambda name, steps, rate: arms[name] - steps * (rate == better[name]))
    config = ProbeConfig(first_steps=4, budget_steps=500)
    _, tournament, _ = race(list(arms), bench, config, rates=(1e-4, 1e-3))
    assert {(name, rate) for name, _, steps, rate in bench.log if steps == 8} == {("a", 1e-3), ("b", 1e-4)}
    assert [score.rate for score in tournament.scores[2]] == [1e-3, 1e-4]


def test_an_arm_whose_training_fails_is_dropped_with_the_reason() -> None:
    arms = {"a": 20.0, "b": 30.0, "c": 40.0, "d": 50.0}
    bench = FakeBench(lambda name, steps, rate: math.nan if name == "a" and steps else arms[name])
    ran, tournament, _ = race(list(arms), bench, ProbeConfig(budget_steps=300))
    told = tell(tournament, ran, Judge(np.arange(ROWS), np.full(ROWS, 10.0), 0))
    assert ran.rungs[1].kept == ("b", "c") and ran.ranking[0] == "b" and ran.ended == "winner"
    (failed,) = [out for out in told.rungs[1].dropped if out.arm == "a"]
    assert "the loss is nan" in failed.why and "rate 0.0001" in failed.why
    score = told.rungs[1].score("a")
    assert score is not None and score.bits is None and score.value is None
    # its folds after the first were not trained
    assert [fold for name, fold, steps, _ in bench.log if name == "a" and steps] == [0]


def test_when_every_training_fails_the_untrained_scores_decide() -> None:
    arms = {"a": 40.0, "b": 30.0, "c": 20.0}
    bench = FakeBench(lambda name, steps, rate: math.nan if steps else arms[name])
    ran, tournament, _ = race(list(arms), bench, ProbeConfig(budget_steps=300))
    told = tell(tournament, ran, Judge(np.arange(ROWS), np.full(ROWS, 10.0), 0))
    assert ran.ranking == ("c", "b", "a")
    assert any("diverged" in note for note in told.notes)
    assert told.difference is not None and told.difference.value == 1.0


def test_it_can_be_stopped_and_keeps_the_finished_rungs() -> None:
    arms = {"a": 20, "b": 30, "c": 40, "d": 50}
    for after, rungs in ((4, 1), (10, 1), (16, 1), (17, 2), (19, 2)):
        bench = FakeBench(learns(arms))
        ran, tournament, _ = race(list(arms), bench, ProbeConfig(), stop=lambda b=bench, n=after: len(b.log) >= n)  # fmt: skip
        assert (ran.ended, len(ran.rungs), ran.ranking[0]) == ("stopped", rungs, "a")
        assert {point.rung for points in tournament.points.values() for point in points} == set(range(rungs))
    with pytest.raises(Stopped):
        race(list(arms), FakeBench(learns(arms)), ProbeConfig(), stop=lambda: True)


def test_ctrl_c_does_the_same() -> None:
    arms = {"a": 20, "b": 30, "c": 40}
    bench = FakeBench(learns(arms))

    def press(what: str) -> None:
        if len(bench.log) == 8:
            raise KeyboardInterrupt

    bench.before = press
    ran, _, _ = race(list(arms), bench, ProbeConfig())
    assert (ran.ended, len(ran.rungs), ran.ranking[0]) == ("stopped", 1, "a")

    def at_once(what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        race(list(arms), FakeBench(learns(arms), before=at_once), ProbeConfig())


def test_a_signal_before_there_is_an_answer_is_handed_on() -> None:
    def measure(rung: int, steps: int, arms: tuple[str, ...]) -> dict[str, float]:
        raise Spent

    with pytest.raises(Spent):
        successive_halving(["a", "b"], measure, lambda rung, arms, before: 1)


def test_checkpoints_are_let_go_when_their_last_arm_is_dropped() -> None:
    arms = {"a": 20, "b": 21, "c": 40, "d": 41}
    bench = FakeBench(learns(arms))
    models = {"a": "good", "b": "good", "c": "poor", "d": "poor"}
    seen: list[str | None] = []
    ran, _, _ = race(list(arms), bench, ProbeConfig(), models=models, progress=lambda s: seen.append(s.best))
    assert bench.released == ["poor"]
    assert seen == [None] * 4 + ["a"] * 18 and ran.ended == "winner"


def test_rungs_needed_is_the_length_of_the_race() -> None:
    for arms in range(1, 20):
        for eta in (2, 3):
            left, count = arms, 0
            while left > 1:
                left, count = -(-left // eta), count + 1
            assert rungs_needed(arms, eta) == count
