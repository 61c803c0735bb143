"""Loss scaling for fp16, whose small gradients would otherwise become zero."""

from __future__ import annotations

import math

import torch

from mto.errors import TrainingError

_GROW_AFTER, _GIVE_UP_BELOW = 1000, 2.0**-10


class LossScale:
    """A factor on the loss that halves when gradients overflow (that update is left out) and doubles after 1,000 good ones.

    Micikevicius et al. 2018, "Mixed Precision Training". Inactive, it is 1 and does nothing.
    """

    def __init__(self, *, active: bool, value: float = 2.0**14, good: int = 0) -> None:
        self.active, self.value, self.good = active, value if active else 1.0, good

    def undo(self, parameters: list[torch.nn.Parameter]) -> None:
        """Divide the gradients by the factor."""
        if self.active:
            torch._foreach_mul_([p.grad for p in parameters if p.grad is not None], 1.0 / self.value)

    def overflowed(self, norm: float) -> bool:
        """Take note of a gradient's norm; True when this update must be left out.

        Raises:
            TrainingError: it overflows however small the factor is.
        """
        if not self.active:
            return False
        if math.isfinite(norm):
            self.good += 1
            if self.good % _GROW_AFTER == 0:
                self.value *= 2
            return False
        self.good, self.value = 0, self.value / 2
        if self.value < _GIVE_UP_BELOW:
            raise TrainingError(
                "gradients overflow fp16 at every loss scale", hint="use precision 'bf16' or 'fp32'"
            )
        return True
