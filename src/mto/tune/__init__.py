"""Few-shot training: the sweep, fine-tuning, cross-validation and the tuned model.

The package can be called: ``mto.tune(...)`` is `mto.tune.tune`, so that the public name and the room share one word.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.tune.cell import CellResult, run_cell, zero_shot
    from mto.tune.config import LoraSettings, PromptOptions, TuneConfig
    from mto.tune.cross import CrossResult, cross_validate
    from mto.tune.fit import tune
    from mto.tune.progress import TuneCallback, TuneStatus
    from mto.tune.prompted import TunedPrompt
    from mto.tune.select import choose_family, choose_point
    from mto.tune.several import shared_family, tune_tasks
    from mto.tune.sweep import PromptTrial, RateRun, Sweep, SweepPoint
    from mto.tune.together import predict_together
    from mto.tune.tuned import TunedModel, load_tuned

_HOMES = {
    "CellResult": "cell",
    "CrossResult": "cross",
    "LoraSettings": "config",
    "PromptOptions": "config",
    "PromptTrial": "sweep",
    "RateRun": "sweep",
    "Sweep": "sweep",
    "SweepPoint": "sweep",
    "TuneCallback": "progress",
    "TuneConfig": "config",
    "TuneStatus": "progress",
    "TunedModel": "tuned",
    "TunedPrompt": "prompted",
    "choose_family": "select",
    "choose_point": "select",
    "cross_validate": "cross",
    "load_tuned": "tuned",
    "predict_together": "together",
    "run_cell": "cell",
    "shared_family": "several",
    "tune": "fit",
    "tune_tasks": "several",
    "zero_shot": "cell",
}

__all__ = [
    "CellResult",
    "CrossResult",
    "LoraSettings",
    "PromptOptions",
    "PromptTrial",
    "RateRun",
    "Sweep",
    "SweepPoint",
    "TuneCallback",
    "TuneConfig",
    "TuneStatus",
    "TunedModel",
    "TunedPrompt",
    "choose_family",
    "choose_point",
    "cross_validate",
    "load_tuned",
    "predict_together",
    "run_cell",
    "shared_family",
    "tune",
    "tune_tasks",
    "zero_shot",
]


__getattr__ = lazily(__name__, _HOMES)


class _Room(ModuleType):
    """A module that can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from mto.tune.fit import tune

        return tune(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
