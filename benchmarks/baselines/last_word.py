"""A maker of pairs that costs nearly nothing: the last word of a sentence is the span. For timing all that comes before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mto.prepare.maker import Made, MakerOrder
from mto.prepare.pairs import Pair
from mto.prepare.sentence import GENERAL, Selected


class LastWord:
    """Cuts the last word off."""

    def make(self, batch: Sequence[Selected], *, seed: int, number: int) -> Made:
        """The pairs of a batch; no controls but general text."""
        pairs = [_pair(selected) for selected in batch]
        task = tuple(pair for pair in pairs if pair.task != GENERAL)
        return Made({"task": task, "general": tuple(pair for pair in pairs if pair.task == GENERAL)}, {})


def _pair(selected: Selected) -> Pair:
    text, where = selected.sentence.text, selected.sentence.where
    before, _, last = text.rstrip(".").rpartition(" ")
    return Pair(before, last, "", "lm", 0.5, selected.task, "phrase", selected.score, text, where)


class Kind:
    """How it is found by name."""

    def set_up(self, order: MakerOrder) -> dict[str, Any]:
        """Nothing is to be done."""
        return {}

    def load(self, folder: Path, order: Mapping[str, Any]) -> LastWord:
        """The maker."""
        return LastWord()


KIND = Kind()
