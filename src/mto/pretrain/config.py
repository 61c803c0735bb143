"""What `mto pretrain` can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from mto.config import Strict
from mto.objectives.config import ObjectiveConfig
from mto.train.config import TrainConfig


class EncoderStart(Strict):
    """Start from a BERT-like encoder (Rothe et al. 2020)."""

    kind: Literal["encoder"] = "encoder"
    encoder: str
    """A folder or hub name, or ``package:NAME`` for a model inside an installed Python package."""
    decoder_layers: tuple[NonNegativeInt, ...]
    """For each decoder layer, the encoder layer that it starts from."""
    vocabulary: PositiveInt = 16384
    """Rows of the cut vocabulary, sentinels included."""
    sentinels: PositiveInt = 100
    noise: float = Field(0.5, ge=0)
    """Spread of the sentinels' rows around the mask's row, as a share of the embedding's own spread."""


class ScratchStart(Strict):
    """Start from random weights in T5 v1.1 shape, with a new Unigram tokenizer."""

    kind: Literal["scratch"] = "scratch"
    vocabulary: PositiveInt = 8192
    sentinels: PositiveInt = 100
    width: PositiveInt = 256
    feed_forward: PositiveInt = 640
    head_width: PositiveInt = 64
    heads: PositiveInt = 6
    layers: PositiveInt = 6
    decoder_layers: PositiveInt = 4


class CheckpointStart(Strict):
    """Go on from the weights of a checkpoint (its own tokenizer, a fresh optimiser)."""

    kind: Literal["checkpoint"] = "checkpoint"
    checkpoint: str
    """An embedded name, a folder or a hub name; a relative folder is looked for beside the run folder."""


class TextConfig(Strict):
    """One group of text files with one weight."""

    files: tuple[str, ...]
    """Globs, relative to the corpus folder; ``.txt``, ``.xz`` or ``.gz``."""
    weight: PositiveFloat = 1.0
    """How often a pass over the mixture reads them: 2 is twice, 0.2 is a fifth."""


class PretrainConfig(Strict):
    """A whole pre-training: where it starts, what it reads, what it learns, how long."""

    name: str
    start: Annotated[EncoderStart | ScratchStart | CheckpointStart, Field(discriminator="kind")]
    corpus: Path
    """Folder of the text files; relative to the working folder. ``--corpus`` replaces it."""
    texts: tuple[TextConfig, ...]
    window: PositiveInt = 128
    """Tokens of one window of running text."""
    line_share: float = Field(0.5, ge=0, le=1)
    """Share of the tokens read as single sentences; the rest is read as windows."""
    line_tokens: tuple[PositiveInt, PositiveInt] = (5, 64)
    """Shortest and longest single sentence, in tokens."""
    window_objective: ObjectiveConfig
    line_objective: ObjectiveConfig
    batch_tokens: PositiveInt = 1024
    """Source and target tokens of one batch, pads included; a step reads ``train.accumulate`` of them."""
    held_out: float = Field(0.005, gt=0, lt=0.5)
    """Share of the text kept for validation."""
    validation_texts: PositiveInt = 300
    """Held-out windows, and single sentences, on which the losses are measured."""
    data_seed: NonNegativeInt = 0
    train: TrainConfig
    licence: str = "see the sources of the texts"
    notes: tuple[str, ...] = ()
    """Lines for the model card: what the start had seen, what to beware of."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        low, high = self.line_tokens
        if low < 5 or high < low:
            raise ValueError(f"line_tokens {[low, high]} is no range from 5 up")
        if self.batch_tokens < 2 * self.window + 8:
            raise ValueError(f"batch_tokens ({self.batch_tokens}) has no room for a window of {self.window}")
        return self
