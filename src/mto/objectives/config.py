"""Configuration of objectives, as it stands in YAML files (pydantic; import it only where files are read)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mto.config import Strict
from mto.objectives.denoising import Denoising
from mto.objectives.mixture import Mixture
from mto.objectives.pairs import Objective
from mto.objectives.prefix_lm import PrefixLM
from mto.objectives.registry import build_objective
from mto.objectives.special import SpecialIds


class _Component(Strict):
    label: str | None = Field(None, description="what losses are reported under, if not the name")
    weight: float = Field(1.0, gt=0, allow_inf_nan=False, description="share of rows within a mixture")
    mode_ids: tuple[int, ...] = Field((), description="ids put before each source")


class DenoisingConfig(_Component):
    """Span corruption; see `Denoising`."""

    name: Literal["denoising"] = "denoising"
    density: float = Field(0.15, gt=0, lt=1, description="share of masked tokens (T5: 0.15)")
    mean_span: float = Field(
        3.0, ge=1, allow_inf_nan=False, description="mean span in tokens (T5: 3; ByT5: 20)"
    )
    whole_words: bool = Field(False, description="never cut a word")
    spans: tuple[int, int] | None = Field(
        None, description="range of the number of spans, instead of mean_span"
    )
    rounding: Literal["stochastic", "nearest"] = "stochastic"
    closing: bool = Field(False, description="end targets with one more sentinel")

    @model_validator(mode="after")
    def _range(self) -> DenoisingConfig:
        if self.spans is not None and not 1 <= self.spans[0] <= self.spans[1]:
            raise ValueError(f"spans {list(self.spans)} is no range: give [fewest, most], from 1 up")
        return self


class LMConfig(_Component):
    """Prefix LM; see `PrefixLM`."""

    name: Literal["lm"] = "lm"
    max_suffix: float = Field(1.0, gt=0, le=1, description="longest target as a share of the row")
    sentinel: bool = Field(False, description="end sources with the first sentinel")


Component = Annotated[DenoisingConfig | LMConfig, Field(discriminator="name")]


class MixedConfig(Strict):
    """A mixture; see `Mixture`."""

    name: Literal["mixed"] = "mixed"
    label: str | None = None
    parts: tuple[Component, ...] = Field(min_length=1, description="components with their weights")

    @model_validator(mode="after")
    def _labels(self) -> MixedConfig:
        names = [part.label or part.name for part in self.parts]
        if len(set(names)) != len(names):
            raise ValueError(f"parts {names} do not all differ: give each a label of its own")
        return self


ObjectiveConfig = Annotated[DenoisingConfig | LMConfig | MixedConfig, Field(discriminator="name")]
"""For a field of another configuration: ``objective: ObjectiveConfig``; in YAML ``{name: denoising, density: 0.15}``."""


def build_denoising(config: DenoisingConfig, special: SpecialIds) -> Objective:
    """The builder behind the name 'denoising'."""
    fields = config.model_dump(exclude={"name", "label", "weight"})
    return Denoising(special, **fields, name=config.label or config.name)


def build_lm(config: LMConfig, special: SpecialIds) -> Objective:
    """The builder behind the name 'lm'."""
    fields = config.model_dump(exclude={"name", "label", "weight"})
    return PrefixLM(special, **fields, name=config.label or config.name)


def build_mixed(config: MixedConfig, special: SpecialIds) -> Objective:
    """The builder behind the name 'mixed'."""
    parts = tuple(build_objective(part, special) for part in config.parts)
    return Mixture(parts, tuple(part.weight for part in config.parts), name=config.label or config.name)
