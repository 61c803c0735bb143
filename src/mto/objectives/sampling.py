"""Uniform random subsets for many rows at once: the arithmetic under the masker."""

from __future__ import annotations

import numpy as np

from mto.objectives.ragged import offsets_of


def random_subsets(sizes: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose ``counts[b]`` of ``sizes[b]`` positions in every row, each subset of that size equally likely.

    Positions are drawn with replacement, and only those that were taken already are drawn again; stopping at
    `count` different ones leaves no subset preferred. Rows that want more than half of their positions draw
    those to leave out. So the work grows with the number of positions drawn, not with a sort.

    Args:
        sizes: int64 `[B]`, positions in each row.
        counts: int64 `[B]`, at most `sizes`.
        rng: where all randomness comes from.

    Returns:
        bool `[sum of sizes]`: the rows laid end to end, true where chosen.
    """
    offsets = offsets_of(sizes)
    invert = counts * 2 > sizes
    wanted = np.where(invert, sizes - counts, counts)
    taken = np.zeros(int(offsets[-1]), dtype=bool)
    owner = np.empty(taken.size, dtype=np.int32)
    # float64 keeps exact integers far beyond any batch, and a product with a number below 1 never reaches size.
    scale = np.repeat(sizes.astype(np.float64), wanted)
    start = np.repeat(offsets[:-1], wanted)
    while start.size:
        position = start + (rng.random(start.size) * scale).astype(np.int64)
        order = np.arange(start.size, dtype=np.int32)
        owner[position] = order
        again = taken[position] | (owner[position] != order)
        taken[position] = True
        start, scale = start[again], scale[again]
    if invert.any():
        taken ^= np.repeat(invert, sizes)
    return taken


def round_random(numbers: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Round to whole numbers: up with the probability of the fraction, or to the nearest (half up) without `rng`.

    >>> round_random(np.array([0.4, 2.5, 3.0]), None).tolist()
    [0, 3, 3]
    """
    shift = 0.5 if rng is None else rng.random(numbers.size)
    return np.floor(numbers + shift).astype(np.int64)
