"""How a model is tuned before DepthRank is measured at n shots: the same few steps for every family."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from mto.config import Strict
from mto.tune.config import Settled, TuneConfig

REPORTED_RATE = 1e-4


class Recipe(Strict):
    """A fixed tuning without any sweep; None: as the checkpoint kind's row of `mto.tune.defaults` says.

    The defaults are those of the follow-up paper (docs/method.md 5): 3 epochs, batches of 8, a constant rate of 1e-4. Where
    the table's grid does not hold 1e-4, its nearest rate (by ratio) is taken.
    """

    epochs: PositiveInt = 3
    batch_rows: PositiveInt = 8
    """Labelled rows a step."""
    rate: PositiveFloat | None = None
    optimizer: Literal["adamw", "adafactor"] | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    """Number format of the training."""

    def steps(self, rows: NonNegativeInt) -> int:
        """Updates for this many labelled rows; an epoch's last batch may be short.

        >>> Recipe().steps(5), Recipe().steps(30), Recipe().steps(0)
        (3, 12, 0)
        """
        return self.epochs * math.ceil(rows / self.batch_rows)

    def settle(self, kind: str, *, max_source: int | None = None, seed: int = 0) -> tuple[Settled, float]:
        """The configuration of a tuning for a family kind, and its rate.

        >>> settled, rate = Recipe().settle("t5")
        >>> settled.optimizer, rate
        ('adafactor', 0.0001)
        """
        config = TuneConfig(
            optimizer=self.optimizer,
            batch_rows=self.batch_rows,
            precision=self.precision,
            max_source=max_source,
            seed=seed,
        ).resolve(kind)
        rate = self.rate or min(config.rates, key=lambda r: abs(math.log(r / REPORTED_RATE)))
        return config, rate
