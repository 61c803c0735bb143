"""Tails of other heads beside the right one."""

from __future__ import annotations

import pytest

from mto.errors import DataError
from mto.tasks import draw_split, task_from_rows, with_distractors

ROWS = [{"head": f"thing {n}", "tail": [f"use {n}", f"use {n + 1}"]} for n in range(24)]
TASK = task_from_rows({"train": ROWS[:10], "dev": ROWS[10:14], "test": ROWS[14:]}, name="Use")


def test_every_seed_gives_a_test_head_the_same_choices() -> None:
    one, two = (with_distractors(draw_split(TASK, shots=4, seed=seed), TASK, 5) for seed in (0, 1))
    assert one.test == two.test and one.train == draw_split(TASK, shots=4, seed=0).train
    places = set()
    for item in one.test:
        assert len(set(item.choices)) == 5 and not set(item.targets[1:]) & set(item.choices)
        assert item.head.startswith("thing") and item.id in {example.id for example in TASK.test}
        places.add(item.choices.index(item.targets[0]))
    assert len(places) > 2
    for row in one.dev:
        assert row.target in row.choices and not (set(row.references) - {row.target}) & set(row.choices)


def test_too_few_tails_and_other_kinds_are_refused() -> None:
    small = task_from_rows({"train": ROWS[:3], "test": ROWS[3:5]})
    with pytest.raises(DataError, match="1 tails of other heads, 4 are needed to rank 5"):
        with_distractors(draw_split(small, shots=0, seed=0), small, 5)
    texts = task_from_rows([{"source": "a", "target": "b"}], kind="text-to-text")
    with pytest.raises(DataError, match="is a text-to-text task"):
        with_distractors(draw_split(texts, shots=1, seed=0), texts, 2)
