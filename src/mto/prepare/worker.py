"""A worker process: does one unit after the other, told on standard input, telling on standard output (`mto.runs.serving`)."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

from mto.errors import MtoError, error_json
from mto.prepare.work import Bench
from mto.runs.serving import Tell, serve


def work(told: queue.Queue[dict[str, Any]], tell: Tell) -> None:
    """Hear of the folder, then do units until there are no more."""
    bench = Bench(Path(told.get()["folder"]))
    while True:
        unit = told.get()
        try:
            tell({"result": bench.perform(unit)})
        except MtoError as error:
            tell({"error": error_json(error)})


if __name__ == "__main__":
    serve(work)
