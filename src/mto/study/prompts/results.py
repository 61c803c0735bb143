"""The results file of the study of soft prompts: every score, and what was chosen before. All tables come from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from mto.config import Strict
from mto.errors import DataError
from mto.study.chosen import Chosen
from mto.study.files import StudyResults, read_study_file

Points = Annotated[float, AfterValidator(lambda value: round(value, 1) + 0.0)]
Number = Annotated[float, AfterValidator(lambda value: round(value, 4) + 0.0)]
Part = Literal["encoders", "tasks", "shots"]
Method = Literal["prompt", "finetune", "lora"]


class Arm(Strict):
    """One way of tuning on one checkpoint; `encoder` is empty but for soft prompts."""

    model: str
    method: Method
    family: str
    encoder: str = ""


class Swept(Arm):
    """Dev values of one arm on one task: ``(rate, steps, nats a byte, metric)``."""

    task: str
    points: tuple[tuple[float, int, Number, Points], ...] = Field(min_length=1)


class Settings(Arm):
    """Rate and steps of an arm, chosen once on the dev data of the sweep's tasks."""

    rate: float
    steps: int


class Scored(Arm):
    """Test scores of one cell, one a head (0 to 100), and its dev values.

    Attributes:
        trained: numbers that were trained; None: all weights.
        kept: numbers of its own that a task needs to be answered.
        seconds: of training, dev and test.
    """

    part: Part
    task: str
    seed: int
    shots: int
    rate: float
    steps: int
    scores: tuple[Points, ...] = Field(min_length=1)
    dev_nats: Number
    dev_metric: Points
    trained: int | None
    kept: int
    seconds: Number


class PromptResults(StudyResults):
    """Everything that the study found out."""

    metric: str
    best_encoder: str
    """By dev values in the part *encoders*."""
    revisions: dict[str, str]
    objectives: dict[str, dict[str, Number]]
    swept: tuple[Swept, ...]
    settings: tuple[Settings, ...]
    chosen: tuple[Chosen, ...]
    tuned: tuple[Scored, ...] = Field(min_length=1)

    def cells(self, part: Part, **wanted: Any) -> list[Scored]:
        """Cells of a part that have these values."""
        return [
            cell
            for cell in self.tuned
            if cell.part == part and all(getattr(cell, name) == value for name, value in wanted.items())
        ]

    def choice(self, model: str, task: str, seed: int) -> Chosen:
        """What matching chose. Raises `DataError` where it was not asked."""
        for one in self.chosen:
            if (one.model, one.task, one.seed) == (model, task, seed):
                return one
        raise DataError(f"matching was not asked about {task}, seed {seed}, with {model}")


def matrices(cells: list[Scored]) -> list[NDArray[np.float64]]:
    """Scores as one matrix ``[seeds, heads]`` a task, tasks and seeds in the order in which they come.

    Raises:
        DataError: a task has a seed twice.
    """
    found: dict[str, dict[int, tuple[float, ...]]] = {}
    for cell in cells:
        of = found.setdefault(cell.task, {})
        if cell.seed in of:
            raise DataError(f"{cell.task}, seed {cell.seed}, stands twice")
        of[cell.seed] = cell.scores
    return [np.array([of[seed] for seed in sorted(of)]) for _, of in sorted(found.items())]


def read_prompts(path: str | Path) -> PromptResults:
    """Read a results file. Raises `DataError` when it is none, or not whole."""
    return read_study_file(PromptResults, path, "soft prompts")
