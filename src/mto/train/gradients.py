"""How the gradients of several processes become one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from mto.train.processes import Processes

_SHARED = Path("/dev/shm")


class GradientSum:
    """Averages gradients over processes, weighted by their target tokens, once a step.

    Processes on one machine without a GPU sum in shared memory, each its own slice (27 M gradients of two processes: a tenth
    of the time of gloo's all-reduce through the loopback network); others use one flat all-reduce. With one process nothing is
    touched and nothing is allocated.
    """

    def __init__(self, parameters: list[nn.Parameter], processes: Processes) -> None:
        self._parameters, self._processes = parameters, processes
        self._count = sum(p.numel() for p in parameters)
        self._shared: Tensor | None = None
        if (
            processes.world > 1
            and processes.device.type == "cpu"
            and processes.one_machine
            and _SHARED.is_dir()
        ):
            self._shared = self._map_shared()

    def _map_shared(self) -> Tensor:
        """[world + 1, count] fp32: a row for each process and one for the sum."""
        world, path = self._processes.world, ""
        if self._processes.is_main:
            with tempfile.NamedTemporaryFile(dir=_SHARED, prefix="mto-gradients-", delete=False) as file:
                file.truncate(4 * (world + 1) * self._count)
                path = file.name
        path = self._processes.gather(path)[0]
        size = (world + 1) * self._count
        shared = torch.from_file(path, shared=True, size=size, dtype=torch.float32).view(
            world + 1, self._count
        )
        self._processes.wait()
        if self._processes.is_main:
            # The mapping lives on; the name must not outlive a killed process.
            Path(path).unlink()
        return shared

    def reduce(self, extra: list[float], weight: float) -> list[float]:
        """Replace the gradients by their mean over processes.

        Args:
            extra: numbers that are summed along: loss sums, counts, a wish to stop.
            weight: of this process: its target tokens.

        Returns:
            The sums of `extra`.
        """
        if self._processes.world == 1:
            return extra
        # Sums of counts must be exact, so they travel in fp64, apart from the gradients.
        numbers = torch.tensor([weight, *extra], dtype=torch.float64, device=self._processes.device)
        torch.distributed.all_reduce(numbers)
        total, *sums = numbers.tolist()
        share = weight / total if total else 0.0
        flat = self._gathered(share) if self._shared is None else self._summed(self._shared, share)
        parts = flat.split([p.numel() for p in self._parameters])
        for parameter, part in zip(self._parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        return sums

    def _grads(self) -> list[Tensor]:
        return [(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self._parameters]

    def _gathered(self, share: float) -> Tensor:
        flat = torch.cat(self._grads()).mul_(share)
        torch.distributed.all_reduce(flat)
        return flat

    def _summed(self, shared: Tensor, share: float) -> Tensor:
        rank, world = self._processes.rank, self._processes.world
        start = 0
        for grad in self._grads():
            torch.mul(grad, share, out=shared[rank, start : start + grad.numel()])
            start += grad.numel()
        self._processes.wait()
        cut = [self._count * r // world for r in (rank, rank + 1)]
        torch.sum(shared[:world, cut[0] : cut[1]], 0, out=shared[world, cut[0] : cut[1]])
        self._processes.wait()
        # Each process gets its own copy: clipping works in place, and must not reach into the others' memory.
        return shared[world].clone()
