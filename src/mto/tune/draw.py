"""Which labelled rows are tuned on."""

from __future__ import annotations

from typing import Literal

from mto.errors import DataError
from mto.tasks import Split, Task, draw_split

Shots = int | Literal["usual"] | None
"""A number of labelled rows; None: all; ``usual``: what the task file says, else 30, and all rows of a task of one file."""


def draw_rows(task: Task, shots: Shots, seed: int) -> Split:
    """The split to tune on. A task of one file with fewer heads than were asked for uses all of its rows.

    Raises:
        DataError: `shots` is another word; see also `draw_split`.
    """
    if shots == "usual":
        shots = task.tuned_shots
    if isinstance(shots, str):
        raise DataError(
            f"'{shots}' is no number of labelled rows", hint="give a number, None for all, or 'usual'"
        )
    one_file = not task.dev and not task.test
    if one_file and shots is not None and shots >= len(task.train):
        shots = None
    return draw_split(task, shots=shots, seed=seed)
