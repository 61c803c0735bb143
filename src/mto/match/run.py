"""`match`: from a task's name and checkpoints' names to the answer."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from mto.config import parse
from mto.errors import DataError
from mto.families import LoadedModel, load_model
from mto.match.config import MatchConfig
from mto.match.probe.tournament import Progress
from mto.match.result import Match
from mto.match.rows import Told, match_rows
from mto.tasks import Split, Task, draw_split, load_task

ModelLike = str | Path | LoadedModel


def match(
    task: Task | str | Path,
    model: ModelLike | Sequence[ModelLike] = "mini",
    *,
    shots: int | Literal["usual"] | None = "usual",
    seed: int = 0,
    dev: int | None = None,
    data: Any = None,
    relation: str | None = None,
    phrase: str | None = None,
    config: MatchConfig | None = None,
    device: str = "cpu",
    progress: Told | None = None,
    probing: Progress | None = None,
    **settings: Any,
) -> Match:
    """Which task type, objective, template family and checkpoint a task matches, before anything is tuned.

    Tasks of every kind can be matched. Only labelled few-shot rows and dev rows are read, never a test row.

        match = mto.match("household/ObjectUse")
        match.best.type.type, match.family, match.objective

    Args:
        task: a task, or what `load_task` takes.
        model: a checkpoint, or several to choose among: names, folders or loaded ones.
        shots: labelled rows to draw; ``usual``: what the task file says, else 30. None, or more than a task of one file has:
            all rows.
        seed: the data seed.
        dev: further rows; None: as many as there are, up to the shots.
        data, relation: as for `load_task`.
        phrase: natural phrase in place of the task's first.
        config: which signals, and how; or `settings`: fields of `MatchConfig`, such as ``signals=("guidelines", "probe")``.
        device: where checkpoints that are given by name compute.
        progress: is told the signal and the checkpoint under way.
        probing: is told of every training of the probe.

    Raises:
        MtoError: see `load_task`, `draw_split`, `load_model` and `match_rows`.
    """
    if config is None:
        config = parse(MatchConfig, settings, source="the settings of matching")
    elif settings:
        raise DataError("give a config or settings, not both")
    found = task if isinstance(task, Task) else load_task(
        task, data=data, relation=relation, phrases=() if phrase is None else (phrase,)
    )  # fmt: skip
    split = draw_labelled(found, found.usual_shots if shots == "usual" else shots, seed, dev)
    several = [model] if isinstance(model, str | Path | LoadedModel) else list(model)
    if not several:
        raise DataError("there is no checkpoint to match with", hint="give a name, such as mini")
    named = {_name(one): _source(one, device) for one in several}
    if len(named) < len(several):
        raise DataError("two checkpoints have the same name", hint="give each once")
    return match_rows(
        named, found, split.train, dev=split.dev, phrase=phrase, config=config, data_seed=seed, progress=progress,
        probing=probing,
    )  # fmt: skip


def draw_labelled(task: Task, shots: int | None, seed: int, dev: int | None = None) -> Split:
    """The rows that matching reads: the very few-shot and dev rows that a run with this seed would tune on."""
    if not task.dev and not task.test and shots is not None and shots >= len(task.train):
        shots = None
    wanted = None if shots is None else min(shots, len(task.train))
    return draw_split(task, shots=wanted, seed=seed, dev=dev, max_test=1 if task.test else None)


def _name(model: ModelLike) -> str:
    return model.ref if isinstance(model, LoadedModel) else str(model)


def _source(model: ModelLike, device: str) -> Any:
    return model if isinstance(model, LoadedModel) else functools.partial(load_model, model, device=device)
