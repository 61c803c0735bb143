"""What an adaptation gives back. Plain values, so that a finished one is read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class AdaptResult:
    """A finished adaptation.

    Attributes:
        model: folder of the checkpoint, with its card.
        objective: as asked for; `objectives` are the shares of the tokens that each really had.
        reasons: task to what decided its objective.
        counts: pairs read, ``trained``, ``held_out``, ``too_long``, ``empty``; sentences of ``replay`` and ``retention``.
        steps, tokens: done in all; `kept_step`: the step whose weights were kept (0: the checkpoint as it was).
        seconds, tokens_per_second: of this start, without measuring.
        precision: what was computed in, with the reason.
        stopped_because: ``steps`` or ``patience``.
        watched: the value that early stopping looked at, such as ``pairs/denoising``.
        before, after: losses in nats a token, and in bits a byte, before the first step and with the kept weights.
        worked: whether this call trained; False where all was done before.
    """

    model: Path
    objective: str
    objectives: Mapping[str, float]
    reasons: Mapping[str, str]
    counts: Mapping[str, int]
    steps: int
    kept_step: int
    tokens: int
    seconds: float
    tokens_per_second: float
    precision: str
    stopped_because: str
    watched: str
    before: Mapping[str, float]
    after: Mapping[str, float]
    worked: bool = True

    def stored(self) -> dict[str, Any]:
        """As JSON has it; the folder's own place is left out, so that it may be moved."""
        return {name: value for name, value in asdict(self).items() if name not in ("model", "worked")}

    @classmethod
    def read(cls, folder: Path, stored: Mapping[str, Any]) -> AdaptResult:
        """What `stored` gave, for a run folder."""
        return cls(model=folder / "model", worked=False, **stored)
