"""What the study of the task classifiers can be told. Light to import: no torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveInt, field_validator

from mto.config import Strict


class ClassifierStudyConfig(Strict):
    """The task classifiers, leave-one-relation-out, on the relations of ATOMIC-2020 and of household."""

    study: Literal["classifiers"] = "classifiers"
    title: str = "Task classifiers"
    data: str
    """Folder of ATOMIC-2020."""
    models: tuple[str, ...] = Field(min_length=1)
    """Checkpoints whose encoder the fast classifier reads."""
    seq2seq_models: tuple[str, ...] = ()
    """Of these, checkpoints that are also tuned to write the type's name themselves: about a minute a relation."""
    seq2seq_steps: PositiveInt = 100

    @field_validator("seq2seq_models")
    @classmethod
    def _of_these(cls, value: tuple[str, ...], info: Any) -> tuple[str, ...]:
        strange = sorted(set(value) - set(info.data.get("models", value)))
        if strange:
            raise ValueError(f"{strange[0]} is not one of the models")
        return value

    def fixed(self) -> dict[str, Any]:
        """What makes two studies the same: everything but where the data lie and the title."""
        return self.model_dump(mode="json", exclude={"data", "title"})
