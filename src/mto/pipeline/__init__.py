"""One run from task to report: what is asked for, the cells, the workers, the run folder, and reading it again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mto.pipeline.comparing import Run, compare, plan
    from mto.pipeline.config import CompareConfig, default_out, read_compare_config
    from mto.pipeline.loaded_run import LoadedRun, load
    from mto.pipeline.planning import Plan
    from mto.pipeline.progress import RunCallback, RunStatus

_HOMES = {
    "CompareConfig": "config",
    "LoadedRun": "loaded_run",
    "Plan": "planning",
    "Run": "comparing",
    "RunCallback": "progress",
    "RunStatus": "progress",
    "compare": "comparing",
    "default_out": "config",
    "load": "loaded_run",
    "plan": "comparing",
    "read_compare_config": "config",
}

__all__ = [
    "CompareConfig",
    "LoadedRun",
    "Plan",
    "Run",
    "RunCallback",
    "RunStatus",
    "compare",
    "default_out",
    "load",
    "plan",
    "read_compare_config",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"mto.pipeline.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'mto.pipeline' has no attribute '{name}'")
