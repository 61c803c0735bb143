"""What a tuning can be told. Light to import: no torch here."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from mto.config import Strict
from mto.errors import TemplateError
from mto.templates.family import CHOICE_SOFT, SOFT, TemplateFamily

Method = Literal["finetune", "prompt", "lora"]


class PromptOptions(Strict):
    """Prompt-tuning: what is trained. Several numbers of vectors or encoders are tried one by one, and dev chooses."""

    vectors: tuple[PositiveInt, ...] | None = Field(default=None, min_length=1)
    """Vectors of every soft prompt of the template; None: as the template says."""
    encoders: tuple[str, ...] = Field(default=("residual-mlp",), min_length=1)
    """Names of prompt encoders: embedding, mlp, residual-mlp, lstm."""
    init: Literal["vocabulary", "random", "phrase", "answers"] = "vocabulary"
    """What vectors begin as: frequent words, noise, the words of the phrase, or the training answers."""
    text: str | None = None
    """Words that vectors begin as, in place of `init`."""
    start: str | None = None
    """Folder of a saved prompt, or of a model tuned by its prompt, whose vectors of the same names are gone on from."""

    @field_validator("vectors", "encoders")
    @classmethod
    def _no_double(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if values is not None and len(set(values)) < len(values):
            raise ValueError("a value stands twice")
        return values


class LoraSettings(Strict):
    """Low-rank updates (Hu et al. 2021) in place of all weights, by the library PEFT (``pip install 'mto[peft]'``)."""

    rank: PositiveInt = 16
    alpha: PositiveFloat | None = None
    """The update is scaled by alpha / rank; None: twice the rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Names of the layers that get an update; None: queries and values of every attention, as PEFT knows them."""


class TuneConfig(Strict):
    """One sweep, the same for every template family. None: as the table in `mto.tune.defaults` says."""

    method: Method = "finetune"
    """All weights, a soft prompt of the frozen model, or low-rank updates (``lora``)."""
    prompt: PromptOptions | None = None
    """For method ``prompt``; None: its defaults."""
    lora: LoraSettings | None = None
    """For method ``lora``; None: its defaults."""
    optimizer: Literal["adamw", "adafactor"] | None = None
    rates: tuple[PositiveFloat, ...] | None = Field(default=None, min_length=1)
    """The grid of constant learning rates, ascending."""
    ladder: tuple[NonNegativeInt, ...] | None = Field(default=None, min_length=1)
    """Steps after which dev is measured, ascending; 0 is the untuned model."""
    batch_rows: PositiveInt | None = None
    """Labelled rows a step."""
    select: Literal["both", "likelihood", "metric"] = "both"
    """What chooses on dev: mean rank by both, or one alone."""
    extend: bool = True
    """Whether a best rate at the edge of the grid extends the grid (at most twice a side)."""
    metric: str = "rouge_l"
    """The metric that is looked at on dev."""
    max_source: PositiveInt | None = None
    """Most source ids; longer sources lose words of their longest field."""
    max_new_tokens: PositiveInt | None = None
    """None: the longest few-shot target and 4 more (a number of the table with no shots)."""
    beams: PositiveInt = 1
    dropout: float | None = Field(default=None, ge=0.0, lt=1.0)
    """None: as the model's config says."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Number format of training and evaluation; weights are fp32 in both."""
    seed: NonNegativeInt = 0
    """The model's seed: order of batches, dropout. The data seed belongs to the split."""

    @field_validator("rates", "ladder")
    @classmethod
    def _ascending(cls, values: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if values is not None and any(b <= a for a, b in pairwise(values)):
            raise ValueError("must ascend, and no value may stand twice")
        return values

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        if self.prompt is not None and self.method != "prompt":
            raise ValueError("options of prompt-tuning belong to method 'prompt'")
        if self.lora is not None and self.method != "lora":
            raise ValueError("options of low-rank updates belong to method 'lora'")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A fine-tuning is written as it was before there was anything else, so that its results keep their keys.
        others = ("prompt", "lora")
        return {name: value for name, value in write(self).items() if name not in others or value is not None}

    def resolve(self, kind: str) -> Settled:
        """This configuration with every None filled in for a family kind, such as ``t5``."""
        from mto.tune.defaults import defaults_for

        table = {name: default.value for name, default in defaults_for(kind, self.method).items()}
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        room = table.pop("zero_shot_tokens")
        if self.method != "finetune":
            given.setdefault(self.method, {})
        return Settled(**{**table, **given}, zero_shot_tokens=room)


class Settled(TuneConfig):
    """A configuration in which nothing is left open; made by `TuneConfig.resolve`."""

    optimizer: Literal["adamw", "adafactor"]
    rates: tuple[PositiveFloat, ...]
    ladder: tuple[NonNegativeInt, ...]
    batch_rows: PositiveInt
    max_source: PositiveInt
    zero_shot_tokens: PositiveInt

    def resolve(self, kind: str) -> Self:
        """Itself."""
        return self


def check_method(family: TemplateFamily, method: str, *, kind: str = "completion") -> None:
    """Refuse a family that a method of tuning cannot use.

    Raises:
        TemplateError: it holds soft prompts, which fine-tuning has no vectors for, or it holds none, and prompt-tuning has
            nothing to train.
    """
    if method == "prompt" and not family.soft:
        raise TemplateError(
            f"the family '{family.name}' holds no soft prompt, so prompt-tuning has nothing to train",
            where=family.origin or None,
            hint="choose one of: "
            + ", ".join((SOFT[0], *CHOICE_SOFT) if kind == "multiple-choice" else SOFT),
        )
    if method != "prompt" and family.soft:
        raise TemplateError(
            f"the family '{family.name}' holds soft prompts, and fine-tuning has no vectors for them",
            where=family.origin or None,
            hint="tune with method 'prompt', or choose a family without them, such as 'masked-prompting'",
        )
