"""Length buckets: rows of near-equal length share a batch, so little is padded."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mto.errors import DataError


def plan_batches(lengths: Sequence[int], *, max_tokens: int, max_rows: int | None = None) -> list[list[int]]:
    """Group row numbers into batches of similar length, longest first (so that too little memory shows at once).

    Args:
        lengths: tokens of each row.
        max_tokens: rows times longest row of a batch; a longer single row still gets a batch of its own.
        max_rows: most rows a batch.

    Returns:
        Every row number exactly once; ties keep the caller's order.

    >>> plan_batches([2, 9, 3, 8], max_tokens=18)
    [[1, 3], [2, 0]]
    """
    if max_tokens < 1 or (max_rows is not None and max_rows < 1):
        raise DataError(f"a batch of {max_tokens} tokens and {max_rows} rows holds nothing")
    batches: list[list[int]] = []
    room = 0
    for row in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or len(batches[-1]) >= room:
            batches.append([])
            room = max(1, max_tokens // max(1, lengths[row]))
            room = room if max_rows is None else min(room, max_rows)
        batches[-1].append(row)
    return batches


def pad_rows(
    rows: Sequence[Sequence[int]], pad_id: int, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad id rows on the right: ids and attention mask, both ``long[B, longest]``."""
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), pad_id, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.as_tensor(list(row), dtype=torch.long)
        mask[index, : len(row)] = 1
    return ids.to(device), mask.to(device)


def check_lengths(sources: Sequence[Sequence[int]], longest_target: int, limit: int | None) -> None:
    """Raise `DataError` for an empty source, or for one that is longer than the model can read."""
    for index, source in enumerate(sources):
        if len(source) == 0:
            raise DataError(f"source {index} is empty", hint="a source ends with EOS at least")
        if limit is not None and len(source) > limit:
            raise DataError(
                f"source {index} has {len(source)} tokens, but the model reads at most {limit}",
                hint="give a smaller max_source when encoding, so that the longest field is cut",
            )
    if limit is not None and longest_target > limit:
        raise DataError(
            f"{longest_target} decoder positions are needed, but the model has {limit}",
            hint="ask for fewer new tokens",
        )
