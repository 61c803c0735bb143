"""A small task for the tests of DepthRank."""

from __future__ import annotations

from mto.tasks import Row, Task, draw_split, task_from_rows

THINGS = "hammer nail kitchen knife book library dog cat house garden water bread".split()
TAILS = ("eat food", "run", "clean the house", "cook food", "find a book")


def small_task(*, phrases: tuple[str, ...] = ("The {{ head }} is used for",), heads: int = 12) -> Task:
    """Heads with two tails each, all in one file."""
    rows = [{"head": h, "tail": [TAILS[n % 5], TAILS[(n + 2) % 5]]} for n, h in enumerate(THINGS[:heads])]
    return task_from_rows(rows, name="Use", phrases=list(phrases))


def small_rows(task: Task, shots: int = 8) -> tuple[Row, ...]:
    return draw_split(task, shots=shots, seed=1).train
