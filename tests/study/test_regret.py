"""Regret of a way of choosing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.study.matching.regret import Outcome, always, judge_rule, noise_floor

NAMES = ("mapping", "prompting", "masked-prompting")


def outcomes(means: list[list[float]], seeds: int = 2, heads: int = 4, model: str = "mini") -> list[Outcome]:
    """One task a row of family means; every head scores the mean."""
    return [
        Outcome(f"r{n}", model, tuple(range(seeds)), NAMES[: len(row)], np.tile(np.array(row)[:, None, None], (1, seeds, heads)))
        for n, row in enumerate(means)
    ]  # fmt: skip


def test_a_worked_example() -> None:
    """Means 20 and 18, and the second chosen in one seed of two: a regret of 1 point, right in half."""
    tasks = outcomes([[20.0, 18.0]])
    found = judge_rule("half", tasks, {("r0", "mini", 0): "mapping", ("r0", "mini", 1): "prompting"})
    assert (found.best.value, found.regret.value, found.share.value) == (0.5, 1.0, 5.0)
    assert found.tasks == 1


def test_the_share_is_a_ratio_of_means() -> None:
    tasks = outcomes([[40.0, 30.0], [10.0, 10.0]])
    found = judge_rule("second", tasks, always(tasks, "prompting"))
    assert found.regret.value == 5.0  # (10 + 0) / 2
    assert found.share.value == 20.0  # 5 / 25, not (25 + 0) / 2
    assert found.best.value == 0.5  # a tie counts as right
    assert found.share.low == 0.0 and found.share.high == 25.0  # over relations


@given(
    st.lists(st.lists(st.floats(1, 100), min_size=3, max_size=3), min_size=1, max_size=6), st.integers(0, 9)
)
def test_no_rule_beats_the_best_family_and_the_best_loses_nothing(
    means: list[list[float]], seed: int
) -> None:
    tasks = outcomes(means)
    best = {(t.group, t.model, s): t.families[int(t.means().argmax())] for t in tasks for s in t.seeds}
    assert judge_rule("best", tasks, best).regret.value == 0.0
    rng = np.random.default_rng(seed)
    other = judge_rule("random", tasks, {key: str(rng.choice(NAMES)) for key in best})
    assert other.regret.value >= 0.0 and 0 <= other.best.value <= 1
    assert other.regret.low <= other.regret.value <= other.regret.high + 1e-9


def test_the_noise_floor_is_nothing_where_there_is_no_noise_and_something_where_there_is() -> None:
    assert noise_floor(outcomes([[20.0, 10.0, 5.0], [1.0, 2.0, 3.0]])).regret.value == 0.0
    rng = np.random.default_rng(0)
    equal = [Outcome(f"r{n}", "mini", (0, 1), NAMES, rng.uniform(0, 40, (3, 2, 20))) for n in range(5)]
    floor = noise_floor(equal)
    assert floor.regret.value > 0.5 and floor.best.value < 0.7
    assert noise_floor(equal) == floor


def test_mistakes() -> None:
    tasks = outcomes([[20.0, 18.0]])
    with pytest.raises(DataError, match="no tested family was chosen for r0, mini, seed 0: None"):
        judge_rule("x", tasks, {})
    with pytest.raises(DataError, match="masked"):
        judge_rule("x", tasks, always(tasks, "masked-prompting"))
    with pytest.raises(DataError, match="nothing to judge"):
        judge_rule("x", [], {})
    with pytest.raises(DataError, match="cannot be halved"):
        noise_floor(outcomes([[1.0, 2.0]], heads=1))
