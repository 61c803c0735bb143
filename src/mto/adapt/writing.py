"""Pairs as ids: what the encoder reads and what the decoder must write (docs/method.md 7).

In: pairs and an objective for each. Out: source and target ids, EOS last in both, and which pairs were left out and why. Fails where
the checkpoint writes no masks and a pair wants one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.adapt.choosing import require_masks
from mto.families import Adapter, MaskPart, TextPart
from mto.objectives import Ragged
from mto.prepare.pairs import Objective, Pair


@dataclass(frozen=True, eq=False)
class Written:
    """Pairs that were written.

    Attributes:
        source, target: ids, row by row.
        masked: bool `[rows]`, which were written with a mask.
        kept: int64 `[rows]`, which of the given pairs they are.
        too_long, empty: how many were left out because they do not fit, or because source or target has no token.
    """

    source: Ragged
    target: Ragged
    masked: np.ndarray
    kept: np.ndarray
    too_long: int
    empty: int

    def __len__(self) -> int:
        return len(self.source)

    def tokens(self) -> dict[str, int]:
        """Source and target tokens by objective."""
        lengths = self.source.lengths + self.target.lengths
        return {"denoising": int(lengths[self.masked].sum()), "lm": int(lengths[~self.masked].sum())}


def write_pairs(
    pairs: Sequence[Pair], objectives: Sequence[Objective], adapter: Adapter, *, max_tokens: int
) -> Written:
    """Write each pair with its objective.

    ``a hammer is used for [pounding nails] at home`` becomes, as denoising, the source ``a hammer is used for M at home`` and the
    target ``M pounding nails`` (M: the first sentinel); as LM ``a hammer is used for at home`` and ``pounding nails``. Each text
    between two masks is tokenised alone, as templates are.

    Args:
        max_tokens: longest source and longest target, EOS included; never above what the checkpoint can read.

    Raises:
        FamilyError: the checkpoint has no sentinels and a pair is to be written with one.
    """
    if "denoising" in objectives:
        require_masks(adapter, "objective 'denoising'")
    limit = min(max_tokens, adapter.max_positions or max_tokens)
    texts = [t for p, o in zip(pairs, objectives, strict=True) for t in _texts(p, o)]
    ids = iter(adapter.encode_many(texts))
    rows: list[tuple[list[int], list[int]]] = []
    kept, masked = [], []
    too_long = empty = 0
    for number, objective in enumerate(objectives):
        before, after, target = (TextPart(tuple(next(ids))) for _ in range(3))
        mask = [MaskPart(0)] if objective == "denoising" else []
        source_ids = adapter.build_source([before, *mask, after])
        target_ids = adapter.build_target([*mask, target])
        if not target.ids or not (before.ids or after.ids):
            empty += 1
        elif max(len(source_ids), len(target_ids)) > limit:
            too_long += 1
        else:
            rows.append((source_ids, target_ids))
            kept.append(number)
            masked.append(bool(mask))
    return Written(
        Ragged.from_lists([s for s, _ in rows]), Ragged.from_lists([t for _, t in rows]),
        np.array(masked, dtype=bool), np.array(kept, dtype=np.int64), too_long, empty,
    )  # fmt: skip


def _texts(pair: Pair, objective: Objective) -> tuple[str, str, str]:
    """Text before the mask, text behind it, and the target; without a mask the source is one text."""
    if objective == "denoising":
        return pair.before, pair.after, pair.target
    return pair.source, "", pair.target
