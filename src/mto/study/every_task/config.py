"""What the study over every kind of task can be told. Light to import: no torch here."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from mto.config import Strict

Part = Literal["families", "others", "soft"]
BASIS = {
    "study", "sweep_seed", "max_test", "rates", "ladder", "soft_rates", "soft_ladder", "vectors", "encoder", "precision"
}  # fmt: skip


class EveryTaskConfig(Strict):
    """Template families on tasks of every kind, in three parts: families, others and soft."""

    study: Literal["every"] = "every"
    title: str = "Every kind of task"
    data: str | None = None
    """Folder in which each task has a folder of its own; None: the tasks know where their rows are."""
    folders: dict[str, str] = {}
    """Folder of a task below `data`, where it is not called as the task is."""
    models: tuple[str, ...] = Field(min_length=1)
    """Checkpoints by name or folder; the first one is that of the part *families*."""
    adapted: str | None = None
    """Folder of an adapted checkpoint, which takes part as one more."""
    tasks: tuple[str, ...] = Field(min_length=1)
    parts: tuple[Part, ...] = Field(default=("families", "others", "soft"), min_length=1)
    """*families*: all of them on the first checkpoint. *others*: the conventional one, the one that matching chooses, and the best ones by
    dev data of *families*, on all checkpoints. *soft*: what stands for these with soft prompts, on `soft_models`."""
    tasks_of: dict[Part, tuple[str, ...]] = {}
    """Tasks of a part that takes only some, so that a large study can be done in stages."""
    families: tuple[str, ...] | None = None
    """None: all of each kind of task, as ``mto run --families all`` has them."""
    best: NonNegativeInt = 2
    """So many of the best families by dev data go on from *families*."""
    soft_models: tuple[str, ...] | None = None
    """Checkpoints of the part *soft*; None: the first."""
    shots: PositiveInt = 30
    shots_of: dict[str, PositiveInt] = {}
    """Shots of small tasks."""
    seeds: tuple[NonNegativeInt, ...] = (0, 1, 2, 3, 4)
    """Data seeds; a single number n stands for 0 to n-1."""
    sweep_seed: NonNegativeInt = 0
    """Rate and steps of each checkpoint, family and task are chosen on the dev rows of this seed, and hold for all."""
    max_test: PositiveInt | None = 200
    rates: tuple[PositiveFloat, ...] | None = None
    """Of fine-tuning; None: the defaults of the checkpoint's kind."""
    ladder: tuple[NonNegativeInt, ...] = (0, 5, 10, 20, 40, 80)
    """Steps of fine-tuning at which dev is measured; 0 is no tuning."""
    soft_rates: tuple[PositiveFloat, ...] = (0.03, 0.1, 0.3, 1.0)
    soft_ladder: tuple[PositiveInt, ...] = (25, 50, 100)
    vectors: PositiveInt = 20
    encoder: str = "residual-mlp"
    precision: Literal["fp32", "bf16"] = "fp32"

    @field_validator("seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _tasks_of(self) -> EveryTaskConfig:
        unknown = [name for names in self.tasks_of.values() for name in names if name not in self.tasks]
        if unknown:
            raise ValueError(f"tasks_of names '{unknown[0]}', which is not among the tasks of the study")
        return self

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """All that may take part."""
        return self.models if self.adapted is None else (*self.models, self.adapted)

    def models_of(self, part: Part) -> tuple[str, ...]:
        """The checkpoints of a part."""
        if part == "families":
            return self.models[:1]
        return self.checkpoints if part == "others" else self.soft_models or self.models[:1]

    def tasks_for(self, part: Part) -> tuple[str, ...]:
        """The tasks of a part, in the order of the study."""
        wanted = self.tasks_of.get(part, self.tasks)
        return tuple(name for name in self.tasks if name in wanted)

    def shots_for(self, task: str) -> int:
        """Labelled rows of a task."""
        return self.shots_of.get(task, self.shots)

    def data_of(self, task: str) -> str | None:
        """Where the rows of a task are.

        >>> config = EveryTaskConfig(models=("mini",), tasks=("snli", "cb"), data="data", folders={"snli": "snli_small"})
        >>> config.data_of("snli"), config.data_of("cb")
        ('data/snli_small', 'data/cb')
        """
        return None if self.data is None else str(PurePosixPath(self.data) / self.folders.get(task, task))

    def fixed(self) -> dict[str, Any]:
        """What is studied, as the results file tells it."""
        return self.model_dump(mode="json", exclude={"data", "folders", "title", "adapted"})

    def basis(self) -> dict[str, Any]:
        """What a finished cell depends on besides its arm, task, shots and seed: while this stays, a study may grow by tasks, checkpoints,
        families, seeds or parts."""
        return self.model_dump(mode="json", include=BASIS)
