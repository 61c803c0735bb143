"""Unsupervised training of a checkpoint on prepared pairs, with the objective that the task matches (docs/method.md 7).

    >>> from mto.adapt.config import AdaptConfig
    >>> AdaptConfig(pairs="prepared").objective
    'auto'

The package can be called: ``mto.adapt(...)`` is `mto.adapt.run.adapt`. Everything here loads late, because training needs torch.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.adapt.config import AdaptConfig
    from mto.adapt.result import AdaptResult
    from mto.adapt.run import adapt
    from mto.tune.config import LoraSettings

_HOMES = {
    "AdaptConfig": "config",
    "AdaptResult": "result",
    "LoraSettings": "config",
    "adapt": "run",
}

__all__ = ["AdaptConfig", "AdaptResult", "LoraSettings", "adapt"]


__getattr__ = lazily(__name__, _HOMES)


class _Room(ModuleType):
    """A module that can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from mto.adapt.run import adapt

        return adapt(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
