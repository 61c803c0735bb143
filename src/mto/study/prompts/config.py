"""What the study of soft prompts can be told. Light to import: no torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from mto.config import Strict
from mto.templates.family import SOFT

BASIS = {
    "study", "vectors", "shots", "sweep_seed", "max_test", "metric", "rates", "ladder", "beside_ladder", "precision"
}  # fmt: skip


class PromptStudyConfig(Strict):
    """Soft prompts beside fine-tuning and LoRA, in three parts: encoders, tasks and shots."""

    study: Literal["prompts"] = "prompts"
    title: str = "Soft prompts"
    data: str | None = None
    """Folder of the rows, for tasks whose data are not in the package."""
    models: tuple[str, ...] = Field(min_length=1)
    """Checkpoints by name or folder. The first one is the one of the parts *encoders* and *shots*."""
    adapted: str | None = None
    """Folder of a checkpoint that was adapted with the matched objective; it takes part as one more."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Of the part *tasks*: every checkpoint, family, seed, and fine-tuning and LoRA beside."""
    sweep_tasks: tuple[str, ...] = Field(min_length=1)
    """Tasks on whose dev data rate and steps are chosen, once for each arm; also the tasks of the other two parts."""
    families: tuple[str, ...] = SOFT
    encoders: tuple[str, ...] = ("embedding", "mlp", "residual-mlp", "lstm")
    """All take part in *encoders*; the one that is best there on dev data, and `encoder`, in *tasks*."""
    encoder: str = "residual-mlp"
    """The authors' choice (docs/method.md 4)."""
    beside: tuple[Literal["finetune", "lora"], ...] = ("finetune", "lora")
    """Ways of tuning beside prompt-tuning, with the family that matching chooses."""
    vectors: PositiveInt = 20
    shots: PositiveInt = 30
    seeds: tuple[NonNegativeInt, ...] = (0, 1, 2, 3, 4)
    """Data seeds; a single number n stands for 0 to n-1."""
    sweep_seed: NonNegativeInt = 0
    max_test: PositiveInt | None = 100
    metric: str = "rouge_l"
    rates: tuple[PositiveFloat, ...] = (0.03, 0.1, 0.3)
    """The grid of soft prompts; those of fine-tuning and LoRA are the defaults of the checkpoint's kind."""
    ladder: tuple[NonNegativeInt, ...] = (25, 50, 100, 200)
    """Steps of soft prompts at which dev is measured."""
    beside_ladder: tuple[NonNegativeInt, ...] = (5, 10, 20, 40, 80)
    """The same of fine-tuning and LoRA."""
    few: tuple[PositiveInt, ...] = (5, 10, 30, 100)
    """Numbers of shots of the part *shots*; empty: no such part."""
    few_families: tuple[str, ...] = ("post-pt", "masked-post-pt")
    few_seeds: tuple[NonNegativeInt, ...] = (0, 1, 2)
    precision: Literal["fp32", "bf16"] = "fp32"

    @field_validator("seeds", "few_seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """All that take part."""
        return self.models if self.adapted is None else (*self.models, self.adapted)

    def fixed(self) -> dict[str, Any]:
        """What is studied, as the results file tells it: everything but the title, where the data lie, and an adapted checkpoint that joins later."""
        return self.model_dump(mode="json", exclude={"data", "title", "adapted"})

    def basis(self) -> dict[str, Any]:
        """What a finished cell depends on besides its arm, task and seed: while this stays, a study may grow by checkpoints, tasks, seeds or arms."""
        return self.model_dump(mode="json", include=BASIS)
