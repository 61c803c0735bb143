"""Progress on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from mto.tasks import Task

EVERY = 15.0
"""Seconds between two plain lines."""


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(42), duration(200), duration(9000)
    ('42 s', '3 min 20 s', '2 h 30 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: float) -> str:
    """Bytes as a person says them.

    >>> size(900), size(57_300_000), size(2.1e9)
    ('900 B', '57 MB', '2.1 GB')
    """
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            value = count / step
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count:.0f} B"


def odd_rows(task: str, first: Sequence[object], count: int) -> list[str]:
    """What to say of rows that were mended or left out: how many, and the first of them.

    >>> odd_rows("tools", ["a.csv:3: empty tail, row left out"], 1)
    ['tools: 1 row was mended or left out', '  a.csv:3: empty tail, row left out']
    """
    if not count:
        return []
    shown = [f"  {warning}" for warning in first[:3]]
    more = [f"  and {count - len(shown)} more"] if count > len(shown) else []
    return [f"{task}: {count} row{'s were' if count > 1 else ' was'} mended or left out", *shown, *more]


class Display(Protocol):
    """Where progress goes; used as a context."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def update(self, done: float, total: float, text: str, seconds_left: float | None = None) -> None:
        """Where the work stands; `done` of `total` in any unit."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Silent:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Pass over."""

    def update(self, done: float, total: float, text: str, seconds_left: float | None = None) -> None:
        """Pass over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Lines(Silent):
    """Plain lines for logs and pipes: one at most every `every` seconds, and one at the end."""

    def __init__(self, every: float = EVERY) -> None:
        self._every, self._last, self._finished = every, float("-inf"), False

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def update(self, done: float, total: float, text: str, seconds_left: float | None = None) -> None:
        now = time.monotonic()
        ends = done >= total and not self._finished
        if now - self._last < self._every and not ends:
            return
        self._last, self._finished = now, done >= total
        left = f", {duration(seconds_left)} left" if seconds_left is not None and not ends else ""
        self.say(f"{100 * done / max(total, 1e-9):3.0f} %  {text}{left}")


class Bar:
    """A bar with the time left, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._bar = Progress(
            BarColumn(bar_width=30), TaskProgressColumn(), TextColumn("{task.fields[left]:>14}", style="cyan"),
            TextColumn("{task.description}"), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task: Any = None

    def say(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)

    def update(self, done: float, total: float, text: str, seconds_left: float | None = None) -> None:
        from rich.markup import escape

        left = f"{duration(seconds_left)} left" if seconds_left is not None else ""
        if self._task is None:
            self._task = self._bar.add_task(escape(text), total=total, left=left)
        self._bar.update(self._task, completed=done, total=total, description=escape(text), left=left)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def display(*, quiet: bool = False) -> Display:
    """The display that fits where standard error goes."""
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()


def say_odd_rows(shown: Display) -> Callable[[Task], None]:
    """Tells a display which rows of a task were mended or left out."""

    def say(task: Task) -> None:
        for line in odd_rows(task.name, task.warnings, len(task.warnings)):
            shown.say(line)

    return say
