"""Who computes the cells: this process, or several beside it. The results are the same."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mto.errors import MtoError, RunError, error_from_json
from mto.pipeline.cells import CellId, run_one
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import Inputs
from mto.pipeline.team import thread_count
from mto.pipeline.worker import Told

if TYPE_CHECKING:
    from mto.families import LoadedModel

WORKER = ["-m", "mto.pipeline.worker"]
Moved = Callable[[str, float, str], None]
"""Called with a cell's step name, its share done, and what it is doing."""
Outcome = tuple[CellId, dict[str, Any] | MtoError]


def run_here(
    loaded: LoadedModel,
    cells: Sequence[CellId],
    config: CompareConfig,
    inputs: Inputs,
    folder: Path,
    moved: Moved,
) -> Generator[Outcome]:
    """Compute cells in this process, with the configured number of threads."""

    def tell(message: dict[str, Any]) -> None:
        moved(message["step"], message["share"], message["what"])

    for cell in cells:
        try:
            with thread_count(config.threads):
                result = run_one(loaded, cell, config, inputs, folder, progress=Told(cell, tell))
        except MtoError as error:
            yield cell, error
        else:
            # As a worker's result would come out of its line of JSON.
            yield cell, json.loads(json.dumps(result))


@dataclass
class _Worker:
    number: int
    process: subprocess.Popen[str]
    log: Path
    cell: CellId | None = None
    reader: threading.Thread | None = field(default=None, repr=False)

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # its end is noticed by the reader
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def last_words(self) -> str:
        try:
            lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            return ""
        return lines[-1] if lines else ""


def run_beside(
    workers: int,
    cells: Sequence[CellId],
    config: CompareConfig,
    inputs: Inputs,
    folder: Path,
    moved: Moved,
) -> Generator[Outcome]:
    """Compute cells in worker processes; outcomes come as they are ready.

    Raises:
        RunError: a worker died (of a signal, or for lack of memory); what is finished stays finished.
    """
    heard: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
    waiting = list(reversed(cells))
    left = len(cells)
    with _started(min(workers, len(cells)), config, folder, heard):
        while left:
            worker, message = heard.get()
            if message is None:
                raise _died(worker)
            kind = message["kind"]
            if kind == "progress":
                moved(message["step"], message["share"], message["what"])
                continue
            if kind == "broken":
                raise error_from_json(message["error"])
            done, worker.cell = worker.cell, None
            if kind in ("done", "failed"):
                left -= 1
            if waiting:
                worker.cell = waiting.pop()
                worker.send({"cell": asdict(worker.cell)})
            if kind == "done" and done is not None:
                yield done, message["result"]
            elif kind == "failed" and done is not None:
                yield done, error_from_json(message["error"])


@contextmanager
def _started(
    count: int,
    config: CompareConfig,
    folder: Path,
    heard: queue.Queue[tuple[_Worker, dict[str, Any] | None]],
) -> Iterator[None]:
    team: list[_Worker] = []
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(config.threads)
    environment["TOKENIZERS_PARALLELISM"] = "false"
    with ExitStack() as stack:
        stack.callback(_stop, team, logs)
        for number in range(1, count + 1):
            log = logs / f"worker-{number}.log"
            handle: IO[str] = stack.enter_context(log.open("w", encoding="utf-8"))
            process = subprocess.Popen(
                [sys.executable, *WORKER],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=handle,
                text=True, encoding="utf-8", env=environment,
            )  # fmt: skip
            worker = _Worker(number, process, log)
            team.append(worker)
            worker.reader = threading.Thread(target=_read, args=(worker, heard), daemon=True)
            worker.reader.start()
            worker.send({"folder": str(folder.absolute()), "config": config.model_dump(mode="json")})
        yield


def _read(worker: _Worker, heard: queue.Queue[tuple[_Worker, dict[str, Any] | None]]) -> None:
    assert worker.process.stdout is not None
    try:
        for line in worker.process.stdout:
            heard.put((worker, json.loads(line)))
    except (ValueError, OSError):
        pass  # closed, or cut off in the middle of a line
    heard.put((worker, None))


def _stop(team: list[_Worker], logs: Path) -> None:
    for worker in team:
        worker.process.kill()
    for worker in team:
        worker.process.wait()
        if worker.reader is not None:
            worker.reader.join(timeout=5)
        for stream in (worker.process.stdin, worker.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if worker.log.exists() and worker.log.stat().st_size == 0:
            worker.log.unlink()
    if logs.exists() and not any(logs.iterdir()):
        logs.rmdir()


def _died(worker: _Worker) -> RunError:
    code = worker.process.wait()
    at = f" at {worker.cell}" if worker.cell else ""
    if code == -9:
        return RunError(
            f"worker {worker.number} was killed{at}, most likely because memory ran out",
            hint="run the same command again with fewer --workers; finished cells stay finished",
        )
    words = worker.last_words()
    return RunError(
        f"worker {worker.number} ended with code {code}{at}" + (f": {words}" if words else ""),
        where=str(worker.log),
        hint="look at its log; run the same command again to go on, finished cells stay finished",
    )
