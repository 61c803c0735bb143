"""The results file of the study over every kind of task: the score of every item, and what was chosen before. All tables come from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from mto.config import Strict
from mto.errors import DataError
from mto.pipeline.config import slug
from mto.study.chosen import Chosen
from mto.study.every_task.config import Part
from mto.study.files import StudyResults, read_study_file, write_lines

Points = Annotated[float, AfterValidator(lambda value: round(value, 1) + 0.0)]
Number = Annotated[float, AfterValidator(lambda value: round(value, 4) + 0.0)]
Method = Literal["finetune", "prompt"]
Marks = Annotated[str, Field(pattern="^[01]+$")]
"""Right (1) or wrong (0), an item a digit."""
Hundredths = tuple[Annotated[int, Field(ge=0)], ...]
Matrix = NDArray[np.float64]


class Facts(Strict):
    """A task as it was tested.

    Attributes:
        metric: its first metric, by which settings are chosen and families compared.
        items: test items.
        chance: points of guessing (one over the number of options, mean over items); None where a task has no options.
    """

    name: str
    kind: str
    metric: str
    shots: int
    items: int
    chance: Number | None = None


class Arm(Strict):
    """One template family on one checkpoint and task, tuned in one way."""

    model: str
    method: Method
    family: str
    task: str

    @property
    def step(self) -> str:
        """Its place among the steps of the study's folder."""
        return f"{slug(self.model)}/{self.method}/{slug(self.family)}/{slug(self.task)}"


class Swept(Arm):
    """Dev values ``(rate, steps, nats a byte, first metric)`` of one seed, and the rate and steps that were chosen by them."""

    points: tuple[tuple[float, int, Number, Points], ...] = Field(min_length=1)
    rate: float
    steps: int
    seconds: Number = 0.0


class Measured(Strict):
    """What a checkpoint says about the test items of a task.

    Attributes:
        scores: by the first metric: marks, or points where it is no matter of right or wrong.
        written: whether what was written is the right option; None where a task has no options.
        bits: bits a byte of the right answer (of several words of a label the likeliest, of several references the first), in hundredths.
        doubt: bits of the right option among the options, in hundredths: what is comparable where families write it in other words.
        measures: of all items together: macro F1, near misses and answers that are no option in percent, BLEU and chrF.
    """

    scores: Marks | tuple[Points, ...]
    written: Marks | None = None
    bits: Hundredths
    doubt: Hundredths | None = None
    measures: dict[str, Number] = {}
    seconds: Number

    @property
    def points(self) -> Matrix:
        """Points of each item, 0 to 100."""
        return unpack(self.scores)


class Untuned(Measured):
    """A checkpoint before any tuning; the test items are the same for all seeds."""

    model: str
    family: str
    task: str


class Tuned(Measured, Arm):
    """One cell: a family tuned on the rows of one seed. Dev values are bits a byte of the right answer and the first metric."""

    seed: int
    rate: float
    steps: int
    dev_bits: Number
    dev_metric: Points
    dev_bits_before: Number | None = None


class Best(Strict):
    """The best families of a task by dev data of the part *families*, mean over seeds, the best first, and what stands for each with soft
    prompts."""

    task: str
    families: tuple[str, ...]
    soft: tuple[str, ...]


class Baseline(Strict):
    """What copying labelled rows scores: no model is asked."""

    name: str
    task: str
    seed: int
    scores: Marks | tuple[Points, ...]


class EveryTaskResults(StudyResults):
    """Everything that the study found out."""

    parts: tuple[Part, ...]
    revisions: dict[str, str]
    objectives: dict[str, dict[str, Number]]
    tasks: tuple[Facts, ...] = Field(min_length=1)
    best: tuple[Best, ...]
    swept: tuple[Swept, ...]
    chosen: tuple[Chosen, ...]
    baselines: tuple[Baseline, ...]
    untuned: tuple[Untuned, ...]
    tuned: tuple[Tuned, ...] = Field(min_length=1)

    def cells(self, **wanted: Any) -> list[Tuned]:
        """Cells that have these values."""
        return [
            cell for cell in self.tuned if all(getattr(cell, name) == value for name, value in wanted.items())
        ]

    def facts(self, task: str) -> Facts:
        """What a task is. Raises `DataError` where it is not in the study."""
        for one in self.tasks:
            if one.name == task:
                return one
        raise DataError(f"'{task}' is no task of this study")

    def choice(self, model: str, task: str, seed: int) -> Chosen | None:
        """What matching chose; None where it was not asked."""
        return next((c for c in self.chosen if (c.model, c.task, c.seed) == (model, task, seed)), None)

    def best_of(self, task: str, method: Method = "finetune") -> tuple[str, ...]:
        """The best families of a task by dev data."""
        found = next((one for one in self.best if one.task == task), None)
        return () if found is None else found.soft if method == "prompt" else found.families

    def before(self, model: str, family: str, task: str) -> Untuned | None:
        """The checkpoint before tuning under a family; None where it was not measured."""
        return next(
            (u for u in self.untuned if (u.model, u.family, u.task) == (model, family, task)), None
        )  # fmt: skip

    def write(self, path: str | Path) -> Path:
        """Write the file, one cell a line."""
        whole = self.model_dump(mode="json")
        for key, value in whole.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                whole[key] = [{k: v for k, v in one.items() if v is not None} for one in value]
        return write_lines(path, whole)


def unpack(scores: str | tuple[float, ...]) -> Matrix:
    """Points of each item, from marks or points.

    >>> unpack("0110").tolist()
    [0.0, 100.0, 100.0, 0.0]
    """
    return np.array(
        [100.0 * int(mark) for mark in scores] if isinstance(scores, str) else scores, dtype=np.float64
    )


def pack(points: Iterable[float]) -> str:
    """Marks of points that are 0 or 100.

    >>> pack([0.0, 100.0])
    '01'
    """
    return "".join("1" if value > 0 else "0" for value in points)


def read_every_task(path: str | Path) -> EveryTaskResults:
    """Read a results file. Raises `DataError` when it is none, or not whole."""
    return read_study_file(EveryTaskResults, path, "every kind of task")
