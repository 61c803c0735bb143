"""Held-out losses by objective and length class, in nats a token and in bits a byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mto.families import Adapter
from mto.objectives import Objective, Ragged
from mto.pretrain.shards import Shard
from mto.pretrain.source import Mix, usable_lines
from mto.train.held_out import HeldOut, held_out_set

SHORT = 15  # a sentence of up to so many tokens is "short"


def build_held_out(
    shards: Sequence[Shard], weights: Sequence[float], mix: Mix, objectives: Mapping[str, Objective], adapter: Adapter,
    word_starts: np.ndarray, *, texts: int, batch_tokens: int, seed: int = 0,
) -> list[HeldOut]:  # fmt: skip
    """Draw held-out windows and sentences once, and write them with each objective.

    Args:
        texts: windows, and as many sentences of each length class, over all shards by weight.
    """
    rng = np.random.default_rng([seed, 5])
    classes = {
        "windows": _draw(shards, weights, texts, rng, mix, "windows"),
        "short sentences": _draw(
            shards, weights, texts, rng, Mix(mix.window, (mix.lines[0], SHORT), 1), "lines"
        ),
        "long sentences": _draw(
            shards, weights, texts, rng, Mix(mix.window, (SHORT + 1, mix.lines[1]), 1), "lines"
        ),
    }
    sets = []
    for name, objective in objectives.items():
        for kind, rows in classes.items():
            if rows:
                batch = Ragged.from_lists(rows)
                batch = batch.select(objective.maskable(batch, word_starts[batch.values]))
                sets.append(
                    _write(
                        f"{name}/{kind}",
                        objective,
                        batch,
                        adapter,
                        word_starts,
                        batch_tokens,
                        kind != "windows",
                    )
                )
    return sets


def _draw(
    shards: Sequence[Shard],
    weights: Sequence[float],
    count: int,
    rng: np.random.Generator,
    mix: Mix,
    mode: str,
) -> list[np.ndarray]:
    width = mix.window
    items = [
        np.arange(s.ids.size // width) if mode == "windows" else usable_lines(s, mix.lines) for s in shards
    ]
    mass = np.array([len(i) for i in items]) * np.asarray(weights)
    if mass.sum() == 0:
        return []
    rows: list[np.ndarray] = []
    for shard, chosen, share in zip(shards, items, mass / mass.sum(), strict=True):
        take = min(len(chosen), round(count * share))
        for n in rng.permutation(chosen)[:take].tolist():
            a, b = (n * width, (n + 1) * width) if mode == "windows" else shard.starts[n : n + 2].tolist()
            rows.append(shard.ids[a:b].astype(np.int32))
    return rows


def _write(
    name: str,
    objective: Objective,
    batch: Ragged,
    adapter: Adapter,
    word_starts: np.ndarray,
    tokens: int,
    ends: bool,
) -> HeldOut:
    pairs = objective(batch, np.random.default_rng(7), word_starts[batch.values], target_eos=ends)
    return held_out_set(name, pairs.source, pairs.target, adapter, batch_tokens=tokens)
