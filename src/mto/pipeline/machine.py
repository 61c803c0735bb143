"""What this machine offers: cores, memory, and what a model of some size needs of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
BASE_BYTES = 700e6
"""Of a worker without its model: Python, torch and transformers."""
COPIES = 6
"""Of the fp32 weights, at the peak of a tuning: weights, start, best, gradient and two moments of AdamW."""


def usable_cores() -> int:
    """Cores that this process may use, by its affinity and its container's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()[:2]
        if quota != "max":
            cores = min(cores, max(1, int(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return max(1, cores)


def free_memory() -> float:
    """Bytes that may still be used, by the machine and by the container; infinite where nobody tells."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    except (OSError, ValueError, IndexError):
        pass
    try:
        most = (CGROUP / "memory.max").read_text().strip()
        if most != "max":
            found.append(float(most) - float((CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(found, default=float("inf"))


def free_disk(path: Path) -> float:
    """Bytes that are free where a folder is, or will be."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    return float(shutil.disk_usage(place).free)


def default_workers(cells: int, parameters: int, *, threads: int, device: str) -> int:
    """How many workers fit: one a core (and thread), no more than cells, no more than memory allows; one a GPU."""
    if device != "cpu":
        return 1
    need = BASE_BYTES + COPIES * 4 * parameters
    by_memory = max(1, int(min(free_memory() * 0.8 / need, 1e6)))
    return max(1, min(usable_cores() // threads or 1, cells, by_memory))
