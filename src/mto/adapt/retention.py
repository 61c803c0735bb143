"""The retention probe: does a checkpoint still fill masks and continue texts that have nothing to do with the task?

In: general held-out sentences. Out: fixed batches of them, as denoising and as LM, to be measured before, during and after.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import Path

import numpy as np

from mto.adapt.config import AdaptConfig
from mto.adapt.material import usable_sentences
from mto.errors import DataError
from mto.families import Adapter
from mto.objectives import Denoising, Objective, PrefixLM, SpecialIds
from mto.prepare.opening import read_lines
from mto.train.held_out import HeldOut, held_out_set

HELD_OUT = "held-out.txt"
"""General held-out sentences of a prepared folder, one a line."""
LONGEST = 64
"""Tokens of the longest sentence that is measured."""


def retention_file(config: AdaptConfig) -> Path | None:
    """The file of general held-out sentences: the one asked for, else that of the prepared folder, else None.

    Raises:
        DataError: the file that was asked for does not exist.
    """
    if config.retention is not None:
        if not config.retention.is_file():
            raise DataError("no such file", where=str(config.retention), hint="check --retention")
        return config.retention
    usual = config.pairs / HELD_OUT
    return usual if usual.is_file() else None


def retention_sentences(config: AdaptConfig) -> tuple[str, ...]:
    """The first `retention_texts` different sentences of the file; none where there is no file."""
    path = retention_file(config)
    return () if path is None else tuple(islice(dict.fromkeys(read_lines(path)), config.retention_texts))


def retention_sets(
    sentences: Collection[str], adapter: Adapter, word_starts: np.ndarray, *, batch_tokens: int
) -> list[HeldOut]:
    """Sets ``general/denoising`` (where the checkpoint has sentinels) and ``general/lm``; empty without sentences.

    Masks are those of T5 (15 %, mean span 3) at random places, whole words, drawn once.
    """
    special = SpecialIds.of(adapter)
    objectives: dict[str, Objective] = {"lm": PrefixLM(special)}
    if adapter.writes_masks:
        objectives = {"denoising": Denoising(special, whole_words=True), **objectives}
    sets = []
    for name, objective in objectives.items():
        batch = usable_sentences(list(sentences), adapter, objective, word_starts, max_tokens=LONGEST)
        if len(batch):
            pairs = objective(batch, np.random.default_rng(7), word_starts[batch.values])
            sets.append(
                held_out_set(
                    f"general/{name}", pairs.source, pairs.target, adapter, batch_tokens=batch_tokens
                )
            )
    return sets
