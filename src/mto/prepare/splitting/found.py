"""What a splitter is, and what it says of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mto.prepare.sentence import Selected
from mto.prepare.splitting.places import Place

NOTHING, NOT_THERE = "no span", "span not in the sentence"
"""Why there is no span: nothing was found or written, or what was written does not stand in the sentence."""


@dataclass(frozen=True, slots=True)
class Found:
    """The target in one sentence.

    Attributes:
        place: where it stands; None where there is none.
        by: what found it: ``model``, ``phrase``, ``last-phrase``, ``label-word`` or ``first-words``; empty where there is none.
        why: the reason why there is none.
    """

    place: Place | None
    by: str = ""
    why: str = ""


BY_PHRASE, LABEL_WORD, FIRST_WORDS = "phrase", "label-word", "first-words"
"""What `Found.by` says of a target that stands behind a phrase of the task, of a word of a label, and of the rest behind the first words."""
SURE = (BY_PHRASE, LABEL_WORD)
"""What rules find so surely that no model is asked."""
NO_LABEL_WORD = "no word of a label"
"""Why a sentence of a classification has no span."""


class Splitter(Protocol):
    """Says which span of a raw sentence is the target."""

    @property
    def name(self) -> str:
        """What a report calls it."""

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """One answer a sentence, in order; equal batches give equal answers."""


@dataclass(frozen=True)
class Either:
    """The first splitter, and the second where the first finds nothing.

    Attributes:
        first, second: the splitters.
    """

    first: Splitter
    second: Splitter

    @property
    def name(self) -> str:
        """Such as ``model …, else rules …``."""
        return f"{self.first.name}, else {self.second.name}"

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """As `Splitter`; the reason is the first one's where neither finds a span."""
        found = self.first.split(batch)
        open_ones = [number for number, one in enumerate(found) if one.place is None]
        for number, other in zip(
            open_ones, self.second.split([batch[n] for n in open_ones]) if open_ones else [], strict=True
        ):
            if other.place is not None:
                found[number] = other
        return found


@dataclass(frozen=True)
class PhraseFirst:
    """The rules where a phrase of the task or a word of a label stands; else the model, and the rules' last phrase where it finds nothing.

    Attributes:
        rules, model: the splitters.
    """

    rules: Splitter
    model: Splitter

    @property
    def name(self) -> str:
        """Such as ``phrases, else model …, else rules``."""
        return f"phrases, else {self.model.name}, else {self.rules.name}"

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """As `Splitter`."""
        found = self.rules.split(batch)
        open_ones = [number for number, one in enumerate(found) if one.by not in SURE]
        for number, other in zip(
            open_ones, self.model.split([batch[n] for n in open_ones]) if open_ones else [], strict=True
        ):
            if other.place is not None:
                found[number] = other
        return found


@dataclass(frozen=True)
class ByTask:
    """One splitter for the sentences of some tasks, and another for all others.

    Attributes:
        tasks: names of those that `first` splits.
        first, others: the splitters.
    """

    tasks: frozenset[str]
    first: Splitter
    others: Splitter

    @property
    def name(self) -> str:
        """Such as ``first words (1 task), others: rules``."""
        return f"{self.first.name} ({len(self.tasks)} task{'s' if len(self.tasks) > 1 else ''}), others: {self.others.name}"

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """As `Splitter`."""
        found: list[Found] = [Found(None, why=NOTHING)] * len(batch)
        for splitter, mine in ((self.first, True), (self.others, False)):
            numbers = [n for n, one in enumerate(batch) if (one.task in self.tasks) == mine]
            for number, one in zip(
                numbers, splitter.split([batch[n] for n in numbers]) if numbers else [], strict=True
            ):
                found[number] = one
        return found
