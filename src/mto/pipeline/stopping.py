"""A Ctrl-C that is not lost.

Python raises `KeyboardInterrupt` wherever it happens to be. Where that is the end of an object's life (``__del__``), the exception
is printed and dropped, and the work would go on as if nobody had asked. So the wish is also noted, and asked for at good places.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Wish:
    """Whether the user asked to stop."""

    def __init__(self) -> None:
        self.heard = False

    def check(self) -> None:
        """Raise `KeyboardInterrupt` where one was asked for before and came to nothing."""
        if self.heard:
            raise KeyboardInterrupt


@contextmanager
def noted_interrupts() -> Iterator[Wish]:
    """Note every Ctrl-C inside the block, besides raising it as usual.

    Only in the main thread, and only where Ctrl-C does what it usually does: who handles it in a way of their own keeps it.
    """
    wish = Wish()

    def note(number: int, frame: Any) -> None:
        wish.heard = True
        raise KeyboardInterrupt

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ours = usual and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield wish
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
