"""Which objective each pair trains with, and what decided it.

In: pairs, the configuration, answers of matching. Out: an objective a pair, with the reason for each task. Fails where the checkpoint
writes no masks and an objective needs them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mto.adapt.config import T5, AdaptConfig
from mto.adapt.drawing import shares_of
from mto.errors import FamilyError
from mto.families import Adapter
from mto.match import Match, read_match
from mto.prepare.pairs import Objective, Pair


@dataclass(frozen=True)
class Choice:
    """The objective of every pair.

    Attributes:
        objectives: one for each pair.
        reasons: task to a line that says what was chosen and why.
    """

    objectives: tuple[Objective, ...]
    reasons: Mapping[str, str]


def read_matches(config: AdaptConfig) -> tuple[Match, ...]:
    """The answers of matching that the configuration names. Raises what `read_match` raises."""
    return tuple(read_match(path) for path in config.match)


def choose_objectives(pairs: Sequence[Pair], config: AdaptConfig, matches: Sequence[Match] = ()) -> Choice:
    """Give each pair the objective that it trains with.

    ``denoising`` and ``lm`` are for all. ``mixed`` takes the router's choice of each pair, or a fixed share of denoising. ``auto``
    takes the objective of the task: the one that `by_task` names, else that of its match file, else what the router said of most of its pairs (denoising at a tie).
    """
    tasks = [pair.task for pair in pairs]
    if config.objective == "auto":
        by_task = {
            task: _known(task, config) or _of_task(task, pairs, matches) for task in sorted(set(tasks))
        }
        return Choice(tuple(by_task[t][0] for t in tasks), {t: why for t, (_, why) in by_task.items()})
    if config.objective == "mixed" and config.mix is not None:
        drawn = shares_of([f"{pair.sentence}\0{pair.target}" for pair in pairs], config.seed, "mix")
        mixed: list[Objective] = ["denoising" if share < config.mix else "lm" for share in drawn]
        return Choice(
            tuple(mixed), _told(tasks, mixed, f"denoising for a share of {config.mix:g}, as asked for")
        )
    if config.objective == "mixed":
        routed = [pair.objective for pair in pairs]
        return Choice(tuple(routed), _told(tasks, routed, "the router's choice for each pair"))
    one: Objective = "denoising" if config.objective == "denoising" else "lm"
    return Choice((one,) * len(pairs), _told(tasks, [one] * len(pairs), "as asked for"))


def _known(task: str, config: AdaptConfig) -> tuple[Objective, str] | None:
    named = config.by_task.get(task)
    return None if named is None else (named, f"{named}: as asked for this task")


def _of_task(task: str, pairs: Sequence[Pair], matches: Sequence[Match]) -> tuple[Objective, str]:
    named = [found for found in matches if found.task == task] or (list(matches) if len(matches) == 1 else [])
    if named:
        return named[-1].objective, f"{named[-1].objective}: matching of {named[-1].task}"
    votes = [pair.objective for pair in pairs if pair.task == task]
    masks = votes.count("denoising")
    winner: Objective = "denoising" if 2 * masks >= len(votes) else "lm"
    return winner, f"{winner}: the router sends {masks} of {len(votes)} pairs to denoising"


def _told(tasks: Sequence[str], objectives: Sequence[Objective], why: str) -> dict[str, str]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"denoising": 0, "lm": 0})
    for task, objective in zip(tasks, objectives, strict=True):
        counts[task][objective] += 1
    return {
        task: ", ".join(f"{count} {name}" for name, count in found.items() if count) + f": {why}"
        for task, found in sorted(counts.items())
    }


def span_setting(config: AdaptConfig, matches: Sequence[Match] = ()) -> tuple[float, float]:
    """Density and mean span for ``spans`` and ``ul2``: as asked for, else the mean of the match files' proposals, else T5's."""
    proposals = [p for p in (_proposal(found, config.model) for found in matches) if p is not None]
    density, span = (float(np.mean([p[n] for p in proposals])) if proposals else T5[n] for n in (0, 1))
    return config.density or round(density, 4), config.mean_span or round(span, 4)


def _proposal(found: Match, ref: str) -> tuple[float, float] | None:
    seen = next((model for model in found.models if model.model == ref), found.best).denoiser
    return None if seen is None else (seen.density, seen.mean_span)


def require_masks(adapter: Adapter, what: str) -> None:
    """Raise `FamilyError` when the checkpoint has no sentinels and `what` needs them."""
    if not adapter.writes_masks:
        raise FamilyError(
            f"{what} writes masks, but this checkpoint ({adapter.name}) has no sentinels",
            hint="adapt it with --objective lm or prefixes, or take a checkpoint that was taught masks",
        )
