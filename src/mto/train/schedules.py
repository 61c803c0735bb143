"""Learning rate by step, as a pure function: nothing to save, nothing to restore."""

from __future__ import annotations

import math

from mto.train.config import TrainConfig


def rate_share(config: TrainConfig, step: int) -> float:
    """Share of the peak rate used for update number `step` (from 0), in 0 to 1.

    Warm-up is linear: with ``warmup=4`` the first five updates use 1/4, 2/4, 3/4, 1, 1. Then ``constant`` stays,
    ``cosine`` falls to ``floor`` along half a cosine, and ``wsd`` stays until the last ``decay`` steps, which fall
    linearly to ``floor`` (warm-up, stable, decay: Hu et al. 2024, MiniCPM).
    """
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "cosine":
        span = max(1, config.steps - config.warmup)
        done = min(1.0, (step - config.warmup) / span)
        return config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * done))
    if config.schedule == "wsd" and config.decay and step >= config.steps - config.decay:
        left = max(0, config.steps - step) / config.decay
        return config.floor + (1 - config.floor) * left
    return 1.0
