"""A tiny task and small sweeps."""

from __future__ import annotations

import pytest

from mto.tasks import Split, Task, draw_split, task_from_rows
from mto.tune import TuneConfig

SMALL = TuneConfig(
    rates=(1e-3, 1e-2), ladder=(0, 2, 4), batch_rows=4, optimizer="adamw", extend=False, max_new_tokens=6
)
THINGS = "hammer nail kitchen knife book library dog cat house garden water bread".split()
TAILS = ("eat food", "run", "clean the house", "cook food", "find a book")


def rows(heads: list[str]) -> list[dict[str, object]]:
    return [{"head": head, "tail": [TAILS[len(head) % 5], TAILS[ord(head[0]) % 5]]} for head in heads]


@pytest.fixture
def task() -> Task:
    """12 heads: 6 to train, 3 for dev, 3 to test."""
    parts = {"train": rows(THINGS[:6]), "dev": rows(THINGS[6:9]), "test": rows(THINGS[9:])}
    return task_from_rows(parts, name="Use", phrases=["The {{ head }} is used for"])


@pytest.fixture
def split(task: Task) -> Split:
    return draw_split(task, shots=5, seed=1)


@pytest.fixture
def one_file() -> Task:
    return task_from_rows(rows(THINGS[:7]), name="Use", phrases=["The {{ head }} is used for"])
