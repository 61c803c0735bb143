"""One process or several: who am I, and where do I compute."""

from __future__ import annotations

import atexit
import json
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
        # As JSON: torch's own gathering of objects would unpickle what it receives.
        data = torch.tensor(list(json.dumps(value).encode()), dtype=torch.uint8, device=self.device)
        size = torch.tensor([len(data)], device=self.device)
        sizes = [torch.zeros_like(size) for _ in range(self.world)]
        torch.distributed.all_gather(sizes, size)
        longest = int(torch.cat(sizes).max())
        padded = torch.nn.functional.pad(data, (0, longest - len(data)))
        parts = [torch.zeros_like(padded) for _ in range(self.world)]
        torch.distributed.all_gather(parts, padded)
        return [json.loads(bytes(p[: int(n)].tolist()).decode()) for p, n in zip(parts, sizes, strict=True)]

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

    accelerate's `PartialState` finds device and backend. Its `Accelerator` is not used: it fixes one precision for the whole
    Python process, and a sweep trains many models in one process.

    Args:
        device: "auto" takes a GPU if there is one; "cpu" and "cuda" insist.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
        # Once, however often a process trains.
        atexit.unregister(_leave)
        atexit.register(_leave)
        return Processes(state.process_index, state.num_processes, state.device)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Processes(0, 1, torch.device(device))


def _leave() -> None:
    # gloo's threads that outlive the interpreter abort the process now and then ("terminate called without an active
    # exception"): https://github.com/pytorch/pytorch/pull/179291.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
