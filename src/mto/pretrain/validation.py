"""Held-out losses by objective and length class, in nats a token and in bits a byte."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mto.families import Adapter
from mto.objectives import Objective, Ragged
from mto.pretrain.shards import Shard
from mto.pretrain.source import Mix, usable_lines
from mto.train.batches import Batch, collate, plan_batches
from mto.train.cross_entropy import IGNORE
from mto.train.loss import seq2seq_loss

SHORT = 15  # a sentence of up to so many tokens is "short"


@dataclass(frozen=True)
class HeldOut:
    """Fixed validation batches of one objective and length class.

    Attributes:
        name: such as ``denoising/windows``.
        batches: as in training.
        tokens: labels in all, EOS and sentinels included.
        text_bytes: UTF-8 bytes of the target texts (sentinels and EOS are no text).
    """

    name: str
    batches: tuple[Batch, ...]
    tokens: int
    text_bytes: int


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
    lengths = np.stack([pairs.source.lengths, pairs.target.lengths], axis=1)
    plan = plan_batches(lengths, np.random.default_rng(0), tokens=tokens)
    batches = tuple(
        collate([(pairs.source[r].tolist(), pairs.target[r].tolist()) for r in rows.tolist()], adapter.pad_id)
        for rows in plan
    )
    size = sum(len(adapter.decode(row).encode()) for row in pairs.target)
    return HeldOut(name, batches, int(lengths[:, 1].sum()), size)


def measure(model: object, sets: Sequence[HeldOut], dtype: torch.dtype = torch.float32) -> dict[str, float]:
    """Loss of each set.

    Returns:
        ``NAME`` in nats a token, ``NAME bits a byte``, and ``loss``: the mean of the nats over the sets.
    """
    values: dict[str, float] = {}
    device = next(model.parameters()).device  # type: ignore[attr-defined]
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        for held in sets:
            total = 0.0
            for batch in held.batches:
                count = int((batch.labels != IGNORE).sum())
                total += float(seq2seq_loss(model, batch.to(device))) * count
            values[held.name] = total / held.tokens
            values[f"{held.name} bits a byte"] = total / math.log(2) / max(1, held.text_bytes)
    values["loss"] = float(np.mean([values[h.name] for h in sets]))
    return values
