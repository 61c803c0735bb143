"""What a whole run will do, what is done already, and about how long the rest takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.pipeline.whole.aligned import Aligned, base_families, family_for
from mto.pipeline.whole.asked import Asked, read_asked
from mto.pipeline.whole.config import whole_out
from mto.pipeline.whole.guard import check_folder
from mto.pipeline.whole.nodes import Done, Nodes, key_of
from mto.pipeline.whole.progress import WholeCallback
from mto.pipeline.whole.running import go, whole_config
from mto.pipeline.whole.stages import MATCH, Way, match_parts
from mto.pipeline.whole.systems import all_units

if TYPE_CHECKING:
    from mto.pipeline.planning import Plan

MATCH_SECONDS, SPLITTER_SECONDS = 5.0, 60.0
"""Of one task's matching, and of training the splitter and fitting the router, with `mini`; guesses that larger checkpoints stretch."""
SENTENCES_SECOND = 10_000
"""Cleaned and selected by one core (docs/preparation.md), rather less than more."""
PAIR_TOKENS, MAKE_SECOND = 25, 50
"""Of a pair on average; and pairs made a second."""


@dataclass(frozen=True)
class StagePlan:
    """One stage: whether it is done, and about how long it takes."""

    name: str
    done: bool
    seconds: float


@dataclass(frozen=True)
class WholePlan:
    """What a whole run will do.

    Attributes:
        base: the plan of the comparison without adaptation.
        aligned: task to its aligned family; empty before matching has been asked.
        stages: all of them, in order.
        seconds: of those that are not done, by the clock.
    """

    out: str
    base: Plan
    aligned: Mapping[str, Aligned]
    controls: tuple[str, ...]
    text: Mapping[str, Any]
    stages: tuple[StagePlan, ...]
    seconds: float


def plan_whole(
    tasks: Any,
    *,
    corpus: Any = None,
    out: str | Path | None = None,
    progress: WholeCallback | None = None,
    **settings: Any,
) -> WholePlan:
    """What `run_whole` would do with these arguments. Writes nothing; loads the checkpoint to time a few steps.

    Stages are known to be done as far as what they depend on is known: after the first that is not, all that follow wait.
    """
    from mto.pipeline.comparing import plan

    told = progress or WholeCallback()
    config = whole_config(tasks, corpus, settings)
    path = Path(out) if out is not None else whole_out(config)
    check_folder(path, config)
    asked = read_asked(config)
    aligned = _known_alignment(asked, path, told)
    likely = base_families(config, asked.described, aligned if asked.can_match else None)
    if asked.can_match and aligned is None:
        # Before matching: as if it sent every task to denoising, which needs one family more.
        needed = [family_for("denoising", task) for task in asked.described.values()]
        likely = tuple(dict.fromkeys([*base_families(config, asked.described, {}), *needed]))
    base = plan(
        config.comparison(families=likely, choose="dev", keep="none"), out=path / ".plan", progress=told
    )
    done = _done_names(path, asked)
    stages = [
        StagePlan(name, name in done, round(seconds, 1)) for name, seconds in _expected(asked, base).items()
    ]
    left = sum(stage.seconds for stage in stages if not stage.done)
    files = len({piece["source"] for piece in asked.pieces})
    return WholePlan(
        out=str(path),
        base=base,
        aligned=aligned or {},
        controls=config.asked_controls,
        text={"corpus": list(config.corpus), "files": files, "pieces": len(asked.pieces)},
        stages=tuple(stages),
        seconds=left,
    )


def _known_alignment(asked: Asked, path: Path, told: WholeCallback) -> dict[str, Aligned] | None:
    """What matching said, where it has been asked already."""
    if not asked.can_match:
        return None
    nodes = Nodes(path, 0, told)
    found = nodes.known(MATCH, key_of(MATCH, match_parts(asked)))
    way = Way(asked, nodes, told)
    return way.aligned(way.matches(found)) if found else None


def _done_names(path: Path, asked: Asked) -> set[str]:
    """Stages that a run with these very settings has finished; told by what it would depend on, stage by stage."""
    nodes = _Looking(path, 0, WholeCallback())
    with contextlib.suppress(_Waits):
        go(Way(asked, nodes, WholeCallback()), asked, all_units(asked.config, asked.names))
    return {done.name for done in nodes.finished}


class _Looking(Nodes):
    """Asks for every stage and does none."""

    def do(self, name: str, parts: Mapping[str, Any], work: Callable[[Path], Any]) -> Done:
        """The stage where it is done; the first that is not ends the asking."""
        found = self.known(name, key_of(name, parts))
        if found is None:
            raise _Waits
        self.finished.append(found)
        return found


class _Waits(Exception):  # noqa: N818 - no error: it only ends the asking
    """A stage is not done."""


def _expected(asked: Asked, base: Plan) -> dict[str, float]:
    """Seconds of each stage, whether or not it is done."""
    config = asked.config
    cells = max(1, len(base.families) * len(base.seeds) * len(base.tasks))
    every = sum(base.cell_seconds.values()) or base.seconds * base.workers
    cell = every / cells / base.workers
    larger = max(1.0, base.parameters / 27e6)
    expected: dict[str, float] = {}
    if asked.can_match:
        expected["match"] = MATCH_SECONDS * larger * len(asked.names)
    expected["base"] = max(base.seconds, every / base.workers)
    per_task, making = config.prepare.select.per_task, config.prepare.making
    rules = (making.get("splitter") or {}).get("kind") == "rules"
    sets = 2 if config.asked_controls else 1
    lines = sum(_bytes(piece) for piece in asked.pieces) / 60
    most = min(per_task * len(asked.names), lines) if lines else per_task * len(asked.names)
    expected["pairs"] = (
        (10 if rules else SPLITTER_SECONDS)
        + lines / SENTENCES_SECOND / base.workers
        + sets * most / MAKE_SECOND
    )
    step = base.speed.step / max(1, int(base.settings["batch_rows"]))  # of one row
    training = 1.3 * config.adapt.epochs * most * step + 10
    for unit in all_units(config, asked.names):
        share = len(unit.tasks) / len(asked.names)
        expected[f"adapt-{unit.name}"] = training * share
        expected[f"tuned-{unit.name}"] = cell * len(unit.tasks) * len(base.seeds) + 8
    return expected


def _bytes(piece: Mapping[str, Any]) -> float:
    """Of the file of a piece, for its share of it; 0 for data sets."""
    size = float(str(piece["stamp"]).partition(" ")[0] or 0)
    return size if piece["end"] < 0 else float(piece["end"]) - float(piece["start"])
