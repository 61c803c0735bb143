"""The adaptations of a whole run: the right one and its controls, as settings of `mto.adapt`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mto.adapt.config import AdaptConfig
from mto.config import parse
from mto.errors import DataError
from mto.pipeline.config import slug
from mto.pipeline.whole.aligned import Aligned
from mto.pipeline.whole.config import WholeConfig
from mto.prepare.pairs import Objective, read_pairs

MAIN = "main"
OTHER: dict[Objective, Objective] = {"denoising": "lm", "lm": "denoising"}
OPPOSITE = {"denoising": "lm", "lm": "denoising", "spans": "prefixes", "prefixes": "spans"}


@dataclass(frozen=True)
class Unit:
    """One adaptation of a run.

    Attributes:
        kind: ``main`` or the name of a control.
        tasks: the tasks whose pairs it reads and that are tuned on it.
        name: of its stages.
    """

    kind: str
    tasks: tuple[str, ...]
    name: str


def all_units(config: WholeConfig, tasks: Sequence[str]) -> list[Unit]:
    """Every adaptation, the right ones first."""
    kinds = (MAIN, *config.asked_controls)
    if not config.per_task or len(tasks) == 1:
        return [Unit(kind, tuple(tasks), kind) for kind in kinds]
    return [Unit(kind, (task,), f"{kind}-{slug(task)}") for kind in kinds for task in tasks]


def count_pairs(folder: Path, tasks: Sequence[str]) -> Counter[str]:
    """Pairs of each task in a prepared folder.

    Raises:
        DataError: a task has none, and its adaptation could learn nothing.
    """
    counts = Counter(pair.task for pair in read_pairs(folder))
    for task in tasks:
        if not counts[task]:
            raise DataError(
                f"{task}: no sentence of the text became a pair, so there is nothing to adapt to",
                where=str(folder),
                hint="give more text, other phrases, or more sentences (prepare.select.per_task); datasheet.md in that folder says what was dropped",
            )
    return counts


def adapt_config(
    unit: Unit,
    config: WholeConfig,
    aligned: Mapping[str, Aligned],
    pairs: Path,
    counts: Mapping[str, int],
    matches: Sequence[Path],
) -> AdaptConfig:
    """The settings of one adaptation.

    The controls differ from the right one in one thing each: ``random-spans`` in where the same sentences are cut, ``wrong-objective``
    in what the same pairs are trained as, ``general`` in which sentences were taken. All see as many pairs.

    Args:
        counts: pairs of each task.
        matches: answers of matching, for the density of spans.
    """
    settings: dict[str, Any] = config.adapt.model_dump(exclude_unset=True)
    objective = config.adapt.objective
    by_task = (
        {t: o for t in unit.tasks if (o := aligned[t].objective) is not None} if objective == "auto" else {}
    )
    many = sum(counts[task] for task in unit.tasks)
    changes: dict[str, Any] = {"by_task": by_task}
    if unit.kind == "random-spans":
        changes["set"] = "random-spans"
    elif unit.kind == "wrong-objective":
        changes["by_task"] = {task: OTHER[one] for task, one in by_task.items()}
        if objective != "auto":
            changes["objective"] = OPPOSITE[objective]
    elif unit.kind == "general":
        changes |= {"set": "general", "limit": min(many, config.adapt.limit or many)}
        if objective == "auto":
            changes |= {**_shares(unit, by_task, counts), "by_task": {}}
    named = {"pairs": str(pairs), "model": config.model, "device": config.device}
    if len(unit.tasks) < len(aligned):
        named["tasks"] = unit.tasks  # type: ignore[assignment]
    if objective in ("spans", "ul2"):
        named["match"] = tuple(map(str, matches))  # type: ignore[assignment]
    return parse(AdaptConfig, {**settings, **named, **changes}, source="the settings of adapt")


def _shares(unit: Unit, by_task: Mapping[str, Objective], counts: Mapping[str, int]) -> dict[str, Any]:
    """General text trains with the objectives of the tasks, each as often as there."""
    if not by_task:
        return {}
    masked = sum(counts[task] for task, one in by_task.items() if one == "denoising")
    share = masked / max(1, sum(counts[task] for task in by_task))
    if share in (0.0, 1.0):
        return {"objective": "denoising" if share else "lm"}
    return {"objective": "mixed", "mix": round(share, 4)}
