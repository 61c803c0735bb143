"""Drawing by hashing: the same text falls on the same side, whatever stands around it and whichever library is installed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mto.errors import DataError
from mto.prepare.pairs import Pair


def shares_of(texts: Sequence[str], seed: int, purpose: str) -> list[float]:
    """A number from 0 to 1 for each text, even over texts, by seed and purpose.

    >>> [round(share, 3) for share in shares_of(["a", "b", "a"], 0, "mix")]
    [0.292, 0.142, 0.292]
    """
    heads = f"{seed}\0{purpose}\0"
    return [
        int.from_bytes(hashlib.sha256((heads + text).encode("utf-8", "surrogatepass")).digest()[:8], "big")
        / 2**64
        for text in texts
    ]


def draw_limit(pairs: Sequence[Pair], limit: int | None, seed: int) -> list[Pair]:
    """At most `limit` pairs, drawn by hash, in their order."""
    if limit is None or len(pairs) <= limit:
        return list(pairs)
    keys = shares_of([f"{p.sentence}\0{p.before}\0{p.target}" for p in pairs], seed, "limit")
    chosen = sorted(range(len(pairs)), key=lambda n: (keys[n], n))[:limit]
    return [pairs[n] for n in sorted(chosen)]


def split_pairs(pairs: Sequence[Pair], share: float, most: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on and pairs held out; all pairs of one sentence fall on one side.

    Args:
        share: of the sentences that are held out, at least one.
        most: sentences held out.

    Raises:
        DataError: there are fewer than two sentences.
    """
    sentences = sorted({pair.sentence for pair in pairs})
    if len(sentences) < 2:
        raise DataError(
            f"{len(sentences)} sentences are too few: one is to be learnt from and one held out",
            hint="prepare more text",
        )
    keys = dict(zip(sentences, shares_of(sentences, seed, "held out"), strict=True))
    count = max(1, min(most, round(share * len(sentences))))
    held = set(sorted(sentences, key=lambda text: (keys[text], text))[:count])
    return [p for p in pairs if p.sentence not in held], [p for p in pairs if p.sentence in held]
