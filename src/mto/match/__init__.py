"""Matching: which pre-training objective and template family a task looks like, before anything expensive is run.

    >>> from mto.match.config import MatchConfig
    >>> MatchConfig().signals
    ('guidelines', 'depthrank', 'classifier')

The package can be called: ``mto.match(...)`` is `mto.match.run.match`. Everything here loads late, because signals read models. The signals alone: `mto.match.guidelines`, `mto.match.depthrank`,
`mto.match.classifier`, `mto.match.probe`; the decision: `mto.match.decision`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.match.config import MatchConfig
    from mto.match.denoiser import DenoiserProposal, propose_denoiser
    from mto.match.result import Match, ModelMatch, read_match
    from mto.match.rows import match_rows
    from mto.match.run import match

_HOMES = {
    "DenoiserProposal": "denoiser",
    "Match": "result",
    "MatchConfig": "config",
    "ModelMatch": "result",
    "match": "run",
    "match_rows": "rows",
    "propose_denoiser": "denoiser",
    "read_match": "result",
}

__all__ = [
    "DenoiserProposal",
    "Match",
    "MatchConfig",
    "ModelMatch",
    "match",
    "match_rows",
    "propose_denoiser",
    "read_match",
]


__getattr__ = lazily(__name__, _HOMES)


class _Room(ModuleType):
    """A module that can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from mto.match.run import match

        return match(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
