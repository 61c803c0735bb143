"""How a whole run tells what it is doing: stage by stage, each with the progress of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mto.pipeline.progress import RunCallback, RunStatus
from mto.train.callbacks import Callback, Progress

if TYPE_CHECKING:
    from mto.pipeline.planning import Plan

State = Literal["begins", "kept", "done"]


@dataclass(frozen=True)
class StageStatus:
    """Where a run stands among its stages.

    Attributes:
        name: such as ``adapt-main``.
        number, stages: which it is, from 1, and how many there are.
        state: it ``begins``, was ``kept`` from before, or is ``done`` now.
    """

    name: str
    number: int
    stages: int
    state: State


class WholeCallback(RunCallback):
    """Inherit and override what you want to hear of. `on_status` and `on_plan` tell of the stage under way."""

    def on_stage(self, status: StageStatus) -> None:
        """A stage begins, is done, or needs nothing."""


class Comparing(RunCallback):
    """What a comparison tells, passed on; its plan is one of several, so only its odd rows are worth hearing once."""

    def __init__(self, told: WholeCallback) -> None:
        self._told = told

    def on_plan(self, plan: Plan) -> None:
        """The plan of this stage."""
        self._told.on_plan(plan)

    def on_status(self, status: RunStatus) -> None:
        """The stage has moved on."""
        self._told.on_status(status)

    def on_event(self, kind: str, message: str) -> None:
        """Something worth a line happened."""
        self._told.on_event(kind, message)


class Training(Callback):
    """What a training tells, as the progress of its stage."""

    def __init__(self, told: WholeCallback) -> None:
        self._told = told

    def on_step(self, progress: Progress) -> None:
        """Some steps are done."""
        text = f"step {progress.step:,}/{progress.steps:,}, loss {progress.loss:.3f}"
        share = progress.step / max(1, progress.steps)
        self._told.on_status(RunStatus(progress.step, progress.steps, share, progress.seconds_left, text))

    def on_event(self, kind: str, message: str) -> None:
        """Something worth a line happened."""
        if kind not in ("checkpoint", "precision"):
            self._told.on_event(kind, message)


PASSES = ("set-up", "clean", "duplicates", "select", "merge", "make")


def preparing(told: WholeCallback) -> Callable[[str, int, int], None]:
    """A listener of `mto.prepare` that passes its progress on."""

    def hear(stage: str, done: int, units: int) -> None:
        before = PASSES.index(stage) if stage in PASSES else 0
        share = (before + done / max(1, units)) / len(PASSES)
        told.on_status(RunStatus(done, units, share, None, f"{stage} {done}/{units}"))

    return hear
