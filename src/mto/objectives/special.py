"""The few token ids that an objective writes itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mto.errors import ObjectiveError


class KnowsSpecialIds(Protocol):
    """What is needed of a model family's adapter."""

    @property
    def sentinel_ids(self) -> tuple[int, ...]: ...
    @property
    def eos_id(self) -> int: ...


@dataclass(frozen=True)
class SpecialIds:
    """Sentinels in their order of appearance in a text, and the end of a sequence.

    Raises:
        ObjectiveError: an id stands twice, or EOS is among the sentinels.

    >>> SpecialIds(sentinels=(99, 98, 97), eos=1).sentinels[0]
    99
    """

    sentinels: tuple[int, ...]
    eos: int

    def __post_init__(self) -> None:
        if len({*self.sentinels, self.eos}) != len(self.sentinels) + 1:
            raise ObjectiveError(
                f"{len(self.sentinels)} sentinels and EOS {self.eos} are not all different",
                hint="give each sentinel an id of its own",
            )

    @classmethod
    def of(cls, adapter: KnowsSpecialIds) -> SpecialIds:
        """Take the ids from a family's adapter."""
        return cls(tuple(adapter.sentinel_ids), adapter.eos_id)

    def sentinel_array(self, dtype: np.dtype) -> np.ndarray:
        """Sentinel ids by number: `[number of sentinels]`."""
        return np.array(self.sentinels, dtype=dtype)

    def is_sentinel(self, ids: np.ndarray) -> np.ndarray:
        """Which ids are sentinels: bool, the shape of `ids`."""
        if not self.sentinels:
            return np.zeros(ids.shape, dtype=bool)
        low, high = min(self.sentinels), max(self.sentinels)
        near = (ids >= low) & (ids <= high)
        # Sentinels are nearly always one run of ids: then the range says it all.
        return near if high - low + 1 == len(self.sentinels) else near & np.isin(ids, self.sentinels)

    def require(self, count: int) -> None:
        """Raise `ObjectiveError` when `count` sentinels are more than there are."""
        if count > len(self.sentinels):
            raise ObjectiveError(
                f"{count} sentinels are needed for one text, but the model has {len(self.sentinels)}",
                hint="use shorter texts, a lower density or a longer mean span",
            )

    def refuse_in(self, ids: np.ndarray, offsets: np.ndarray) -> None:
        """Raise `ObjectiveError` when a text holds a sentinel already: it could not be told from a mask."""
        found = self.is_sentinel(ids)
        if found.any():
            at = int(np.argmax(found))
            row = int(np.searchsorted(offsets, at, side="right")) - 1
            raise ObjectiveError(
                f"row {row} holds the sentinel id {int(ids[at])} as text (token {at - int(offsets[row])})",
                hint="encode texts with special-token parsing off",
            )
