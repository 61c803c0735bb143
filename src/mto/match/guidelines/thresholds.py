"""The table of thresholds: the cut, the scale and the weight of each rule."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

from pydantic import Field, field_validator

from mto.config import Strict, load_config
from mto.match.guidelines.features import SHORT_ANSWER
from mto.registry import suggest

NAMES = ("input", "form", "length", "spread", "openings", "overlap", "question")
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Cut(Strict):
    """Where a rule turns.

    Attributes:
        cut: the value at which the rule leans to neither type.
        scale: how far from the cut the lean is 0.76 (the hyperbolic tangent of 1).
        weight: what a full lean adds to the log-odds of the whole.
    """

    cut: Finite
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    weight: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Thresholds(Strict):
    """What the rules are judged by.

    Attributes:
        rules: one `Cut` for every rule.
        bias: log-odds of mask-filling where every rule is at its cut.
        prior_rows: so many rows right at the cut count besides those seen.
        short_answer: most words of a short answer, for the rule on questions.
        unknown_limit: above this share of unknown words, the rules that need parts of speech give no lean.
        fitted_on: number of relations it was fitted on.
        tagger: the tagger it was fitted with.
    """

    rules: dict[str, Cut]
    bias: Finite
    prior_rows: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 4.0
    short_answer: Annotated[int, Field(ge=1)] = SHORT_ANSWER
    unknown_limit: Annotated[float, Field(ge=0, le=1)] = 0.2
    fitted_on: Annotated[int, Field(ge=0)] = 0
    tagger: str = ""

    @field_validator("rules")
    @classmethod
    def _complete(cls, rules: dict[str, Cut]) -> dict[str, Cut]:
        for name in rules:
            if name not in NAMES:
                raise ValueError(f"no rule is named '{name}'; {suggest(name, NAMES)}")
        lacking = [name for name in NAMES if name not in rules]
        if lacking:
            raise ValueError(f"no thresholds for the rules {', '.join(lacking)}")
        return {name: rules[name] for name in NAMES}


def shipped() -> Thresholds:
    """The table of the package, fitted on ``household`` (`household_thresholds` makes it anew).

    >>> shipped().fitted_on
    9
    """
    with resources.as_file(resources.files(__package__ or "").joinpath("thresholds.yaml")) as path:
        return load_config(Thresholds, path)
