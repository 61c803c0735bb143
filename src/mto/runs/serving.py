"""The worker's end of a pair of processes that speak lines of JSON over standard input and output.

In: a function that does the work, which is given a queue of what the starter says and a way to answer. It ends when standard input does, at
once and whatever it is doing, so that no worker is left behind when the process that started it is killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

Tell = Callable[[dict[str, Any]], None]
Work = Callable[[queue.Queue[dict[str, Any]], Tell], None]


def serve(work: Work) -> None:
    """Do `work` as a process that another one started; never returns, and exits with 1.

    Args:
        work: called with a queue of messages from the starter and a function that sends one back. What it raises goes to
            standard error with its traceback; errors that the starter should hear of it tells itself.
    """
    # Ctrl-C goes to every process of the terminal; the one that started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not mix with the messages
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, told), daemon=True).start()

    def tell(message: dict[str, Any]) -> None:
        try:
            channel.write(json.dumps(message) + "\n")
            channel.flush()
        except BrokenPipeError:
            os._exit(1)

    try:
        work(told, tell)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)  # at once: the listening thread must not delay the end


def _listen(lines: Any, told: queue.Queue[dict[str, Any]]) -> None:
    for line in lines:
        told.put(json.loads(line))
    os._exit(0)  # the other side is gone or wants no more
