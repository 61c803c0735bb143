"""Stages as nodes: each has a key, a folder, and a result that is kept; a stage that is done with its key is skipped.

In: what a stage depends on, and how it is done. Out: its result and folder. A stage counts as done when its result stands with its key,
written after everything else; so a killed run does again only what was under way, and that goes on inside its own folder.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mto.errors import Interrupted, MtoError, RunError
from mto.pipeline.progress import asked_to_stop
from mto.pipeline.whole.progress import StageStatus, WholeCallback
from mto.runs import RunFolder

STAGES = "stages"
VERSION = 1
"""Goes up whenever equal inputs would give other results."""


def key_of(name: str, parts: Mapping[str, Any]) -> str:
    """The key of a stage: a hash of its name and of all that it depends on.

    >>> key_of("pairs", {"seed": 0}) == key_of("pairs", {"seed": 0}), key_of("pairs", {"seed": 0}) == key_of("pairs", {"seed": 1})
    (True, False)
    """
    text = json.dumps([VERSION, name, parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Done:
    """A finished stage.

    Attributes:
        name, key: which one, made from what.
        folder: what it made; as seen from the run folder in `place`.
        result: what the next stages read, as JSON.
        seconds: it took by the clock, over all sessions.
        worked: whether this call did it; False where it was done before.
    """

    name: str
    key: str
    folder: Path
    place: str
    result: Any
    seconds: float
    worked: bool


class Nodes:
    """The stages of one run.

    Args:
        path: the run folder.
        count: how many stages there will be.
    """

    def __init__(self, path: Path, count: int, told: WholeCallback) -> None:
        self.folder, self.count, self._told = RunFolder(path), count, told
        self.finished: list[Done] = []

    def place(self, name: str, key: str) -> str:
        """The folder of a stage as seen from the run folder."""
        return f"{STAGES}/{name}-{key[:8]}"

    def known(self, name: str, key: str) -> Done | None:
        """The stage if it is done; a result that is damaged, or whose folder is gone, does not count."""
        place = self.place(name, key)
        try:
            stored = self.folder.done(place, key)
            if stored is None or not (self.folder.path / place).is_dir():
                return None
            return Done(
                name, key, self.folder.path / place, place, stored["result"], stored["seconds"], False
            )
        except (RunError, AttributeError, KeyError, TypeError):
            return None

    def do(self, name: str, parts: Mapping[str, Any], work: Callable[[Path], Any]) -> Done:
        """The stage, done now or before.

        Args:
            parts: what its result depends on, as JSON.
            work: does it in the folder that it is given, and gives its result as JSON.

        Raises:
            Interrupted: after Ctrl-C; what is finished is kept, and the stage goes on with the next call.
            MtoError: as `work` raises it.
        """
        key = key_of(name, parts)
        number = len(self.finished) + 1
        found = self.known(name, key)
        self._told.on_stage(StageStatus(name, number, self.count, "kept" if found else "begins"))
        if found is None:
            found = self._work(name, key, work)
            self._told.on_stage(StageStatus(name, number, self.count, "done"))
        self.finished.append(found)
        return found

    def _work(self, name: str, key: str, work: Callable[[Path], Any]) -> Done:
        place = self.place(name, key)
        path = self.folder.path / place
        before = self._seconds(place)
        self.folder.event("stage", stage=place)
        began = time.monotonic()
        try:
            result = work(path)
            path.mkdir(parents=True, exist_ok=True)
        except BaseException as error:
            self.folder.event("stage-stopped", stage=place, seconds=round(time.monotonic() - began, 3))
            if isinstance(error, Interrupted) or (not isinstance(error, MtoError) and asked_to_stop(error)):
                inside = f" ({error.message})" if isinstance(error, Interrupted) else ""
                raise Interrupted(
                    f"stopped in stage {len(self.finished) + 1} of {self.count}, {name}{inside}; what is finished is kept",
                    where=str(self.folder.path),
                    hint="run the same command again to go on from there",
                ) from error
            raise
        seconds = round(before + time.monotonic() - began, 3)
        self.folder.finish(place, key, {"result": result, "seconds": seconds})
        self.folder.event("stage-done", stage=place, seconds=seconds)
        # Read back, so that a run that was stopped and one that was not work on the very same values.
        kept = self.known(name, key)
        return replace(kept, worked=True) if kept else Done(name, key, path, place, result, seconds, True)

    def _seconds(self, place: str) -> float:
        """What earlier sessions spent on a stage that they did not finish."""
        return sum(
            float(event["seconds"])
            for event in self.folder.events()
            if event["kind"] == "stage-stopped" and event.get("stage") == place
        )
