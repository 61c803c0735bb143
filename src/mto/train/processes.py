"""One process or several: who am I, where do I compute, and how gradients become one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; `world` 1 means alone."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """True for the one process that writes and reports."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """The JSON-able values of all processes, by rank."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        torch.distributed.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Return when all processes are here."""
        if self.world > 1:
            torch.distributed.barrier()


def join_processes(device: str = "auto") -> Processes:
    """Join the processes that `mto.train.launch`, torchrun or ``accelerate launch`` started; alone without them.

    Args:
        device: "auto" takes what accelerate finds; "cpu" or "cuda" insists.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
        return Processes(state.process_index, state.num_processes, state.device)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Processes(0, 1, torch.device(device))


def reduce_gradients(
    parameters: list[torch.nn.Parameter], extra: list[float], weight: float, processes: Processes
) -> list[float]:
    """Average gradients over processes, weighted by `weight` (target tokens), in one flat sum.

    Args:
        extra: numbers that are summed along (loss sums, counts, a wish to stop).

    Returns:
        The sums of `extra`. With one process nothing is touched.
    """
    if processes.world == 1:
        return extra
    device = processes.device
    # Sums of counts must be exact, so they travel in fp64, apart from the gradients.
    numbers = torch.tensor([weight, *extra], dtype=torch.float64, device=device)
    torch.distributed.all_reduce(numbers)
    total, *sums = numbers.tolist()
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = torch.cat([g.reshape(-1) for g in grads])
    flat.mul_(weight / total if total else 0.0)
    torch.distributed.all_reduce(flat)
    for parameter, part in zip(parameters, _split(flat, grads), strict=True):
        parameter.grad = part
    return sums


def _split(flat: Tensor, like: list[Tensor]) -> list[Tensor]:
    parts = flat.split([t.numel() for t in like])
    return [part.view_as(t) for part, t in zip(parts, like, strict=True)]
