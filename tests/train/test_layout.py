"""The choice of processes and threads."""

from __future__ import annotations

import pytest

from mto.train import layout


@pytest.mark.parametrize(
    ("speeds", "wanted"),
    [
        ({(1, 4): 100.0, (2, 2): 150.0, (4, 1): 140.0}, (2, 2)),
        ({(1, 4): 100.0, (2, 2): 104.0, (4, 1): 90.0}, (1, 4)),
        ({(1, 4): 100.0, (2, 2): 0.0, (4, 1): 0.0}, (1, 4)),
    ],
)
def test_the_fastest_wins_unless_one_process_is_nearly_as_fast(
    monkeypatch: pytest.MonkeyPatch, speeds: dict[tuple[int, int], float], wanted: tuple[int, int]
) -> None:
    monkeypatch.setattr(layout, "_measure", lambda choice, *_: speeds[choice])
    chosen = layout.choose_layout(cores=4)
    assert (chosen.processes, chosen.threads) == wanted
    assert "2 x 2" in chosen.reason and "100" in chosen.reason


def test_one_core_needs_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_measure", lambda *_: pytest.fail("measured"))
    assert layout.choose_layout(cores=1).processes == 1
    assert layout.choose_layout(cores=4, most=1).threads == 4
