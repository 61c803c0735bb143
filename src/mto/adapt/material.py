"""What an adaptation reads: readers that give one epoch after the other, and the stream of batches made from them.

In: written pairs, or sentences with an objective that masks them. Out: a source of batches whose position is two numbers, endless,
the same for the same seed. Fails where there is nothing to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from mto.errors import DataError
from mto.families import Adapter
from mto.objectives import Objective, Ragged, join
from mto.train.batches import Batch, collate, plan_batches

MULTIPLE = 8


@dataclass(frozen=True, eq=False)
class Rows:
    """What one epoch reads: source and target ids, and which rows were written with masks (bool `[rows]`)."""

    source: Ragged
    target: Ragged
    masked: np.ndarray

    def tokens(self) -> dict[str, int]:
        """Source and target tokens by objective."""
        lengths = self.source.lengths + self.target.lengths
        return {"denoising": int(lengths[self.masked].sum()), "lm": int(lengths[~self.masked].sum())}


class Reader(Protocol):
    """Gives the rows of each epoch, by epoch and seed alone."""

    def __len__(self) -> int: ...
    def epoch(self, number: int, seed: int) -> Rows: ...


@dataclass(frozen=True, eq=False)
class Fixed:
    """The same rows in every epoch: written pairs."""

    rows: Rows

    def __len__(self) -> int:
        return len(self.rows.source)

    def epoch(self, number: int, seed: int) -> Rows:
        """All rows."""
        return self.rows


@dataclass(frozen=True, eq=False)
class Masked:
    """Sentences that an objective writes anew in every epoch.

    Attributes:
        sentences: ids without EOS; every row can be used by the objective.
        word_starts: bool `[rows of the vocabulary]`, pieces that begin a word.
        objective: writes the pairs; components that write no masks are called ``lm``.
        count: sentences an epoch; fewer or more than there are: a walk goes on where the epoch before ended, in a new order each
            time round. None: all.
    """

    sentences: Ragged
    word_starts: np.ndarray
    objective: Objective
    count: int | None = None

    def __len__(self) -> int:
        return len(self.sentences) if self.count is None else self.count

    def epoch(self, number: int, seed: int) -> Rows:
        """The sentences of one epoch with their masks of that epoch."""
        batch = self.sentences if self.count is None else self.sentences.select(self._walk(number, seed))
        rng = np.random.default_rng([seed, 11, number])
        pairs = self.objective(batch, rng, self.word_starts[batch.values])
        return Rows(pairs.source, pairs.target, np.array([n != "lm" for n in pairs.names])[pairs.objective])

    def _walk(self, number: int, seed: int) -> np.ndarray:
        size = len(self.sentences)
        places = np.arange(number * len(self), (number + 1) * len(self))
        rounds = places // size
        orders = {
            r: np.random.default_rng([seed, 12, r]).permutation(size) for r in np.unique(rounds).tolist()
        }
        return np.array([orders[r][p % size] for r, p in zip(rounds.tolist(), places.tolist(), strict=True)])


@dataclass(frozen=True)
class Budget:
    """What some epochs hold: batches, and source and target tokens by objective."""

    batches: int
    tokens: dict[str, int]

    @property
    def shares(self) -> dict[str, float]:
        """Share of the tokens by objective; those without tokens are left out.

        >>> Budget(10, {"denoising": 300, "lm": 100}).shares
        {'denoising': 0.75, 'lm': 0.25}
        """
        total = max(1, sum(self.tokens.values()))
        return {name: round(count / total, 4) for name, count in self.tokens.items() if count}


class EpochSource:
    """Endless batches over epochs of one or more readers, of similar length together, in random order.

    Epoch e depends on seed and e only, so the position is (epoch, batch).

    Args:
        readers: their rows are mixed within each epoch.
        tokens: source and target tokens a batch, pads included.

    Raises:
        DataError: no reader has a row.
    """

    def __init__(self, readers: Sequence[Reader], *, pad_id: int, tokens: int, seed: int) -> None:
        self._readers = [reader for reader in readers if len(reader)]
        if not self._readers:
            raise DataError(
                "there is nothing to train on: no pair could be written", hint="prepare more text"
            )
        self._pad, self._tokens, self._seed = pad_id, tokens, seed
        self._epoch, self._batch = 0, 0
        self._drawn: tuple[int, Rows, list[np.ndarray]] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if self._drawn is None or self._drawn[0] != self._epoch:
            self._drawn = (self._epoch, *self._draw(self._epoch))
        _, rows, plan = self._drawn
        chosen = plan[self._batch].tolist()
        pairs = [(rows.source[r].tolist(), rows.target[r].tolist()) for r in chosen]
        self._batch += 1
        if self._batch == len(plan):
            self._epoch, self._batch = self._epoch + 1, 0
        return collate(pairs, self._pad, multiple_of=MULTIPLE)

    def budget(self, epochs: int) -> Budget:
        """What the first `epochs` epochs hold; the position stays."""
        batches, tokens = 0, {"denoising": 0, "lm": 0}
        for number in range(epochs):
            rows, plan = self._draw(number)
            batches += len(plan)
            tokens = {name: count + rows.tokens()[name] for name, count in tokens.items()}
        return Budget(batches, tokens)

    def state_dict(self) -> dict[str, Any]:
        """Position and what it depends on."""
        return {"epoch": self._epoch, "batch": self._batch, "seed": self._seed, "rows": self._sizes()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a stored position. Raises `DataError` when the pairs or the seed are others."""
        if (state["seed"], state["rows"]) != (self._seed, self._sizes()):
            raise DataError("the stored position belongs to other pairs or another seed")
        self._epoch, self._batch = int(state["epoch"]), int(state["batch"])

    def _sizes(self) -> list[int]:
        return [len(reader) for reader in self._readers]

    def _draw(self, number: int) -> tuple[Rows, list[np.ndarray]]:
        parts = [reader.epoch(number, self._seed) for reader in self._readers]
        rows = Rows(
            join([p.source for p in parts]),
            join([p.target for p in parts]),
            np.concatenate([p.masked for p in parts]),
        )
        lengths = np.stack([rows.source.lengths, rows.target.lengths], axis=1)
        rng = np.random.default_rng([self._seed, 13, number])
        return rows, plan_batches(lengths, rng, tokens=self._tokens, multiple_of=MULTIPLE)


def usable_sentences(
    texts: Sequence[str], adapter: Adapter, objective: Objective, word_starts: np.ndarray, *, max_tokens: int
) -> Ragged:
    """Ids of the texts that the objective can use: long enough to be masked, short enough that source and target fit."""
    limit = min(max_tokens, adapter.max_positions or max_tokens)
    batch = Ragged.from_lists(adapter.encode_many(texts))
    # A source or target is at most two tokens longer than its sentence.
    fits = objective.maskable(batch, word_starts[batch.values]) & (batch.lengths <= limit - 2)
    return batch.select(fits)
