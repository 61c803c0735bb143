"""What the whole way can be told: everything of a comparison, the raw text, and how it is prepared and adapted to. Light: no torch here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from mto.adapt.config import ON_SENTENCES, AdaptSettings
from mto.config import read_yaml
from mto.pipeline.config import CompareConfig, default_out, read_run_config
from mto.prepare.config import TextSettings

Control = Literal["random-spans", "wrong-objective", "general"]
CONTROLS: tuple[Control, ...] = ("random-spans", "wrong-objective", "general")
"""Adaptations that must lose if the right one is to be believed: the same sentences cut anywhere, the same pairs with the other objective,
and as many pairs of text that was not selected (docs/method.md 6)."""
ONE_OBJECTIVE = ("auto", "denoising", "lm", "spans", "prefixes")
"""Objectives that have an opposite."""


class WholeConfig(CompareConfig):
    """The whole way on one task or more.

    `families` are compared without adaptation, besides those that the way needs: Mapping, Prompting (for multiple choice AnswerPrompting)
    and the aligned ones.
    """

    corpus: tuple[str, ...] = Field(min_length=1)
    """Raw text without labels: files, folders, globs, ``hf:NAME``, or ``mto:NAME`` for the text of a task library."""
    prepare: TextSettings = TextSettings()
    """How the text becomes pairs."""
    adapt: AdaptSettings = AdaptSettings()
    """How the checkpoint is adapted to them. Objective ``auto``: the one that the task is matched to."""
    align: Literal["objective", "family"] = "objective"
    """What the aligned way follows: the objective that the task type goes with, and its family (docs/method.md 1), or the family that matching
    expects to score highest, and the objective that it looks like. Template and adaptation agree either way."""
    controls: tuple[Control, ...] | None = None
    """Adaptations that are tuned and scored beside the right one; None: all that the objective has."""
    per_task: bool = False
    """Whether each task has an adaptation of its own, in place of one for all."""
    adapt_threads: PositiveInt | None = None
    """Threads of an adaptation; None: all cores."""

    @field_validator("corpus", mode="before")
    @classmethod
    def _one_text(cls, value: Any) -> Any:
        return (str(value),) if isinstance(value, str | Path) else value

    @field_validator("corpus")
    @classmethod
    def _no_text_twice(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands twice")
        return values

    @field_validator("controls", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        listed = (value,) if isinstance(value, str) else value
        if listed is not None and list(listed) in (["none"], ["all"]):
            return () if list(listed) == ["none"] else CONTROLS
        return listed

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.shots == 0:
            raise ValueError("the whole way needs labelled rows: shots may not be 0")
        if "wrong-objective" in (self.controls or ()) and self.adapt.objective not in ONE_OBJECTIVE:
            raise ValueError(
                f"objective '{self.adapt.objective}' has no opposite, so there is no control wrong-objective"
            )
        if self.tune.method == "prompt":
            raise ValueError(
                "the whole way tunes all weights, or LoRA; tune soft prompts on its adapted checkpoint with mto tune --method prompt"
            )
        if self.weights is not None:
            raise ValueError("weights: name the checkpoint by model")
        return self

    @property
    def asked_controls(self) -> tuple[Control, ...]:
        """The controls that are made.

        >>> WholeConfig(tasks=("household/xWant",), corpus=("text.txt",), adapt={"objective": "ul2"}).asked_controls
        ('random-spans', 'general')
        """
        if self.controls is not None:
            return tuple(name for name in CONTROLS if name in self.controls)
        # Objectives that draw the spans themselves cut anywhere already.
        cut = self.adapt.objective not in ON_SENTENCES or self.adapt.objective == "ul2"
        possible = {
            "random-spans": cut,
            "wrong-objective": self.adapt.objective in ONE_OBJECTIVE,
            "general": True,
        }
        return tuple(name for name in CONTROLS if possible[name])

    def comparison(self, **changes: Any) -> CompareConfig:
        """The settings of one comparison within this run."""
        mine = {name: getattr(self, name) for name in CompareConfig.model_fields}
        return CompareConfig.model_validate({**mine, **changes})


def read_whole_config(
    path: str | Path | None = None, changes: Sequence[str] = (), **options: Any
) -> WholeConfig:
    """A configuration from a YAML file, options and ``key.path=value`` changes; the later wins.

    Args:
        options: values by name; ``tune``, ``prepare`` and ``adapt`` are laid over those of the file.

    Raises:
        ConfigError: all problems at once, with their lines.
    """
    return read_run_config(WholeConfig, path, changes, options, parts=("tune", "prepare", "adapt"))


def is_whole_file(path: str | Path | None) -> bool:
    """Whether a configuration file asks for the whole way: it names a corpus.

    Raises:
        ConfigError: it cannot be read.
    """
    if path is None:
        return False
    data, _ = read_yaml(path)
    return isinstance(data, dict) and "corpus" in data


def whole_out(config: WholeConfig) -> Path:
    """Where a run goes when nobody says.

    >>> whole_out(WholeConfig(tasks=("household/xWant",), corpus=("text.txt",))).as_posix()
    'runs/household-xWant-mini-whole'
    """
    usual = default_out(config)
    return usual.with_name(f"{usual.name}-whole")
