"""Where words begin in a vocabulary: what whole-word masks need to know."""

from __future__ import annotations

from typing import Any

import numpy as np

CONTINUES, WORD_MARK = "##", "▁"


def word_start_rows(tokenizer: Any) -> np.ndarray:
    """Which pieces begin a word: bool `[rows]`, for whole-word masks.

    A vocabulary with ``▁`` marks starts, one with ``##`` marks continuations; without either, every piece counts.
    """
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    starts = np.ones(max(vocabulary.values()) + 1, dtype=bool)
    marked = any(piece.startswith(WORD_MARK) for piece in vocabulary)
    for piece, row in vocabulary.items():
        starts[row] = piece.startswith(WORD_MARK) if marked else not piece.startswith(CONTINUES)
    return starts
