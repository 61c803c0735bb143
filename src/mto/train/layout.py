"""How many processes with how many threads each: decided by a short measurement.

Run as ``python -m mto.train.layout ROWS WIDTH PARAMETERS SECONDS`` (by `mto.train.launch`) it is one of the measured processes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """A choice: `processes` of `threads` each, and why."""

    processes: int
    threads: int
    reason: str


def usable_cores() -> int:
    """Cores that this process may use (a container may have fewer than the machine)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def layouts(cores: int) -> list[tuple[int, int]]:
    """Every (processes, threads) whose product is `cores`, one process first.

    >>> layouts(4)
    [(1, 4), (2, 2), (4, 1)]
    """
    return [(n, cores // n) for n in range(1, cores + 1) if cores % n == 0]


def choose_layout(
    *,
    width: int = 384,
    parameters: int = 27_000_000,
    tokens: int = 3500,
    cores: int | None = None,
    most: int = 8,
    seconds: float = 1.5,
) -> Layout:
    """Time a small training step in every layout and take the fastest.

    The step is a stack of feed-forward layers of the model's width over `tokens` positions, shared among the processes, and one
    average of `parameters` gradients. A layout other than one process must win by 5 %, because it costs memory. Takes about
    `seconds` plus the start of Python for each layout; with one core nothing is measured.

    Args:
        tokens: of one step, over all processes.
        most: largest number of processes tried.
    """
    cores = cores or usable_cores()
    choices = [c for c in layouts(cores) if c[0] <= most]
    if len(choices) == 1:
        return Layout(*choices[0], "one core: one process" if cores == 1 else "only one layout is possible")
    speeds = {c: _measure(c, width, parameters, tokens, seconds) for c in choices}
    single = choices[0]
    best = max(speeds, key=lambda c: speeds[c])
    if speeds[best] < 1.05 * speeds[single]:
        best = single
    told = ", ".join(f"{n} x {t}: {speed:,.0f}" for (n, t), speed in speeds.items())
    return Layout(*best, f"positions a second by processes x threads: {told}")


def _measure(choice: tuple[int, int], width: int, parameters: int, tokens: int, seconds: float) -> float:
    from mto.train.launch import launch

    processes, threads = choice
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "speed.json"
        numbers: Sequence[object] = (max(1, tokens // processes), width, parameters, seconds, out)
        if launch("mto.train.layout", [str(n) for n in numbers], processes=processes, threads=threads) != 0:
            return 0.0
        return float(json.loads(out.read_text(encoding="utf-8")))


def _main(rows: int, width: int, parameters: int, seconds: float, out: Path) -> None:
    import torch

    from mto.train.gradients import GradientSum
    from mto.train.memory import reused_memory
    from mto.train.precision import choose_precision
    from mto.train.processes import join_processes

    processes = join_processes("cpu")
    precision = choose_precision(width=width)
    block = [
        torch.nn.Linear(width, 4 * width),
        torch.nn.GELU(),
        torch.nn.Linear(4 * width, width),
        torch.nn.LayerNorm(width),
    ]
    model = torch.nn.Sequential(*block, *block)
    weights = torch.nn.Parameter(torch.zeros(parameters))
    x = torch.randn(rows, width)
    gradients = GradientSum([weights], processes)

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision.name == "bf16"):
            # As many layers as make up the model's parameters.
            loss = sum(model(x).float().mean() for _ in range(max(1, parameters // (16 * width * width))))
        loss.backward()
        weights.grad = torch.zeros_like(weights)
        # The wish to end is shared, or one process would wait for the other.
        return gradients.reduce([float(time.perf_counter() > end)], 1.0)[0]

    with reused_memory():
        end = float("inf")
        step()
        processes.wait()
        begin, steps = time.perf_counter(), 0
        end = begin + seconds
        while not step():
            steps += 1
        spent = time.perf_counter() - begin
    if processes.is_main:
        out.write_text(json.dumps((steps + 1) * rows * processes.world / spent), encoding="utf-8")


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5]))
