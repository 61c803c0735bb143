"""A maker of pairs for tests: the last word of a sentence is the span. ``tests.prepare.fake:KIND``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mto.prepare.maker import Made, MakerOrder
from mto.prepare.pairs import Pair, PairSet
from mto.prepare.sentence import GENERAL, Selected


class LastWord:
    """Cuts the last word off; the controls are the same pairs under their own names."""

    def __init__(self, controls: bool) -> None:
        self._controls = controls

    def make(self, batch: Sequence[Selected], *, seed: int, number: int) -> Made:
        task = tuple(_pair(s) for s in batch if s.task != GENERAL)
        pairs: dict[PairSet, tuple[Pair, ...]] = {"task": task}
        if self._controls:
            pairs |= {"random-spans": task, "random-prefixes": task}
        pairs["general"] = tuple(_pair(s) for s in batch if s.task == GENERAL)
        return Made(pairs, {"cut": len(batch)})


def _pair(selected: Selected) -> Pair:
    text = selected.sentence.text.rstrip(".")
    before, _, last = text.rpartition(" ")
    return Pair(
        before, last, "", "lm", 0.25, selected.task, "model", selected.score, selected.sentence.text, selected.sentence.where
    )  # fmt: skip


class _Kind:
    def set_up(self, order: MakerOrder) -> dict[str, Any]:
        assert len(order.tasks) == len(order.splits)
        return {"controls": order.controls}

    def load(self, folder: Path, order: Mapping[str, Any]) -> LastWord:
        return LastWord(order["controls"])


KIND = _Kind()
