"""One process or several: who am I, and where do I compute."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch


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

    @property
    def one_machine(self) -> bool:
        """True when all processes run on this machine (as the launchers tell)."""
        return int(os.environ.get("LOCAL_WORLD_SIZE", "0")) == self.world

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
