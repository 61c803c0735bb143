"""The rules: each reads one figure, says what it saw, and leans to one task type."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mto.match.guidelines.features import Measured
from mto.match.guidelines.thresholds import Cut, Thresholds

_NOT_OF_LABELS = {
    "input": "the inputs are texts to be judged, whatever they tell of",
    "openings": "the answers are labels, which repeat by their nature",
    "overlap": "the answers are labels, which stand in a text by chance",
    "question": "the answers are labels",
}
"""Rules that say nothing of a classification, and why: what speaks there is the shape of the labels."""


@dataclass(frozen=True)
class Rule:
    """One rule of the guidelines (docs/method.md 5).

    Attributes:
        name: in the table of thresholds.
        feature: the figure it reads (`measure`).
        sign: +1 where values above the cut lean to mask-filling, -1 where they lean to map-phrasal.
        saw: the figure in words.
        least: no lean is given below so many different `over`.
        over: ``targets`` or ``inputs``: what the figure is a figure of.
        tagged: it needs parts of speech.
    """

    name: str
    feature: str
    sign: int
    saw: Callable[[Measured], str]
    least: int = 1
    over: str = "targets"
    tagged: bool = False

    def seen(self, measured: Measured) -> int:
        """How many different targets (or inputs) the figure rests on; labels are few by their nature, so there the rows."""
        if self.over == "inputs":
            return measured.inputs
        return measured.rows if measured.labels else measured.targets

    def silent(self, measured: Measured, table: Thresholds) -> str:
        """Why the rule gives no lean; empty when it does."""
        if measured.labels and self.name in _NOT_OF_LABELS:
            return _NOT_OF_LABELS[self.name]
        unknown = measured.values["unknown"]
        if self.tagged and unknown > table.unknown_limit:
            return f"the tagger knows too few of the words ({_percent(unknown)} unknown)"
        if self.name == "input" and measured.values["question"] >= 0.5:
            return "the inputs are questions"
        if self.name == "question" and measured.values["question"] < 0.5:
            some = measured.values["question"] > 0
            return "fewer than half of the inputs are questions" if some else "no input is a question"
        if self.seen(measured) < self.least:
            return f"too few different {self.over}"
        return ""

    def lean(self, measured: Measured, table: Thresholds) -> float:
        """From -1 (map-phrasal) to +1 (mask-filling): ``sign * tanh((value - cut) / scale * n / (n + prior))``.

        The last factor shrinks the lean where the figure rests on few different rows: as if `prior` rows right at
        the cut had been seen besides.
        """
        if self.silent(measured, table):
            return 0.0
        n = self.seen(measured)
        return self.sign * side(
            measured.values[self.feature], table.rules[self.name], n / (n + table.prior_rows)
        )


def side(value: float, cut: Cut, trust: float = 1.0) -> float:
    """On which side of a cut a value lies, from -1 to 1.

    >>> round(side(3.0, Cut(cut=2.0, scale=1.0, weight=0.5)), 3)
    0.762
    """
    return math.tanh((value - cut.cut) / cut.scale * trust)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _length(m: Measured) -> str:
    what = "the answers are labels, of" if m.labels else "a target has"
    return f"{what} {m.values['words']:.1f} words on average"


def _spread(m: Measured) -> str:
    return f"the length of the targets varies by {m.values['spread']:.1f} words (standard deviation)"


def _form(m: Measured) -> str:
    names = {
        "noun": "one noun phrase",
        "adjective": "an adjective",
        "verb": "a verb phrase or clause",
        "other": "neither",
    }
    seen = sorted((name for name in names if m.values[name] > 0), key=lambda name: -m.values[name])
    if len(seen) == 1:
        return f"every target is {names[seen[0]]}"
    first, *others = (f"{_percent(m.values[name])} of the targets are {names[name]}" for name in seen)
    return ", ".join((first, *(text.replace(" of the targets are", "") for text in others)))


def _input(m: Measured) -> str:
    event = m.values["event"]
    if event in (0.0, 1.0):
        return "every input is a whole event" if event else "every input is an entity"
    return f"{_percent(event)} of the inputs are whole events, the others entities"


def _openings(m: Measured) -> str:
    if not m.opening:
        return "no first word of a target comes twice"
    return f"{_percent(m.values['opening'])} of the targets repeat the first word '{m.opening}'"


def _overlap(m: Measured) -> str:
    if m.values["overlap"] == 0:
        return "no target shares a content word with its input"
    return f"{_percent(m.values['overlap'])} of a target's content words stand in its input"


def _question(m: Measured) -> str:
    if m.values["question"] == 0:
        return "no input is a question"
    full, cloze, brief, long = (_percent(m.values[n]) for n in ("full_question", "cloze", "brief", "long"))
    return (
        f"{full} of the inputs are full questions, {cloze} are to be filled or finished; {brief} of the answers are one short "
        f"noun phrase or adjective, {long} are long"
    )


RULES: tuple[Rule, ...] = (
    Rule("input", "event", -1, _input, over="inputs", tagged=True),
    Rule("form", "form", +1, _form, tagged=True),
    Rule("length", "words", -1, _length),
    Rule("spread", "spread", -1, _spread, least=3),
    Rule("openings", "opening", -1, _openings, least=2),
    Rule("overlap", "overlap", -1, _overlap),
    Rule("question", "asking", -1, _question),
)
"""All rules, in the order of a report."""
