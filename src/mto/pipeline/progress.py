"""How a comparison tells what it is doing. The library itself says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mto.pipeline.planning import Plan


@dataclass(frozen=True)
class RunStatus:
    """Where a comparison stands.

    Attributes:
        done, cells: cells that are finished, and in all.
        share: of the whole work, 0 to 1, cells under way counted by their steps.
        seconds_left: by what the plan expected and what the finished cells took; None before anything is known.
        text: what is under way.
    """

    done: int
    cells: int
    share: float
    seconds_left: float | None
    text: str


class RunCallback:
    """Inherit and override what you want to hear of; every method does nothing by default."""

    def on_plan(self, plan: Plan) -> None:
        """What is about to be done, and how long it will take."""

    def on_status(self, status: RunStatus) -> None:
        """The work has moved on."""

    def on_event(self, kind: str, message: str) -> None:
        """Something worth a line happened; kinds: "loading", "no-phrase", "disk-small", "data-gone", "step-damaged", "cell-failed", "finished-before"."""


def asked_to_stop(error: BaseException | None) -> bool:
    """Whether an error is Ctrl-C, or came of it: an interrupt inside the making of a class turns into another error.

    >>> asked_to_stop(KeyboardInterrupt()), asked_to_stop(ValueError())
    (True, False)
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__
    return False
