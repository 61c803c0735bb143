"""Colours and marks: one fixed pair of colours (light and dark page) and one shape a family.

The colours come from the palette of Okabe and Ito ("Color universal design", 2008), which people with any kind of
colour blindness can tell apart; they are darkened or lightened where the contrast with the page would be too low.
Shapes differ as well, so that no plot needs colour to be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from mto.report.results import Comparison


@dataclass(frozen=True)
class Mark:
    """How one family is drawn: hex colours on a light and a dark page, and a matplotlib marker."""

    light: str
    dark: str
    shape: str


KNOWN = {
    "mapping": Mark("#b85600", "#f0953f", "s"),
    "masked-mapping": Mark("#a8457f", "#dd8fb9", "D"),
    "prompting": Mark("#007a5a", "#35c79b", "^"),
    "masked-prompting": Mark("#0067a5", "#5cb3ec", "o"),
}
SYSTEMS = {
    "conventional": KNOWN["mapping"],
    "prompting": KNOWN["prompting"],
    "aligned": Mark("#5b4bb0", "#a99bf0", "D"),
    "adapted": KNOWN["masked-prompting"],
    "random-spans": Mark("#7a6400", "#e3cf45", "v"),
    "wrong-objective": Mark("#a8457f", "#dd8fb9", "X"),
    "general": Mark("#6b6b6b", "#b5b5b5", "p"),
}
"""The systems of a whole run."""
OTHERS = (
    Mark("#7a6400", "#e3cf45", "v"),
    Mark("#5b4bb0", "#a99bf0", "P"),
    Mark("#2b7f8c", "#7ad3df", "X"),
    Mark("#6b6b6b", "#b5b5b5", "p"),
)

INK, MUTED, GRID = ("#1b1e23", "#e8eaed"), ("#626973", "#9aa3ae"), ("#e2e5e9", "#343a42")


def family_marks(comparison: Comparison) -> dict[str, Mark]:
    """Family name to its mark; families of a user's own take the next free one, in the order of the comparison."""
    known = {**SYSTEMS, **KNOWN}
    own = [family.name for family in comparison.families if family.name not in known]
    others = {name: OTHERS[number % len(OTHERS)] for number, name in enumerate(own)}
    return {family.name: {**known, **others}[family.name] for family in comparison.families}
