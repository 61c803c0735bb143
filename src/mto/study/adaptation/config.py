"""What the study of adaptation can be told. Light to import: no torch here."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from mto.config import Strict
from mto.prepare.pairs import PairSet
from mto.templates.family import BASIC

NONE = "none"
"""The name of the checkpoint as it is, among the adapted ones."""
ALIGNED = {"denoising": "masked-prompting", "lm": "prompting"}
"""The family that looks like an objective (docs/method.md 1)."""


class Arm(Strict):
    """One adapted checkpoint, shared by all tasks.

    Attributes:
        objective: of its training.
        set: the task-related pairs, or a control.
        pairs: the preparation that they come from.
        families: that are tuned on it; None: all.
        everywhere: whether it is also tuned with the family that matching decided on, on the tasks outside of the matrix.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    objective: Literal["denoising", "lm", "mixed"]
    set: PairSet = "task"
    pairs: str = "all"
    families: tuple[str, ...] | None = Field(default=None, min_length=1)
    everywhere: bool = False


class AdaptationStudyConfig(Strict):
    """Checkpoints adapted in several ways, each tuned with every family; beside the checkpoint as it is, from the study of matching."""

    study: Literal["adaptation"] = "adaptation"
    title: str = "Adaptation"
    matching: str
    """Results file of the study of matching: scores of the checkpoint as it is, and what matching decided before."""
    splitter: str | None = None
    """Results file of the study of the splitters, for the page."""
    model: str = "mini"
    tasks: tuple[str, ...] = Field(min_length=1)
    matrix: tuple[str, ...] = Field(min_length=1)
    """Tasks on which every arm meets every family."""
    data: str | None = None
    """Folder of the rows, for tasks whose data are not in the package."""
    pairs: dict[str, tuple[str, ...]] = Field(min_length=1)
    """Preparations by name, each from its own files of raw text."""
    prepare: dict[str, Any] = Field(default_factory=dict)
    """Settings of `mto prepare`, the same for all."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    adapt: dict[str, Any] = Field(default_factory=dict)
    """Settings of `mto adapt`, the same for all."""
    families: tuple[str, ...] = BASIC
    shots: PositiveInt = 30
    seeds: tuple[NonNegativeInt, ...] = (0, 1, 2, 3, 4)
    """Data seeds; a single number n stands for 0 to n-1."""
    max_test: PositiveInt | None = 100
    metric: str = "rouge_l"
    sweep_tasks: tuple[str, ...] = Field(min_length=1)
    """Tasks on whose dev data rate and steps are chosen, once for each arm and family."""
    sweep_seeds: tuple[NonNegativeInt, ...] = (0,)
    rates: tuple[float, ...] | None = None
    ladder: tuple[NonNegativeInt, ...] = (0, 5, 10, 20, 40, 80)
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: PositiveInt | None = None

    @field_validator("seeds", "sweep_seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [arm.name for arm in self.arms]
        if NONE in names or len(set(names)) < len(names):
            raise ValueError(f"names of arms must differ from each other and from '{NONE}'")
        for arm in self.arms:
            if arm.pairs not in self.pairs:
                raise ValueError(
                    f"arm {arm.name} asks for pairs '{arm.pairs}', of which nothing is said under pairs"
                )
            if unknown := sorted(set(arm.families or ()) - set(self.families)):
                raise ValueError(f"arm {arm.name} asks for '{unknown[0]}', which is not among the families")
        if outside := sorted(set(self.matrix) - set(self.tasks)):
            raise ValueError(f"'{outside[0]}' is in the matrix, but not among the tasks")
        return self

    def fixed(self) -> dict[str, Any]:
        """What makes two studies the same: everything but where the data lie, how the work is shared out, and what is only shown."""
        return self.model_dump(
            mode="json", exclude={"data", "workers", "title", "matching", "splitter", "arms"}
        )

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return next(arm for arm in self.arms if arm.name == name)
