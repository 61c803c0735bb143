"""A tiny problem that a tiny model can learn: copy the source."""

from __future__ import annotations

import numpy as np


def pairs(n: int, seed: int = 0, low: int = 5, high: int = 40) -> list[tuple[list[int], list[int]]]:
    """`n` (source, target) pairs of 3 to 20 ids; each ends in EOS (1) and the target is the start of the source."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        ids = rng.integers(low, high, rng.integers(3, 20)).tolist()
        made.append(([*ids, 1], [*ids[: max(1, len(ids) // 2)], 1]))
    return made
