"""Temperatures of options: what is recovered, what order is kept, and what few rows give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import DataError
from mto.evaluate.calibration import LEAST_ROWS, calibrate, softmin


def drawn(temperature: float, rows: int, seed: int = 0) -> tuple[list[list[float]], list[int]]:
    """Nats whose right options are drawn with the probabilities of a temperature."""
    rng = np.random.default_rng(seed)
    nats = rng.normal(0, 3 * temperature, (rows, 3))
    right = [int(rng.choice(3, p=softmin(each, temperature))) for each in nats]
    return nats.tolist(), right


@pytest.mark.parametrize("temperature", [0.05, 1.0, 8.0])
def test_the_temperature_that_drew_the_answers_is_found(temperature: float) -> None:
    found = calibrate(*drawn(temperature, 3000))
    assert found is not None and found.rows == 3000
    assert found.temperature == pytest.approx(temperature, rel=0.15)


def test_few_rows_that_are_all_right_stay_below_certainty() -> None:
    found = calibrate([[0.0, 1.0]] * 30, [0] * 30)
    assert found is not None
    # The likeliest temperature is 0; the smoothed targets ask for 1 - 1/32.
    assert softmin([0.0, 1.0], found.temperature)[0] == pytest.approx(1 - 1 / 32, abs=1e-3)


def test_nats_that_say_the_contrary_give_even_chances() -> None:
    found = calibrate([[0.0, 1.0]] * 30, [1] * 30)
    assert found is not None and softmin([0.0, 1.0], found.temperature)[0] == pytest.approx(0.5, abs=0.01)


def test_too_few_rows_and_wrong_numbers() -> None:
    assert calibrate([[0.0, 1.0]] * (LEAST_ROWS - 1), [0] * (LEAST_ROWS - 1)) is None
    with pytest.raises(DataError, match="10 questions, but 9"):
        calibrate([[0.0, 1.0]] * 10, [0] * 9)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=2, max_size=10),
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_probabilities_keep_the_order_and_add_up(nats: list[float], temperature: float, shift: float) -> None:
    chances = softmin(nats, temperature)
    assert chances.sum() == pytest.approx(1) and np.isfinite(chances).all()
    assert chances[int(np.argmin(nats))] == chances.max()
    scale = max(1.0, *map(abs, nats))
    np.testing.assert_allclose(
        softmin([x + shift for x in nats], temperature), chances, atol=1e-9 * scale / temperature + 1e-6
    )
