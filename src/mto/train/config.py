"""What a training can be told. Light to import: no torch here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from mto.config import Strict
from mto.errors import ConfigError


class TrainConfig(Strict):
    """One training. Budgets count steps; a step is one update of the weights.

    A step reads ``accumulate`` batches a process, and its gradient is the mean over *all* target tokens of
    all those batches (not the mean of means).
    """

    steps: PositiveInt
    """Updates in all, also after a resume."""
    optimizer: Literal["adamw", "adafactor", "muon"] = "adamw"
    rate: PositiveFloat = 1e-4
    """Peak learning rate (of AdamW for what Muon does not take)."""
    muon_rate: PositiveFloat | None = None
    """Muon's own rate for the hidden matrices; None: the same as ``rate``."""
    scale_by_rms: bool = False
    """AdamW only: scale the rate of each matrix by its RMS (at least 1e-3), as nanoT5 found T5 to need."""
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled; on matrices only (no bias, norm or scalar)."""
    schedule: Literal["constant", "cosine", "wsd"] = "constant"
    warmup: NonNegativeInt = 0
    """Steps of linear warm-up."""
    decay: NonNegativeInt = 0
    """Steps of linear cool-down at the end (``wsd`` only)."""
    floor: NonNegativeFloat = Field(default=0.0, le=1.0)
    """Share of the peak rate at the very end of ``cosine`` and ``wsd``."""
    clip: PositiveFloat | None = 1.0
    """Largest L2 norm of the gradient; None: do not clip."""
    accumulate: PositiveInt = 1
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    force_fp16: bool = False
    """fp16 overflows in T5; say so explicitly if you want it all the same."""
    compile: bool = False
    """torch.compile the encoder and decoder; pays only when the batches have few shapes."""
    attention: Literal["auto", "lean", "eager", "sdpa", "model"] = "auto"
    """How attention is computed while training; ``auto``: ``lean`` on a CPU, else as the model is set ("model")."""
    quick_dropout: bool = True
    """On a CPU, draw dropout masks a byte an element (rates are rounded to 256ths), which is six times as fast."""
    device: str = "auto"
    """"auto" takes a GPU if there is one; "cpu" and "cuda" insist."""
    dropout: float | None = Field(default=None, ge=0.0, lt=1.0)
    """None: as the model's config says; a number replaces every dropout of the model during the training."""
    reuse_memory: bool = True
    """Keep freed memory inside the process (glibc only): page faults cost up to a quarter of a step on a CPU."""
    seed: NonNegativeInt = 0
    """Seed of the model's random stream (dropout). Data and masking have their own, in the batch source."""
    evaluate_every: PositiveInt | None = None
    patience: PositiveInt | None = None
    """Stop after so many evaluations without a better ``watch``."""
    watch: str = "loss"
    """The value of ``evaluate`` that early stopping and ``keep_best`` look at."""
    watch_mode: Literal["min", "max"] = "min"
    keep_best: bool = False
    """End with the weights of the best evaluation instead of the last ones."""
    report_every: PositiveInt = 10
    """Steps between two calls of ``on_step`` of the callbacks."""
    checkpoint_every: PositiveInt | None = None
    """Steps between two checkpoints; one is also written at the end and on an interruption."""
    keep: PositiveInt = 2
    """Checkpoints kept; two or more, so that a damaged one costs little."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.schedule == "wsd" and self.warmup + self.decay > self.steps:
            raise ValueError(
                f"warmup ({self.warmup}) and decay ({self.decay}) together exceed steps ({self.steps})"
            )
        if self.schedule != "wsd" and self.decay:
            raise ValueError(f"decay belongs to schedule 'wsd', not to '{self.schedule}'")
        if self.schedule == "cosine" and self.warmup > self.steps:
            raise ValueError(f"warmup ({self.warmup}) exceeds steps ({self.steps})")
        if self.scale_by_rms and self.optimizer != "adamw":
            raise ValueError("scale_by_rms belongs to optimizer 'adamw' (Adafactor scales by itself)")
        if self.muon_rate is not None and self.optimizer != "muon":
            raise ValueError("muon_rate belongs to optimizer 'muon'")
        return self

    def shared_by(self, processes: int) -> Self:
        """The settings of one of several processes: each reads its part of the batches of a step.

        Raises:
            ConfigError: ``accumulate`` is no multiple of the number of processes.
        """
        if self.accumulate % processes:
            raise ConfigError(
                f"train.accumulate: {self.accumulate} batches a step cannot be shared out among {processes} processes",
                hint=f"use a number of processes that divides {self.accumulate}, or a multiple of {processes} as accumulate",
            )
        return self.model_copy(update={"accumulate": self.accumulate // processes})
