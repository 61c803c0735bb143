"""What `mto match` can be told. Light to import: no torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from mto.config import Strict
from mto.match.probe.config import ProbeConfig

Signal = Literal["guidelines", "depthrank", "classifier", "probe"]
SIGNALS: tuple[Signal, ...] = ("guidelines", "depthrank", "classifier", "probe")
QUICK: tuple[Signal, ...] = ("guidelines", "depthrank", "classifier")
"""Signals that need no training: seconds, where the probe takes a minute."""


class MatchConfig(Strict):
    """One matching of a task to objective, template family and checkpoint."""

    signals: tuple[Signal, ...] = Field(default=QUICK, min_length=1)
    """What is asked; the probe trains, the others do not."""
    families: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Template families by name, or their YAML files; None: those of docs/method.md 3 for the kind of task that can be written."""
    tuned_shots: PositiveInt | None = None
    """DepthRank also after tuning on so many labelled rows, scored on the others; None: without tuning only."""
    probe: ProbeConfig = ProbeConfig()
    """The budget of the probe, where it is among the signals."""
    tagger: str = "auto"
    """Part-of-speech tagger of the guidelines; see `mto.match.guidelines`."""
    weights: Path | None = None
    """What the decision knows: the weights of a study of one's own (`mto study --weights`); None: the package's."""
    denoiser: bool = True
    """Whether to propose a denoiser too."""
    max_source: PositiveInt | None = None
    """Most source ids; None: as tuning takes them."""
    seed: NonNegativeInt = 0
    """Of resampling, folds and training; the data seed belongs to the split."""

    @field_validator("signals", "families", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("signals", "families")
    @classmethod
    def _no_double(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        twice = next((value for value in values or () if (values or ()).count(value) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands twice")
        return values
