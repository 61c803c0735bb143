"""Start several processes of one program on this machine, so that they train together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from mto.errors import TrainingError

# After one process has failed, the others wait for it in vain; they get so many seconds to save and end.
GRACE_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


def launch(
    module: str,
    arguments: Sequence[str] = (),
    *,
    processes: int,
    threads: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run ``python -m module arguments`` `processes` times and wait for all.

    Each gets MASTER_ADDR, MASTER_PORT, RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE and, with `threads`, OMP_NUM_THREADS;
    `train` joins them by these, as it does under torchrun and ``accelerate launch``. SIGINT and SIGTERM are handed on: every
    process saves and ends.

    Returns:
        0, or the exit code of the first process that ended with another (they end alike after an interruption).

    Raises:
        TrainingError: a process was killed by a signal.
    """
    if processes < 1:
        raise TrainingError(f"cannot start {processes} processes", hint="give 1 or more")
    common = {
        **os.environ,
        **(environment or {}),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
    }
    common |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    if threads is not None:
        common["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-m", module, *arguments]
    children = [
        subprocess.Popen(
            command, env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}, start_new_session=True
        )
        for rank in range(processes)
    ]
    try:
        with _handing_on(children):
            return _wait(children)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()


def _end_with_parent() -> None:
    # A killed parent must not leave processes behind that go on training and writing.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(children: list[subprocess.Popen]) -> int:
    failed: int | None = None
    deadline = float("inf")
    while any(child.poll() is None for child in children):
        if failed is None:
            failed = next((rank for rank, c in enumerate(children) if c.returncode not in (None, 0)), None)
            if failed is not None:
                deadline = time.monotonic() + GRACE_SECONDS
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    if failed is None:
        failed = next((rank for rank, c in enumerate(children) if c.returncode), None)
    if failed is None:
        return 0
    code = children[failed].returncode
    if code < 0:
        name = signal.Signals(-code).name
        why = "it may have run out of memory" if name == "SIGKILL" else "what it printed last may tell why"
        raise TrainingError(
            f"process {failed} of {len(children)} was killed by {name}",
            hint=f"{why}; run again to go on from the last checkpoint",
        )
    return int(code)


@contextlib.contextmanager
def _handing_on(children: list[subprocess.Popen]) -> Iterator[None]:
    def hand_on(number: int, frame: FrameType | None) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    before = {}
    # Only the main thread may set handlers; elsewhere the caller's own handling stays.
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, hand_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
