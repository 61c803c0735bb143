"""Who does the units of work: this process, processes beside it, or Ray. The files are the same."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from mto.errors import RunError, error_from_json
from mto.prepare.config import PrepareConfig
from mto.prepare.work import Bench, Unit

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_GO_ON = "run the same command again; what is finished stays finished"


class Engine(Protocol):
    """Does units; used as a context, so that nothing is left behind."""

    def run(self, units: Sequence[Unit]) -> Iterator[None]:
        """Do units in any order; gives a sign of life after each.

        Raises:
            MtoError: a unit failed, or a process died; what is finished stays finished.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def engine_for(config: PrepareConfig, folder: Path) -> Engine:
    """The engine that the configuration names."""
    workers = config.workers or cores()
    if config.engine == "ray":
        from mto.prepare.on_ray import RayEngine

        return RayEngine(folder, config.address, workers if config.address is None else config.workers)
    return Here(folder) if workers == 1 else Beside(folder, workers)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Here:
    """Does units in this process."""

    def __init__(self, folder: Path) -> None:
        self._bench = Bench(folder)

    def run(self, units: Sequence[Unit]) -> Iterator[None]:
        """One after the other."""
        for unit in units:
            self._bench.perform(unit)
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@dataclass
class _Worker:
    number: int
    process: subprocess.Popen[str]
    log: Path
    handle: IO[str]
    unit: Unit | None = None
    reader: threading.Thread | None = field(default=None, repr=False)

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # its end is noticed by the reader
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()


class Beside:
    """Does units in processes of one thread each, which end with this one."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._workers = folder.absolute(), workers
        self._team: list[_Worker] = []
        self._heard: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()

    def run(self, units: Sequence[Unit]) -> Iterator[None]:
        """The next unit goes to whoever is free."""
        waiting = list(reversed(units))
        left = len(units)
        while len(self._team) < min(self._workers, len(units)):
            self._team.append(self._start(len(self._team) + 1))
        for worker in self._team:
            self._give(worker, waiting)
        while left:
            worker, answer = self._heard.get()
            if answer is None:
                raise _died(worker)
            if "error" in answer:
                raise error_from_json(answer["error"])
            left -= 1
            self._give(worker, waiting)
            yield

    def _give(self, worker: _Worker, waiting: list[Unit]) -> None:
        worker.unit = waiting.pop() if waiting else None
        if worker.unit is not None:
            worker.send(worker.unit)

    def _start(self, number: int) -> _Worker:
        logs = self._folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / f"worker-{number}.log"
        handle = log.open("w", encoding="utf-8")
        environment = dict(os.environ) | dict.fromkeys(_THREADS, "1")
        environment["TOKENIZERS_PARALLELISM"] = "false"
        process = subprocess.Popen(
            [sys.executable, "-m", "mto.prepare.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=handle,
            text=True, encoding="utf-8", env=environment,
        )  # fmt: skip
        worker = _Worker(number, process, log, handle)
        worker.reader = threading.Thread(target=_read, args=(worker, self._heard), daemon=True)
        worker.reader.start()
        worker.send({"folder": str(self._folder)})
        return worker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._team:
            worker.process.kill()
        for worker in self._team:
            worker.process.wait()
            if worker.reader is not None:
                worker.reader.join(timeout=5)
            for stream in (worker.process.stdin, worker.process.stdout, worker.handle):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            if worker.log.exists() and worker.log.stat().st_size == 0:
                worker.log.unlink()
        logs = self._folder / "logs"
        if logs.exists() and not any(logs.iterdir()):
            logs.rmdir()
        self._team = []


def _read(worker: _Worker, heard: queue.Queue[tuple[_Worker, dict[str, Any] | None]]) -> None:
    assert worker.process.stdout is not None
    try:
        for line in worker.process.stdout:
            heard.put((worker, json.loads(line)))
    except (ValueError, OSError):
        pass  # closed, or cut off in the middle of a line
    heard.put((worker, None))


def _died(worker: _Worker) -> RunError:
    code = worker.process.wait()
    at = f" at {worker.unit['stage']} {worker.unit['name']}" if worker.unit else ""
    if code == -9:
        return RunError(
            f"worker {worker.number} was killed{at}, most likely because memory ran out",
            hint="run the same command again with fewer --workers; what is finished stays finished",
        )
    lines = [line for line in worker.log.read_text(errors="replace").splitlines() if line.strip()]
    words = f": {lines[-1]}" if lines else ""
    return RunError(
        f"worker {worker.number} ended with code {code}{at}{words}", where=str(worker.log), hint=_GO_ON
    )
