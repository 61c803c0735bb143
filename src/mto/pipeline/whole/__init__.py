"""The whole way in one run: match, prepare, adapt, tune, evaluate, compare (docs/method.md 2).

Every stage is a node: a name, a key that is a hash of its configuration, its data and its checkpoint, and a folder of its own. A stage
that is done with this key is skipped; one that was stopped goes on inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.pipeline.whole.config import WholeConfig, is_whole_file, read_whole_config, whole_out
    from mto.pipeline.whole.planning import StagePlan, WholePlan, plan_whole
    from mto.pipeline.whole.progress import WholeCallback
    from mto.pipeline.whole.running import WholeRun, run_whole

_HOMES = {
    "StagePlan": "planning",
    "WholeCallback": "progress",
    "WholeConfig": "config",
    "WholePlan": "planning",
    "WholeRun": "running",
    "is_whole_file": "config",
    "plan_whole": "planning",
    "read_whole_config": "config",
    "run_whole": "running",
    "whole_out": "config",
}

__all__ = [
    "StagePlan",
    "WholeCallback",
    "WholeConfig",
    "WholePlan",
    "WholeRun",
    "is_whole_file",
    "plan_whole",
    "read_whole_config",
    "run_whole",
    "whole_out",
]

__getattr__ = lazily(__name__, _HOMES)
