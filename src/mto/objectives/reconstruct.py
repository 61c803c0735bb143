"""The way back: from source and target to the text that they were made of."""

from __future__ import annotations

import numpy as np

from mto.errors import ObjectiveError
from mto.objectives.ragged import Ragged, offsets_of
from mto.objectives.special import SpecialIds


def reconstruct(
    source: Ragged, target: Ragged, special: SpecialIds, *, mode_lengths: np.ndarray | int = 0
) -> Ragged:
    """Undo denoising and prefix LM exactly, row by row.

    A row whose target holds sentinels is denoising: each span goes back to where its sentinel stands in the
    source. Any other row is prefix LM: the target follows the source. One EOS at the end of either side is
    dropped, and so is a closing sentinel.

    Args:
        source: `[B]` rows as an objective wrote them.
        target: `[B]` rows, the same.
        special: sentinels and EOS.
        mode_lengths: number of mode ids at the start of the sources, for all or `[B]`.

    Returns:
        The texts, without EOS.

    Raises:
        ObjectiveError: a row's spans and the sentinels of its source do not fit together.

    >>> special = SpecialIds(sentinels=(99, 98), eos=1)
    >>> source = Ragged.from_lists([[10, 11, 99, 14, 98, 16, 1], [10, 11, 1]])
    >>> target = Ragged.from_lists([[99, 12, 13, 98, 15, 1], [12, 13, 14]])
    >>> reconstruct(source, target, special).to_lists()
    [[10, 11, 12, 13, 14, 15, 16], [10, 11, 12, 13, 14]]
    """
    if len(source) != len(target):
        raise ObjectiveError(f"{len(source)} sources and {len(target)} targets do not pair up")
    source = _without_eos(_without_heads(source, mode_lengths), special.eos)
    target = _without_eos(target, special.eos)
    asked, given = _numbers(source.values, special), _numbers(target.values, special)
    source_row, target_row = source.row_of_value(), target.row_of_value()
    rows = len(source)
    denoised = np.zeros(rows, dtype=bool)
    denoised[target_row[given >= 0]] = True

    # A place for every token: the slot that it fills, from the start of its row. Source tokens lie in slots
    # 0, 2, 4 …, the span of the k-th sentinel in slot 2k + 1; a continuation follows everything.
    source_slot = 2 * _running(asked >= 0, source)
    target_slot = 2 * _running(given >= 0, target) - 1
    target_slot[~denoised[target_row]] = np.iinfo(np.int64).max
    _check(asked, given, source_row, target_row, denoised)

    keep_source, keep_target = asked < 0, given < 0
    values = np.concatenate([source.values[keep_source], target.values[keep_target]])
    row = np.concatenate([source_row[keep_source], target_row[keep_target]])
    slot = np.concatenate([source_slot[keep_source], target_slot[keep_target]])
    order = np.lexsort((slot, row))
    return Ragged(values[order], offsets_of(np.bincount(row, minlength=rows)))


def _numbers(ids: np.ndarray, special: SpecialIds) -> np.ndarray:
    """The number of each sentinel among `ids`, -1 for other ids."""
    numbers = np.full(ids.size, -1, dtype=np.int64)
    at = np.flatnonzero(special.is_sentinel(ids))
    order = np.argsort(special.sentinels)
    numbers[at] = order[np.searchsorted(np.sort(special.sentinels), ids[at])] if at.size else 0
    return numbers


def _running(flags: np.ndarray, rows: Ragged) -> np.ndarray:
    """How many flags are set in the row up to and including each value."""
    total = np.concatenate([[0], np.cumsum(flags)])
    return total[1:] - np.repeat(total[rows.offsets[:-1]], rows.lengths)


def _check(
    asked: np.ndarray,
    given: np.ndarray,
    source_row: np.ndarray,
    target_row: np.ndarray,
    denoised: np.ndarray,
) -> None:
    """Sentinels 0, 1, 2 … of a denoising source must stand in its target alike (one more may close it)."""
    source_at = (asked >= 0) & denoised[source_row]
    wanted = np.stack([source_row[source_at], asked[source_at]])
    got = np.stack([target_row[given >= 0], given[given >= 0]])
    counts = np.bincount(wanted[0], minlength=denoised.size)
    open_spans = got[:, got[1] < counts[got[0]]]
    if not np.array_equal(open_spans, wanted):
        bad = [
            row
            for row in np.flatnonzero(denoised)
            if not np.array_equal(open_spans[1][open_spans[0] == row], wanted[1][wanted[0] == row])
        ]
        raise ObjectiveError(
            f"row {int(bad[0])}: source asks for sentinels {wanted[1][wanted[0] == bad[0]].tolist()}, "
            f"target gives {got[1][got[0] == bad[0]].tolist()}",
            hint="source and target must come from the same pair",
        )


def _without_eos(rows: Ragged, eos: int) -> Ragged:
    full = rows.lengths > 0
    ends = np.zeros(len(rows), dtype=bool)
    ends[full] = rows.values[rows.offsets[1:][full] - 1] == eos
    kept = np.ones(rows.values.size, dtype=bool)
    kept[rows.offsets[1:][ends] - 1] = False
    return Ragged.from_lengths(rows.values[kept], rows.lengths - ends)


def _without_heads(rows: Ragged, lengths: np.ndarray | int) -> Ragged:
    heads = np.broadcast_to(np.asarray(lengths, dtype=np.int64), (len(rows),))
    place = np.arange(rows.values.size) - np.repeat(rows.offsets[:-1], rows.lengths)
    return Ragged.from_lengths(rows.values[place >= np.repeat(heads, rows.lengths)], rows.lengths - heads)
