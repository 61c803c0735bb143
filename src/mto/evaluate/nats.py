"""Nats of the options of one question, with every normalisation, since what is summed is contested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError
from mto.evaluate.calibration import softmin

Floats = NDArray[np.float64]
RANKINGS = ("sum", "token", "byte", "calibrated")


@dataclass(frozen=True)
class OptionNats:
    """Nats of the options of one question; lower is likelier.

    Attributes:
        sum: of the whole text, EOS included. An option with several texts has their summed probability.
        token, byte: of the text over its tokens or UTF-8 bytes, EOS left out; of several texts the least.
        prior: as `sum`, without the question; None where it was not asked for.
    """

    sum: tuple[float, ...]
    token: tuple[float, ...]
    byte: tuple[float, ...]
    prior: tuple[float, ...] | None = None

    def by(self, ranking: str) -> tuple[float, ...]:
        """The nats that a ranking compares.

        Raises:
            DataError: no such ranking, or the calibrated one was not asked for.

        >>> OptionNats((1.0, 2.0), (0.5, 0.4), (0.1, 0.1), prior=(0.5, 3.0)).by("calibrated")
        (0.5, -1.0)
        """
        if ranking not in RANKINGS:
            raise DataError(f"no ranking is named '{ranking}'", hint=f"use {', '.join(RANKINGS)}")
        if ranking != "calibrated":
            return {"sum": self.sum, "token": self.token, "byte": self.byte}[ranking]
        if self.prior is None:
            raise DataError(
                "the options were not scored without the question", hint="ask for it: calibrate=True"
            )
        return tuple(nats - prior for nats, prior in zip(self.sum, self.prior, strict=True))

    def best(self, ranking: str = "sum") -> int:
        """Number of the likeliest option; of equals the first."""
        return int(np.argmin(self.by(ranking)))

    def probabilities(self, ranking: str = "sum") -> Floats:
        """Probability of each option among the options: ``exp(-nats)`` of a ranking, scaled to 1.

        >>> OptionNats((0.0, float(np.log(3))), (0.0, 0.0), (0.0, 0.0)).probabilities().round(2).tolist()
        [0.75, 0.25]
        """
        return softmin(self.by(ranking))
