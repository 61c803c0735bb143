"""A mixture: each row of a batch goes to one of several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.errors import ObjectiveError
from mto.objectives.pairs import Objective, Pairs
from mto.objectives.parts import ends_of
from mto.objectives.ragged import Ragged, join


@dataclass(frozen=True)
class Mixture:
    """Each row goes to objective `i` with probability ``weights[i] / sum(weights)``.

    Rows are dealt by one evenly spaced comb over shuffled rows, so that the counts in a batch of `B` are within
    one of ``B * weight``: losses by objective are less noisy than with independent draws. Weights count rows,
    not tokens.

    Args:
        objectives: the components; their names differ.
        weights: one number above 0 for each.
        name: of the mixture.

    Raises:
        ObjectiveError: numbers do not match, a weight is not above 0, or a name stands twice.
    """

    objectives: tuple[Objective, ...]
    weights: tuple[float, ...]
    name: str = "mixed"

    def __post_init__(self) -> None:
        names = [objective.name for objective in self.objectives]
        if not names or len(names) != len(self.weights) or len(names) > 127:
            raise ObjectiveError(
                f"{len(names)} objectives and {len(self.weights)} weights do not make a mixture"
            )
        if not all(0 < weight < np.inf for weight in self.weights):
            raise ObjectiveError(
                f"weights {self.weights} are not all above 0", hint="leave the objective out"
            )
        if len(set(names)) != len(names):
            raise ObjectiveError(
                f"objectives {names} do not all differ", hint="name each: name='short spans'"
            )

    @property
    def min_length(self) -> int:
        """Shortest row that all components can use."""
        return max(objective.min_length for objective in self.objectives)

    def maskable(self, batch: Ragged, word_starts: np.ndarray | None = None) -> np.ndarray:
        """Rows that all components can use: bool `[B]`."""
        return np.all([objective.maskable(batch, word_starts) for objective in self.objectives], axis=0)

    def assign(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Deal rows to components: int8 `[rows]`."""
        edges = np.cumsum(self.weights) / np.sum(self.weights)
        comb = (rng.permutation(rows) + rng.random()) / max(rows, 1)
        return np.minimum(np.searchsorted(edges, comb, side="right"), len(edges) - 1).astype(np.int8)

    def __call__(
        self,
        batch: Ragged,
        rng: np.random.Generator,
        word_starts: np.ndarray | None = None,
        *,
        target_eos: np.ndarray | bool = True,
    ) -> Pairs:
        """Write a pair for each row, in the batch's order; `Pairs.objective` tells who wrote it.

        Raises:
            ObjectiveError: what the components raise; rows are numbered within the component's share.
        """
        choice = self.assign(len(batch), rng)
        ends = ends_of(target_eos, len(batch))
        shares = [np.flatnonzero(choice == index) for index in range(len(self.objectives))]
        parts = []
        for objective, rows in zip(self.objectives, shares, strict=True):
            starts = None if word_starts is None else word_starts[batch.indices_of(rows)]
            parts.append(objective(batch.select(rows), rng, starts, target_eos=ends[rows]))
        return _in_order(parts, np.concatenate(shares))


def _in_order(parts: Sequence[Pairs], rows: np.ndarray) -> Pairs:
    """Join pairs whose rows stood at `rows` of the batch, back in the batch's order."""
    names = tuple(name for part in parts for name in part.names)
    before = np.cumsum([0, *(len(part.names) for part in parts[:-1])])
    objective = np.concatenate([part.objective + at for part, at in zip(parts, before, strict=True)])
    order = np.argsort(rows, kind="stable")
    return Pairs(
        source=join([part.source for part in parts]).select(order),
        target=join([part.target for part in parts]).select(order),
        noise=join([part.noise for part in parts]).select(order),
        objective=objective[order].astype(np.int8),
        names=names,
    )
