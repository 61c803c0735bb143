"""One run from task to report: what is asked for, the cells, the workers, the run folder, and reading it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

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


__getattr__ = lazily(__name__, _HOMES)
