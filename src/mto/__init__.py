"""mto: match a task to a pre-training objective, and learn it from few examples.

    >>> import mto
    >>> task = mto.load_task("household/ObjectUse")
    >>> split = mto.draw_split(task, shots=4, seed=0)
    >>> len(split.train), len(split.dev)
    (4, 4)

Everything here loads late: ``import mto`` takes a few milliseconds.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mto.errors import MtoError

if TYPE_CHECKING:
    from mto.adapt import AdaptConfig, adapt
    from mto.families import LoadedModel, load_model, save_model
    from mto.match import Match, MatchConfig, match, read_match
    from mto.pipeline import CompareConfig, compare, load, plan
    from mto.pipeline.whole import WholeConfig, plan_whole, run_whole
    from mto.prepare import PrepareConfig, prepare, read_pairs, read_prepared
    from mto.pretrain import pretrain
    from mto.tasks import Task, draw_split, load_task, task_from_rows
    from mto.tune import TuneConfig, load_tuned, tune

__version__ = "0.1.0"

_HOMES = {
    "AdaptConfig": "mto.adapt",
    "CompareConfig": "mto.pipeline",
    "LoadedModel": "mto.families",
    "Match": "mto.match",
    "MatchConfig": "mto.match",
    "PrepareConfig": "mto.prepare",
    "Task": "mto.tasks",
    "TuneConfig": "mto.tune",
    "WholeConfig": "mto.pipeline.whole",
    "compare": "mto.pipeline",
    "draw_split": "mto.tasks",
    "load": "mto.pipeline",
    "load_model": "mto.families",
    "load_task": "mto.tasks",
    "load_tuned": "mto.tune",
    "plan": "mto.pipeline",
    "plan_whole": "mto.pipeline.whole",
    "read_match": "mto.match",
    "read_pairs": "mto.prepare",
    "read_prepared": "mto.prepare",
    "run_whole": "mto.pipeline.whole",
    "save_model": "mto.families",
    "task_from_rows": "mto.tasks",
}
# Rooms whose main function has the room's own name: `mto.tune` is the room, and calling it calls the function.
_CALLABLE = ("adapt", "match", "prepare", "pretrain", "tune")

__all__ = [
    "AdaptConfig",
    "CompareConfig",
    "LoadedModel",
    "Match",
    "MatchConfig",
    "MtoError",
    "PrepareConfig",
    "Task",
    "TuneConfig",
    "WholeConfig",
    "adapt",
    "compare",
    "draw_split",
    "load",
    "load_model",
    "load_task",
    "load_tuned",
    "match",
    "plan",
    "plan_whole",
    "prepare",
    "pretrain",
    "read_match",
    "read_pairs",
    "read_prepared",
    "run_whole",
    "save_model",
    "task_from_rows",
    "tune",
]


class _Room(ModuleType):
    """A room that can be called like its main function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._main(*args, **kwargs)

    @property
    def _main(self) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._main)


class _House(ModuleType):
    """This package; it notices when one of the callable rooms is imported, whoever imports it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _CALLABLE and type(value) is ModuleType:
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _House


def __getattr__(name: str) -> Any:
    if name in _CALLABLE:
        return importlib.import_module(f"mto.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mto' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
