"""`WholeResults`: everything that a whole run found out, as one strict, versioned file. Tables, plots and pages are made from it alone.

A *system* is a checkpoint with a template family a task: Mapping without adaptation, the aligned family with adaptation, and so on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from mto.config import Strict
from mto.errors import DataError, MtoError
from mto.prepare.prepared import Prepared
from mto.report.results import (
    RESULTS,
    Baseline,
    Cell,
    FamilyInfo,
    MatchInfo,
    ModelInfo,
    Number,
    Rate,
    Seconds,
    Shown,
    TaskInfo,
    dump_lines,
    problems,
)
from mto.runs import read_json, write_text

KIND = "whole"
SystemKey = Literal[
    "conventional", "prompting", "aligned", "adapted", "random-spans", "wrong-objective", "general"
]
SYSTEMS: dict[SystemKey, str] = {
    "conventional": "Mapping (conventional)",
    "prompting": "Prompting",
    "aligned": "aligned, not adapted",
    "adapted": "aligned and adapted",
    "random-spans": "control: random spans",
    "wrong-objective": "control: wrong objective",
    "general": "control: unselected text",
}
"""Every system and what it is called, in the order of tables."""
SHORT: dict[str, str] = {
    "conventional": "Mapping", "prompting": "Prompting", "aligned": "aligned", "adapted": "adapted", "random-spans": "random spans",
    "wrong-objective": "wrong objective", "general": "unselected text",
}  # fmt: skip
"""The same for plots."""


class _OfSystem(Strict):
    system: SystemKey


class SystemCell(Cell, _OfSystem):  # in this order the system stands first in the file
    """What one system scored on the test heads of one task with the split of one seed: a cell of its comparison."""

    rate: Rate | None = None
    """Of the chosen point of the sweep, with `steps`; None under cross-validation, which has one a fold."""
    steps: int | None = None


class AlignedInfo(Strict):
    """What "aligned" means for a task: its template family and the objective of its adaptation, and what decided."""

    task: str
    family: str
    objective: Literal["denoising", "lm"] | None
    reason: str
    by: Literal["match", "dev", "asked"]


class AdaptationInfo(Strict):
    """One adaptation: what it read, and what it did to the losses (nats a token, and bits a byte where the name says so)."""

    system: SystemKey
    tasks: tuple[str, ...]
    set: str
    objective: str
    """As asked for; `objectives` are the shares of the tokens that each really had."""
    objectives: dict[str, Number]
    reasons: dict[str, str]
    counts: dict[str, int]
    steps: int
    kept_step: int
    """The step whose weights were kept; 0: the checkpoint as it was."""
    tokens: int
    stopped_because: str
    watched: str
    """The loss that decides when to stop."""
    before: dict[str, Number]
    after: dict[str, Number]
    precision: str = ""
    seconds: Seconds = 0.0
    revision: str = ""
    """Of the adapted weights."""


class StageInfo(Strict):
    """One stage of the run: its folder, and the time that it took."""

    name: str
    folder: str
    seconds: Seconds = 0.0


class WholeResults(Strict):
    """All results of one whole run."""

    format: Literal[1] = 1
    kind: Literal["whole"] = "whole"
    title: str
    command: str
    environment: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    """How tuning was done, the same for every system."""
    config: dict[str, Any] = {}
    """What was asked for, with the settings of preparation and adaptation; no paths of data."""
    model: ModelInfo
    shots: int
    seeds: tuple[int, ...] = Field(min_length=1)
    metric: str = "rouge_l"
    ranking: str = "sum"
    """As in `Comparison`."""
    signatures: dict[str, str] = {}
    tasks: tuple[TaskInfo, ...] = Field(min_length=1)
    families: tuple[FamilyInfo, ...] = ()
    systems: tuple[SystemKey, ...] = Field(min_length=1)
    aligned: tuple[AlignedInfo, ...]
    prepared: Prepared
    pairs: dict[str, int]
    """Task to its pairs."""
    stages: tuple[StageInfo, ...] = ()
    adaptations: tuple[AdaptationInfo, ...] = ()
    matches: tuple[MatchInfo, ...] = ()
    cells: tuple[SystemCell, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    shown: tuple[Shown, ...] = ()
    """Examples of the first seed; predictions and scores by system."""

    @model_validator(mode="after")
    def _consistent(self) -> WholeResults:
        heads = {task.name: len(task.test_heads) for task in self.tasks}
        seen: set[tuple[object, ...]] = set()
        for cell in self.cells:
            key = (cell.system, cell.task, cell.seed, cell.stage)
            if cell.task not in heads or cell.seed not in self.seeds or cell.system not in self.systems:
                raise ValueError(f"cell of an unknown task, seed or system: {key}")
            if key in seen:
                raise ValueError(f"cell stands twice: {key}")
            seen.add(key)
            if self.metric not in cell.scores:
                raise ValueError(f"cell {key} has no {self.metric}")
            if any(len(values) != heads[cell.task] for values in cell.scores.values()):
                raise ValueError(f"cell {key} has not one score for each of {heads[cell.task]} heads")
        missing = [
            f"{system}, {task}, seed {seed}"
            for system in self.systems
            for task in heads
            for seed in self.seeds
            if (system, task, seed, "tuned") not in seen
        ]
        if missing:
            raise ValueError(f"cells are missing: {'; '.join(missing[:5])}")
        if {one.task for one in self.aligned} != set(heads):
            raise ValueError("not every task has its aligned family")
        return self

    @property
    def hours(self) -> float:
        """Of all stages."""
        return sum(stage.seconds for stage in self.stages) / 3600


def write_whole_results(results: WholeResults, path: str | Path) -> Path:
    """Write the file atomically, one entry a line; equal results give equal bytes.

    Raises:
        RunError: the disk is full, or the path cannot be written.
    """
    return write_text(path, dump_lines(results, {"format": results.format, "kind": results.kind}))


def is_whole_results(path: str | Path) -> bool:
    """Whether a results file, or the one of a run folder, is that of a whole run; False where it cannot be read."""
    path = Path(path)
    file = path / RESULTS if path.is_dir() else path
    try:
        data = read_json(file) if file.is_file() else None
    except MtoError:
        return False
    return isinstance(data, dict) and data.get("kind") == KIND


def read_whole_results(path: str | Path) -> WholeResults:
    """Read a results file, or the ``results.json`` of a run folder.

    Raises:
        RunError: no such file, or not JSON.
        DataError: not a results file of a whole run; the first problems, each with its path in the file.
    """
    path = Path(path)
    file = path / RESULTS if path.is_dir() else path
    data = read_json(file)
    if not isinstance(data, dict) or (data.get("format"), data.get("kind")) != (1, KIND):
        raise DataError(
            "is no results file of a whole run",
            where=str(file),
            hint="give the folder of mto run with --corpus",
        )
    try:
        return WholeResults.model_validate(data)
    except ValidationError as error:
        hint = "make the file again; do not edit it by hand"
        raise DataError(problems(error), where=str(file), hint=hint) from None
