"""Prompt encoders: what the vectors of one soft prompt are made by while they are trained.

All work in units of the model's embedding (an RMS of 1), and all begin with exactly the initial vectors that they are
given. Weights are kept so large that an update of a given size moves the vectors by about that size, whichever encoder
makes them: so one grid of learning rates fits all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from mto.registry import Registry


class PromptEncoder(nn.Module, ABC):
    """Makes the vectors ``[length, width]`` of one soft prompt; inherit, build from the initial ones, and override `forward`.

    Args of every encoder: `initial` ``[length, width]`` with an RMS of about 1, and the random `stream` of its weights.
    """

    def __init__(self, initial: Tensor, stream: torch.Generator) -> None:
        super().__init__()
        self.length, self.width = initial.shape
        self.inner = nn.Parameter(initial.detach().clone())

    @abstractmethod
    def forward(self) -> Tensor:
        """The vectors as they are now."""


class Embedding(PromptEncoder):
    """The vectors themselves (Lester et al. 2021)."""

    def forward(self) -> Tensor:
        """The vectors as they are now."""
        return self.inner


class MLP(PromptEncoder):
    """Two layers over inner vectors; the second is solved so that the first vectors are the initial ones."""

    def __init__(self, initial: Tensor, stream: torch.Generator) -> None:
        super().__init__(initial, stream)
        hidden = max(self.width, self.length)
        self.first = UnitLinear(self.width, hidden, stream)
        self.last = UnitLinear(hidden, self.width, stream)
        self.last.solve(self._hidden(), initial)

    def _hidden(self) -> Tensor:
        return functional.relu(self.first(self.inner))

    def forward(self) -> Tensor:
        """The vectors as they are now."""
        return self.last(self._hidden())


class ResidualMLP(PromptEncoder):
    """Inner vectors and what two layers add to them (Razdaibiedina et al. 2023); the second begins at zero."""

    def __init__(self, initial: Tensor, stream: torch.Generator) -> None:
        super().__init__(initial, stream)
        self.first = UnitLinear(self.width, self.width, stream)
        self.last = UnitLinear(self.width, self.width, stream)
        nn.init.zeros_(self.last.weight)

    def forward(self) -> Tensor:
        """The vectors as they are now."""
        return self.inner + self.last(functional.relu(self.first(self.inner)))


class LSTM(PromptEncoder):
    """A bidirectional LSTM over inner vectors, then two layers (P-tuning, Liu et al. 2021); the last is solved as in `MLP`."""

    def __init__(self, initial: Tensor, stream: torch.Generator) -> None:
        super().__init__(initial, stream)
        half, hidden = max(1, self.width // 2), max(self.width, self.length)
        # The order that torch's LSTM wants: weights and biases of each direction.
        self.gates = nn.ParameterList()
        self._inputs = []
        for _ in range(2):
            for inputs in (self.width, half):
                self.gates.append(_unit_weights(4 * half, inputs, stream))
                self._inputs.append(inputs)
            self.gates.extend(nn.Parameter(torch.zeros(4 * half)) for _ in range(2))
            self._inputs += [1, 1]
        self._half = half
        self.first = UnitLinear(2 * half, hidden, stream)
        self.last = UnitLinear(hidden, self.width, stream)
        self.last.solve(self._hidden(), initial)

    def _hidden(self) -> Tensor:
        start = self.inner.new_zeros(2, 1, self._half)
        weights = [gate / n if n > 1 else gate for gate, n in zip(self.gates, self._inputs, strict=True)]
        # input, start, weights, biases, layers, dropout, training, both directions, batch first
        states = torch.lstm(self.inner[None], (start, start), weights, True, 1, 0.0, False, True, True)[0]
        return functional.relu(self.first(states[0]))

    def forward(self) -> Tensor:
        """The vectors as they are now."""
        return self.last(self._hidden())


class UnitLinear(nn.Module):
    """A linear layer that divides its weights by their inputs, so that they are kept that much larger.

    An optimiser that moves every weight by at most the rate moves a sum of n inputs by up to n times the rate. Divided by n
    it is the rate again.
    """

    def __init__(self, inputs: int, outputs: int, stream: torch.Generator) -> None:
        super().__init__()
        self.weight = _unit_weights(outputs, inputs, stream)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, states: Tensor) -> Tensor:
        """``[n, inputs]`` to ``[n, outputs]``."""
        return functional.linear(states, self.weight / self.weight.shape[1], self.bias)

    @torch.no_grad()
    def solve(self, states: Tensor, wanted: Tensor) -> None:
        """Choose the smallest weights that turn these states into what is wanted, by least squares in float64."""
        solved = torch.linalg.lstsq(states.double(), wanted.double(), driver="gelsd").solution
        self.weight.copy_(solved.T * self.weight.shape[1])


def _unit_weights(outputs: int, inputs: int, stream: torch.Generator) -> nn.Parameter:
    # Divided by the inputs they have the usual deviation, one over the root of the inputs.
    return nn.Parameter(torch.randn(outputs, inputs, generator=stream) * inputs**0.5)


prompt_encoders: Registry[type[PromptEncoder]] = Registry("prompt encoder")
prompt_encoders.register("embedding", Embedding, summary="the vectors themselves")
prompt_encoders.register("mlp", MLP, summary="two layers over inner vectors")
prompt_encoders.register(
    "residual-mlp", ResidualMLP, summary="inner vectors and what two layers add (default)"
)
prompt_encoders.register("lstm", LSTM, summary="a bidirectional LSTM and two layers")
