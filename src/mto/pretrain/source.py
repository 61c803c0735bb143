"""An endless, resumable stream of training batches from tokenised text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from mto.errors import DataError
from mto.objectives import Objective, Pairs, Ragged, join
from mto.pretrain.shards import Shard
from mto.train.batches import Batch, collate, plan_batches

# Batches are planned over this many at a time: enough to sort by length with little padding.
POOL_BATCHES = 96
MULTIPLE = 8


@dataclass(frozen=True)
class Mix:
    """How shards are read.

    Attributes:
        window: tokens of one window.
        lines: shortest and longest single sentence, in tokens.
        line_share: share of the tokens read as single sentences.
    """

    window: int
    lines: tuple[int, int]
    line_share: float


@dataclass(eq=False)
class Cursor:
    """A walk over the items of one shard in one mode: a new order in every round, by seed and round only."""

    items: int
    key: tuple[int, ...]
    round: int = 0
    at: int = 0
    _order: tuple[int, np.ndarray] | None = field(default=None, repr=False)

    def take(self, count: int) -> list[tuple[int, np.ndarray]]:
        """The next `count` items, as (round, indices)."""
        taken: list[tuple[int, np.ndarray]] = []
        while count > 0:
            if self._order is None or self._order[0] != self.round:
                rng = np.random.default_rng([*self.key, self.round])
                self._order = (self.round, rng.permutation(self.items))
            part = self._order[1][self.at : self.at + count]
            taken.append((self.round, part))
            count -= part.size
            self.at += part.size
            if self.at >= self.items:
                self.round, self.at = self.round + 1, 0
        return taken


class TextSource:
    """Batches of windows and single sentences, each written by its objective.

    A *pool* of about `POOL_BATCHES` batches is drawn, corrupted in one go, sorted by length and cut by padded
    tokens. What a pool holds depends on the seed, the pool's number and the cursors only; so the position
    is those numbers.

    Args:
        shards: the text; `weights` says how often a pass reads each.
        window_objective, line_objective: write the pairs.
        word_starts: bool `[rows]`, pieces that begin a word.
        tokens: padded tokens a batch.

    Raises:
        DataError: no shard has a window or sentence of the wanted size.
    """

    def __init__(
        self, shards: Sequence[Shard], weights: Sequence[float], mix: Mix, *, window_objective: Objective,
        line_objective: Objective, word_starts: np.ndarray, pad_id: int, tokens: int, seed: int,
    ) -> None:  # fmt: skip
        self._shards, self._mix, self._pad, self._tokens = shards, mix, pad_id, tokens
        self._objectives = (window_objective, line_objective)
        self._starts_word, self._seed = word_starts, seed
        self._lines = [usable_lines(shard, mix.lines) for shard in shards]
        windows = [max(0, shard.ids.size // mix.window - 1) for shard in shards]
        self._cursors = [
            [Cursor(count, (seed, 1, n)) for n, count in enumerate(windows)],
            [Cursor(lines.size, (seed, 2, n)) for n, lines in enumerate(self._lines)],
        ]
        weight = np.asarray(weights, dtype=float)
        size = np.array([[c.items * mix.window for c in self._cursors[0]],
                         [int(s.lengths[k].sum()) for s, k in zip(shards, self._lines, strict=True)]])  # fmt: skip
        share = np.array([1 - mix.line_share, mix.line_share])
        mass = size * weight
        if (mass.sum(1) <= 0)[share > 0].any():
            raise DataError("the text is too short for windows or holds no sentence of the wanted length")
        mean = np.where(size > 0, size / np.maximum(1, [[c.items for c in row] for row in self._cursors]), 1)
        # Items to draw a pool, by mode and shard: tokens wanted by mean tokens of an item.
        wanted = POOL_BATCHES * tokens * 0.85
        self._rates = wanted * share[:, None] * mass / np.maximum(mass.sum(1, keepdims=True), 1) / mean
        self._pool, self._at = 0, 0
        self._drawn: tuple[Ragged, Ragged, list[np.ndarray]] | None = None
        self._before: list[list[tuple[int, int]]] = self._positions()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if self._drawn is None:
            self._drawn = self._draw()
        source, target, plan = self._drawn
        rows = plan[self._at]
        batch = collate(
            [(source[r].tolist(), target[r].tolist()) for r in rows.tolist()], self._pad, multiple_of=MULTIPLE
        )
        self._at += 1
        if self._at == len(plan):
            self._pool, self._at, self._drawn = self._pool + 1, 0, None
            self._before = self._positions()
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Pool, batch within it, and the cursors as they stood before the pool."""
        return {"pool": self._pool, "batch": self._at, "cursors": self._before, "seed": self._seed}  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a stored position. Raises `DataError` when it belongs to other texts or another seed."""
        shape = [len(row) for row in state["cursors"]]
        mine = (self._seed, [len(row) for row in self._cursors])
        if (state["seed"], shape) != mine:
            raise DataError("the stored position belongs to another mixture or seed")
        for row, stored in zip(self._cursors, state["cursors"], strict=True):
            for cursor, (number, at) in zip(row, stored, strict=True):
                cursor.round, cursor.at = int(number), int(at)
        self._pool, self._at, self._drawn = int(state["pool"]), int(state["batch"]), None
        self._before = self._positions()

    def _positions(self) -> list[list[tuple[int, int]]]:
        return [[(c.round, c.at) for c in row] for row in self._cursors]

    def _draw(self) -> tuple[Ragged, Ragged, list[np.ndarray]]:
        rng = np.random.default_rng([self._seed, 3, self._pool])
        drawn: list[Pairs] = []
        for mode, read in enumerate((self._windows, self._sentences)):
            counts = np.floor(self._rates[mode] + rng.random(len(self._shards))).astype(int)
            rows = [
                ids
                for n, count in enumerate(counts)
                if count and self._cursors[mode][n].items
                for ids in read(n, int(count))
            ]
            if rows:
                batch = Ragged.from_lists(rows)
                objective, starts = self._objectives[mode], self._starts_word[batch.values]
                fit = objective.maskable(batch, starts)
                if not fit.all():
                    batch = batch.select(fit)
                    starts = self._starts_word[batch.values]
                drawn.append(objective(batch, rng, starts, target_eos=bool(mode)))
        source, target = join([p.source for p in drawn]), join([p.target for p in drawn])
        lengths = np.stack([source.lengths, target.lengths], axis=1)
        return source, target, plan_batches(lengths, rng, tokens=self._tokens, multiple_of=MULTIPLE)

    def _windows(self, shard: int, count: int) -> list[np.ndarray]:
        width, ids = self._mix.window, self._shards[shard].ids
        rows: list[np.ndarray] = []
        for number, items in self._cursors[0][shard].take(count):
            # Each round cuts the text at other places.
            phase = int(np.random.default_rng([self._seed, 4, shard, number]).integers(width))
            at = items * width + phase
            rows.extend(ids[a : a + width].astype(np.int32) for a in at.tolist())
        return rows

    def _sentences(self, shard: int, count: int) -> list[np.ndarray]:
        ids, starts, lines = self._shards[shard].ids, self._shards[shard].starts, self._lines[shard]
        chosen = np.concatenate([lines[items] for _, items in self._cursors[1][shard].take(count)])
        return [ids[starts[n] : starts[n + 1]].astype(np.int32) for n in chosen.tolist()]


def usable_lines(shard: Shard, tokens: tuple[int, int]) -> np.ndarray:
    """Numbers of the sentences whose length lies in the range: int64 `[n]`."""
    return np.flatnonzero((shard.lengths >= tokens[0]) & (shard.lengths <= tokens[1]))
