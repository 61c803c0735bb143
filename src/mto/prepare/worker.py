"""A worker process: does one unit after the other, told on standard input, telling on standard output.

Both are lines of JSON. A worker ends when its standard input does, at once and whatever it is doing: so none is left
behind when the process that started it is killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from mto.errors import MtoError, error_json
from mto.prepare.work import Bench


def _listen(lines: Any, told: queue.Queue[dict[str, Any]]) -> None:
    for line in lines:
        told.put(json.loads(line))
    os._exit(0)  # the other side is gone or wants no more


def main() -> None:
    """Entry of the process."""
    # Ctrl-C goes to every process of the terminal; the one that started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not mix with the messages
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, told), daemon=True).start()
    try:
        bench = Bench(Path(told.get()["folder"]))
        while True:
            unit = told.get()
            try:
                answer = {"result": bench.perform(unit)}
            except MtoError as error:
                answer = {"error": error_json(error)}
            channel.write(json.dumps(answer) + "\n")
    except BrokenPipeError:
        os._exit(1)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # at once: the listening thread must not delay the end


if __name__ == "__main__":
    main()
