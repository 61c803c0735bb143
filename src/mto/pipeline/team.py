"""One process or several for one training: who speaks, how many threads, and how the others are started."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Team:
    """How many processes train, with how many threads each (None: as torch chooses), and why."""

    processes: int
    threads: int | None
    reason: str


def is_helper() -> bool:
    """Whether this is one of several processes and not the one that speaks."""
    return int(os.environ.get("RANK", "0")) > 0


def is_launched() -> bool:
    """Whether a launcher started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def launch_team(words: Sequence[str], team: Team) -> int:
    """Run the same command in several processes that train together; gives their exit code.

    Raises:
        TrainingError: a process was killed.
    """
    from mto.train.launch import launch

    return launch("mto", words, processes=team.processes, threads=team.threads)


@contextmanager
def thread_count(threads: int | None) -> Iterator[None]:
    """Compute with so many threads inside the block (None: as it is)."""
    torch: Any = importlib.import_module("torch")
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
