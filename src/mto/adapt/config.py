"""What `mto adapt` can be told. Light to import: no torch here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from mto.config import Strict
from mto.prepare.pairs import Objective, PairSet
from mto.tune.config import LoraSettings

ObjectiveName = Literal["auto", "denoising", "lm", "mixed", "spans", "prefixes", "ul2"]
ON_SENTENCES = ("spans", "prefixes", "ul2")
"""Objectives that read the raw sentences of the pairs and draw what is hidden anew in every epoch."""
T5 = (0.15, 3.0)
"""Density and mean span of T5's pre-training (Raffel et al. 2020), where no match file proposes others."""
RATES = {"full": 1e-4, "lora": 1e-3}
"""Peak rates: the authors' (docs/method.md 7); LoRA's matrices start from zero and take a tenfold (docs/adaptation.md)."""


PLACES = ("model", "pairs", "match", "replay", "retention", "device", "licence")
"""Settings that make no other run: where things lie, and what the card says. What the files hold does."""


class AdaptSettings(Strict):
    """How a checkpoint is adapted, whatever the checkpoint and the pairs are."""

    objective: ObjectiveName = "auto"
    """``denoising``, ``lm`` or ``mixed`` train the pairs; ``auto`` takes that of `match`, else the router's vote for each task.
    ``spans`` (random spans), ``prefixes`` (prefix LM) and ``ul2`` (short spans, long spans and prefixes) read whole sentences."""
    mix: float | None = Field(default=None, gt=0, lt=1)
    """Share of the pairs that ``mixed`` trains as denoising; None: the router's choice for each pair."""
    density: float | None = Field(default=None, gt=0, lt=1)
    """Share of tokens hidden by ``spans`` and ``ul2``; None: as the match files propose, else 0.15."""
    mean_span: float | None = Field(default=None, ge=1, allow_inf_nan=False)
    """Tokens of a hidden span; None: as the match files propose, else 3."""
    limit: PositiveInt | None = None
    """Most pairs, drawn by `seed`; None: all."""
    max_tokens: PositiveInt = 128
    """Longest source and longest target; longer pairs are left out and counted."""
    replay: tuple[Path, ...] = ()
    """Files of general text (``.txt``, ``.gz``, ``.xz``; a sentence a line) that are read in between, against forgetting."""
    replay_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of general sentences among all that an epoch reads, where `replay` is given."""
    held_out: float = Field(default=0.05, gt=0, lt=0.5)
    """Share of the sentences whose pairs are kept for measuring (at most `held_out_most`)."""
    held_out_most: PositiveInt = 500
    retention: Path | None = None
    """General held-out sentences, one a line; None: ``held-out.txt`` of the prepared folder, where there is one."""
    retention_texts: PositiveInt = 300
    epochs: PositiveInt = 3
    batch_tokens: PositiveInt = 512
    """Source and target tokens of a batch, pads included: some 20 pairs of one sentence. A step reads `accumulate` batches."""
    accumulate: PositiveInt = 1
    optimizer: Literal["adafactor", "adamw", "muon"] = "adafactor"
    """The authors' choice; AdamW at the same rate learns and forgets alike (docs/adaptation.md)."""
    rate: PositiveFloat | None = None
    """Peak rate; None: 1e-4, with LoRA 1e-3."""
    schedule: Literal["constant", "cosine", "wsd"] = "cosine"
    """``wsd`` stays at the peak and falls in the last fifth."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps with a rising rate."""
    weight_decay: NonNegativeFloat = 0.0
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """None: as the model's config says."""
    evaluations: PositiveInt = 1
    """How often an epoch is measured."""
    patience: PositiveInt | None = 2
    """Stop after so many measurements without a better held-out loss; None: never."""
    keep_best: bool = True
    """End with the weights of the best measurement; it may be the one before the first step."""
    lora: LoraSettings | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the checkpoint that is written."""
    checkpoint_every: PositiveInt = 500
    """Steps between two checkpoints of the training."""
    seed: NonNegativeInt = 0
    """Of what is held out, drawn, masked and dropped."""
    licence: str = "see the sources of the text"
    """Of the adapted checkpoint, for its card."""

    @field_validator("replay", mode="before")
    @classmethod
    def _one_file(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str | Path) else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mix is not None and self.objective != "mixed":
            raise ValueError(f"mix belongs to objective 'mixed', not to '{self.objective}'")
        for name in ("density", "mean_span"):
            if getattr(self, name) is not None and self.objective not in ("spans", "ul2"):
                raise ValueError(
                    f"{name} belongs to the objectives 'spans' and 'ul2', not to '{self.objective}'"
                )
        if self.batch_tokens < 2 * self.max_tokens:
            raise ValueError(
                f"batch_tokens ({self.batch_tokens}) has no room for a pair of twice max_tokens ({self.max_tokens})"
            )
        return self

    @property
    def peak_rate(self) -> float:
        """The rate that is used.

        >>> AdaptSettings(lora={"rank": 4}).peak_rate
        0.001
        """
        return self.rate or RATES["full" if self.lora is None else "lora"]


class AdaptConfig(AdaptSettings):
    """One adaptation: which checkpoint, which pairs, which objective, how long."""

    model: str = "mini"
    """Embedded name, folder or hub name."""
    pairs: Path
    """Folder that `mto prepare` made."""
    set: PairSet = "task"
    """The task-related pairs, or one of the controls."""
    tasks: tuple[str, ...] = ()
    """Only the pairs of these tasks (and general ones); none: of all."""
    match: tuple[Path, ...] = ()
    """Answers of `mto match` for ``auto``, density and mean span. One alone speaks for all pairs, several each for its task."""
    by_task: dict[str, Objective] = Field(default_factory=dict)
    """Objective of single tasks for ``auto``, where it is known; neither `match` nor the router is asked for these."""
    device: str = "auto"

    @field_validator("tasks", "match", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str | Path) else value

    @model_validator(mode="after")
    def _for_auto(self) -> Self:
        if self.by_task and self.objective != "auto":
            raise ValueError(f"by_task belongs to objective 'auto', not to '{self.objective}'")
        return self

    def fixed(self, places: Collection[str]) -> dict[str, Any]:
        """The settings without `places`. What nobody asked for is left out, so that adaptations from before there was such a setting
        stay the same."""
        values = self.model_dump(mode="json", exclude={*places})
        return {k: v for k, v in values.items() if k not in ("tasks", "by_task") or v}
