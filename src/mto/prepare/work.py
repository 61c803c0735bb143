"""The units of work of a preparation, as any process does them: each reads files, writes files, and says what it counted.

A unit is plain JSON: its stage, its name within the stage, a key (a hash of all it depends on) and its own values. It counts as done when
its manifest stands with that key, which is written last; then it is not done again. What every unit needs stands in the work folder, so
that a process on another machine can do one, if it sees the folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from mto.prepare.config import PrepareConfig
from mto.prepare.maker import PairMaker, find_maker
from mto.prepare.words import Normaliser
from mto.runs import read_json, write_json

Unit = dict[str, Any]
T = TypeVar("T")
WORK, PLAN, GUARDED, PARTS, TERMS = "work", "plan.json", "guarded.json", "parts.json", "terms.json"
CLEAN, DUPLICATES, SELECT, MAKE = "clean", "duplicates", "select", "make"
SMALL_CACHE = {"LRU_CACHE_CAPACITY": "32", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32"}
"""Environment of a process that prepares. torch and oneDNN each keep up to 1,024 products of different shapes with what they computed on
(megabytes each), and sentences have many lengths: that held 0.9 GB more in the training of a splitter, and no step was faster for it."""


def keep_little() -> None:
    """Set `SMALL_CACHE` for this process and its children, where the user has not; what was already computed keeps the caches that it has."""
    for name, value in SMALL_CACHE.items():
        os.environ.setdefault(name, value)


def manifest(folder: Path, unit: Unit) -> Path:
    """Where a unit says that it is done."""
    return folder / WORK / unit["stage"] / f"{unit['name']}.json"


def done(folder: Path, unit: Unit) -> dict[str, Any] | None:
    """What a finished unit counted, or None when it is to be done."""
    path = manifest(folder, unit)
    if not path.exists():
        return None
    stored = read_json(path)
    return stored["result"] if stored.get("key") == unit["key"] else None


class Bench:
    """What a process keeps between units: the plan, and what is made of it once.

    Args:
        folder: of the prepared data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / WORK
        self.normalise = Normaliser()
        self._kept: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made when it is first asked for under this name."""
        if name not in self._kept:
            self._kept[name] = make()
        kept: T = self._kept[name]
        return kept

    @cached_property
    def plan(self) -> Mapping[str, Any]:
        """Configuration, tasks with phrases and rows, and the maker's order."""
        return read_json(self.work / PLAN)

    @cached_property
    def config(self) -> PrepareConfig:
        """The configuration."""
        return PrepareConfig.model_validate(self.plan["config"])

    @cached_property
    def parts(self) -> list[dict[str, Any]]:
        """The parts of the cleaned text, in order."""
        return read_json(self.work / PARTS)

    @cached_property
    def maker(self) -> PairMaker:
        """The maker of pairs."""
        return find_maker(self.config.maker).load(self.folder, self.plan["maker"])

    def perform(self, unit: Unit) -> dict[str, Any]:
        """Do a unit, unless it is done; gives what it counted.

        Raises:
            MtoError: input that cannot be read, or a full disk.
        """
        known = done(self.folder, unit)
        if known is not None:
            return known
        result = _step(unit["stage"])(self, unit)
        write_json(manifest(self.folder, unit), {"key": unit["key"], "result": result})
        return result


def _step(stage: str) -> Callable[[Bench, Unit], dict[str, Any]]:
    from mto.prepare import cleaning, making_shards, selecting

    steps: dict[str, Callable[[Bench, Unit], dict[str, Any]]] = {
        CLEAN: cleaning.clean_piece,
        DUPLICATES: selecting.find_duplicates,
        SELECT: selecting.select_part,
        MAKE: making_shards.make_shard,
    }
    return steps[stage]


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, so that the number of cores changes nothing."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
