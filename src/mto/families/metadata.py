"""What `mto` writes into a checkpoint's config about how it was trained (key ``mto``)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mto.errors import FamilyError


class TrainingMetadata(BaseModel):
    """How a checkpoint was trained. Unknown keys of later versions are kept, not refused.

    Attributes:
        objectives: share of the training tokens per objective, such as ``{"denoising": 0.67, "lm": 0.33}``.
        latest: the same of the last stage alone: a checkpoint that went from denoising to LM speaks like LM. Empty where it is
            not known; see `speaks`.
        sentinels: how masks are written, in words; empty when the checkpoint has none.
        tokens_seen: source and target tokens of all training that `mto` did, pads not counted.
        start: what the training started from.
        losses: held-out loss in nats a token by objective and length class.
        probe: knowledge probe, accuracy per kind of fact and in all.
        family: the family kind that taught it to write masks, where that was not `mto` itself: an adapted T5 stays a T5.
        adapted: one entry for each adaptation: from what, on which pairs, with which objective.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    objectives: dict[str, float] = {}
    latest: dict[str, float] = {}
    sentinels: str = ""
    tokens_seen: int = 0
    start: str = ""
    losses: dict[str, float] = {}
    probe: dict[str, float] = {}
    family: str = ""
    adapted: tuple[dict[str, Any], ...] = ()

    @property
    def speaks(self) -> dict[str, float]:
        """What it was last trained with, else all that it was trained with.

        >>> TrainingMetadata(objectives={"denoising": 0.9, "lm": 0.1}, latest={"lm": 1.0}).speaks
        {'lm': 1.0}
        """
        return dict(self.latest or self.objectives)


def read_metadata(config: Any) -> TrainingMetadata | None:
    """The training metadata in a transformers config, or None when `mto` did not train the checkpoint."""
    data = getattr(config, "mto", None)
    if data is None:
        return None
    try:
        return TrainingMetadata.model_validate(data)
    except ValidationError as error:
        raise FamilyError(
            f"the checkpoint's config holds broken training metadata under 'mto': {error}"
        ) from None
