"""The facts of the probe, and the wrong answers that each is ranked among."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mto.errors import DataError

FILE = Path(__file__).parent / "everyday.jsonl"
MARK = "{mask}"


@dataclass(frozen=True)
class Fact:
    """One sentence with a hole.

    Attributes:
        text: holds ``{mask}`` once.
        answer: what fills it.
        kind: such as ``use``; wrong candidates are answers of the same kind.
        also_right: answers of the kind that would be right too, so they are no wrong candidates.
    """

    text: str
    answer: str
    kind: str
    also_right: tuple[str, ...] = ()


def load_facts(path: Path = FILE) -> tuple[Fact, ...]:
    """Read facts from JSONL. Raises `DataError` with file and line for a broken row."""
    facts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            fact = Fact(row["text"], row["answer"], row["kind"], tuple(row.get("not", ())))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise DataError(f"is no fact: {error}", where=f"{path.name}:{number}") from None
        if fact.text.count(MARK) != 1:
            raise DataError(f"must hold {MARK} once", where=f"{path.name}:{number}")
        facts.append(fact)
    return tuple(facts)


def candidates(facts: Sequence[Fact], *, count: int = 20, seed: int = 0) -> list[tuple[str, ...]]:
    """For each fact its answer first, then `count - 1` others of its kind, drawn once by `seed`.

    Raises:
        DataError: a kind has too few other answers.
    """
    rows = []
    for number, fact in enumerate(facts):
        wrong = sorted({f.answer for f in facts if f.kind == fact.kind} - {fact.answer, *fact.also_right})
        if len(wrong) < count - 1:
            raise DataError(f"'{fact.text}' has {len(wrong)} wrong candidates, {count - 1} are needed")
        chosen = np.random.default_rng([seed, number]).permutation(len(wrong))[: count - 1]
        rows.append((fact.answer, *(wrong[n] for n in chosen)))
    return rows
