"""Which rows share a batch, when a pad costs time and so does one batch more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mto.errors import DataError


def plan_tight(lengths: Sequence[int], max_tokens: int, *, call: int = 0, beside: int = 0) -> list[list[int]]:
    """Group row numbers into batches so that pads and batches together cost least.

    A batch costs its rows times its longest row, and `call` more. Rows are sorted by length and the best cuts between
    lengths are found exactly (dynamic programming over the distinct lengths); where a batch would be too large it is
    cut into near-equal parts.

    Args:
        lengths: tokens of each row.
        max_tokens: most rows times (longest row + `beside`) of a batch; a longer single row has a batch of its own.
        call: what a batch costs besides its tokens, in tokens.
        beside: tokens that each row carries along and that do not differ, such as its encoder states.

    Returns:
        Every row number exactly once, long rows first; ties keep the caller's order.

    Raises:
        DataError: `max_tokens` is below 1.

    >>> plan_tight([2, 9, 3, 8], 100, call=3)  # (9 + 9) + (3 + 3) tokens and two calls
    [[1, 3], [2, 0]]
    >>> plan_tight([2, 9, 3, 8], 100, call=50)  # one call with 12 more pads is cheaper
    [[1, 3, 2, 0]]
    >>> plan_tight([4, 4, 4, 4, 4], 16)  # near-equal parts, not four and one
    [[0, 1, 2], [3, 4]]
    """
    if max_tokens < 1:
        raise DataError(f"a batch of {max_tokens} tokens holds nothing")
    rows = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    # Place of the first row of each distinct length, and the end.
    starts = [n for n, row in enumerate(rows) if n == 0 or lengths[row] != lengths[rows[n - 1]]] + [len(rows)]

    def parts(start: int, end: int) -> int:
        room = max(1, max_tokens // max(1, lengths[rows[start]] + beside))
        return -(-(end - start) // room)

    # best[k]: (least cost, last cut) of the rows before starts[k].
    best: list[tuple[int, int]] = [(0, 0)]
    for k in range(1, len(starts)):
        end = starts[k]
        best.append(
            min(
                (best[j][0] + (end - start) * lengths[rows[start]] + call * parts(start, end), j)
                for j, start in enumerate(starts[:k])
            )
        )
    batches: list[list[int]] = []
    k = len(starts) - 1
    while k > 0:
        j = best[k][1]
        group = rows[starts[j] : starts[k]]
        pieces = parts(starts[j], starts[k])
        cuts = [-(-len(group) * n // pieces) for n in range(pieces + 1)]
        batches[:0] = [group[a:b] for a, b in pairwise(cuts)]
        k = j
    return batches
