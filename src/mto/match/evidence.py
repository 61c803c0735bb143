"""What every signal of matching says in the same words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mto.config import Strict


class Span(Strict):
    """A value with its interval (95 % unless said otherwise)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


class Lean(Strict):
    """Which way a signal, or one rule of it, leans between the two task types (docs/method.md 1).

    Attributes:
        value: -1 says map-phrasal, +1 mask-filling, 0 neither.
        saw: what was seen, in words and figures, such as ``targets have 1.8 words (16 rows)``.
    """

    value: Annotated[float, Field(ge=-1.0, le=1.0)]
    saw: str

    @property
    def towards(self) -> str:
        """The task type in words; ``neither`` within 0.05 of 0.

        >>> Lean(value=0.4, saw="short targets").towards
        'mask-filling'
        """
        if abs(self.value) < 0.05:
            return "neither"
        return "mask-filling" if self.value > 0 else "map-phrasal"
