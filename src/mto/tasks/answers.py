"""Where the choices of questions stand in a table, and how the answer points at one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mto.tasks.kinds import Answers
from mto.tasks.tables import Cell, Table
from mto.tasks.task import fold_case

if TYPE_CHECKING:
    from mto.tasks.profile import Profile

_NUMBERED = re.compile(r"(choice|option|opt|answer|ans|ending|sol|alternative|candidate|)([0-9]|10|[a-j])")
_LISTS = ("choices", "options", "choicestext", "alternatives", "candidates", "answers", "endings")


def find_choices(seen: Mapping[str, Profile], free: Sequence[str]) -> list[str]:
    """The columns that hold choices: one with lists, or several by the same name with a number or letter; else empty.

    >>> from mto.tasks.profile import Profile
    >>> columns = ("question", "Option B", "option a", "answer")
    >>> find_choices({name: Profile(name, 9, 2.0, {}, 9) for name in columns}, columns)
    ['option a', 'Option B']
    """
    lists = [name for name in free if seen[name].lists and seen[name].key in _LISTS]
    if lists:
        return lists[:1]
    groups: dict[str, dict[str, str]] = {}
    for name in free:
        match = _NUMBERED.fullmatch(seen[name].key)
        if match and (match[1] or match[2].isalpha()):
            groups.setdefault(match[1], {})[match[2].rjust(2)] = name
    best = max(groups.values(), key=len, default={})
    return [best[mark] for mark in sorted(best)] if len(best) >= 2 else []


def without_trailing(choices: Sequence[str]) -> list[str]:
    """Choices without the empty ones at their end: of questions with fewer choices than there are columns.

    >>> without_trailing(["red", "", "blue", "", ""])
    ['red', '', 'blue']
    """
    filled = [number for number, choice in enumerate(choices) if choice]
    return list(choices[: filled[-1] + 1]) if filled else []


def find_answers(
    table: Table, choices: str | tuple[str, ...], answer: str
) -> tuple[tuple[Answers, ...], str]:
    """The ways of naming the right choice that fit the rows, one where it is clear, and why.

    The text of a choice is taken before the other ways. A way that fits most rows is taken where none fits all: the rows that
    it does not fit are odd, and told when the task is read.
    """
    fits: dict[Answers, int] = {"text": 0, "letter": 0, "index": 0, "number": 0}
    rows = 0
    for texts, given in _pairs(table, choices, answer):
        rows += 1
        fits["text"] += fold_case(given) in map(fold_case, texts)
        fits["letter"] += (
            len(given) == 1 and given.isalpha() and 0 <= ord(given.upper()) - ord("A") < len(texts)
        )
        number = int(given) if re.fullmatch(r"\d{1,3}", given) else -1
        fits["index"] += 0 <= number < len(texts)
        fits["number"] += 1 <= number <= len(texts)
    best = max(fits.values())
    if not rows or 2 * best < rows:
        return (), ""
    found: tuple[Answers, ...] = tuple(way for way, count in fits.items() if count == best)
    if "text" in found:
        found = ("text",)
    reason = f"answers: '{answer}' gives the {found[0]} of the right choice" if len(found) == 1 else ""
    if reason and best < rows:
        reason += f" in {best} of {rows} rows"
    return found, reason


def _pairs(table: Table, choices: str | tuple[str, ...], answer: str) -> list[tuple[list[str], str]]:
    columns = (choices,) if isinstance(choices, str) else choices
    found = []
    for _, cells in table.rows:
        if not cells:
            continue
        texts: list[str] = []
        for column in columns:
            value = _cell(table, cells, column)
            texts += [str(part) for part in value] if isinstance(value, list | tuple) else [str(value or "")]
        given = _cell(table, cells, answer)
        if given not in (None, "") and not isinstance(given, list | tuple | Mapping):
            kept = [text.strip() for text in texts]
            found.append((without_trailing(kept) if len(columns) > 1 else kept, str(given).strip()))
    return found


def _cell(table: Table, cells: tuple[Cell, ...], column: str) -> Cell:
    if column in table.columns:
        return cells[table.columns.index(column)]
    first, _, inner = column.partition(".")
    value = cells[table.columns.index(first)]
    return value.get(inner) if isinstance(value, Mapping) else None
