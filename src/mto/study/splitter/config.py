"""What the study of the splitters can be told. Light to import: no torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from mto.config import Strict


class SplitterStudyConfig(Strict):
    """The splitters on verbalised test triples of ATOMIC-2020, in folds that leave relations out."""

    study: Literal["splitter"] = "splitter"
    title: str = "Splitters"
    data: str
    """Folder of ATOMIC-2020."""
    models: tuple[str, ...] = Field(min_length=1)
    """Checkpoints that the model splitter is tuned from."""
    folds: int = Field(4, ge=2, le=17)
    """In each fold every so-many-th relation is left out of the training."""
    heads: PositiveInt = 40
    """Labelled heads of each relation that is trained on."""
    test_heads: PositiveInt = 60
    """Test heads of each relation; each is one sentence."""
    steps: PositiveInt | None = None
    """Of the model splitter's training; null: its default, as for the rest."""
    rate: PositiveFloat | None = None
    batch_rows: PositiveInt | None = None
    tagger: str = "auto"
    """The rules' tagger."""
    seed: NonNegativeInt = 0

    def fixed(self) -> dict[str, Any]:
        """What makes two studies the same: everything but where the data lie and the title."""
        return self.model_dump(mode="json", exclude={"data", "title"})
