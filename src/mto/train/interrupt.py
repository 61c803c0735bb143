"""Ctrl-C and SIGTERM as a wish to stop after the running step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class StopSignals:
    """Within the block, SIGINT and SIGTERM set `wanted`; a second SIGINT stops at once with KeyboardInterrupt.

    Only the main thread can do this; elsewhere, or with `active` False, signals keep their meaning.
    """

    def __init__(self, *, active: bool = True) -> None:
        self.wanted: str | None = None
        self._active = active and threading.current_thread() is threading.main_thread()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if self._active:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wanted == "SIGINT" and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.wanted = signal.Signals(number).name
