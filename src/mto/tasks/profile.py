"""What can be seen of the columns of a table: how full, how long, how many different cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mto.tasks.tables import Cell, Table

NUMBER = re.compile(r"-?\d+(\.\d+)?")
KEPT = 200  # different values that are kept of a column


@dataclass(frozen=True)
class Profile:
    """One column of a table.

    Attributes:
        name: as the header says it; a dot leads into a nested column (``choices.text``).
        filled: cells that hold something.
        words: mean number of words of the filled cells.
        values: different values (case and spacing aside) with their number of rows, in the order of the file; 200 at most.
        distinct: how many different values there are.
        lists: whether cells hold lists.
    """

    name: str
    filled: int
    words: float
    values: Mapping[str, int]
    distinct: int
    lists: bool = False

    @property
    def key(self) -> str:
        """The name without case and marks.

        >>> Profile("Question_Stem", 1, 1.0, {}, 1).key
        'questionstem'
        """
        return key_of(self.name)

    @property
    def numbers(self) -> bool:
        """Whether every value is a number."""
        return bool(self.values) and all(NUMBER.fullmatch(value) for value in self.values)

    @property
    def numbered(self) -> bool:
        """Whether it only numbers the rows: one number behind the other, or single words by the name of an id."""
        if not self.distinct == self.filled > 2 or self.words > 1:
            return False
        named = self.key in ("id", "idx", "index", "uid", "uuid", "guid", "qid", "key", "row", "unnamed0", "")
        whole = [int(value) for value in self.values if value.isdecimal() and len(value) < 18]
        return named or (
            len(whole) == len(self.values) and whole == list(range(whole[0], whole[0] + len(whole)))
        )

    @property
    def few(self) -> bool:
        """Whether it looks like labels: few short values that come again and again."""
        often = 4 if not self.numbers else 2
        return self.distinct <= 20 and self.filled >= often * self.distinct > often and self.short

    @property
    def again(self) -> bool:
        """Whether short values come again, two rows each at least."""
        return self.filled >= 2 * self.distinct and self.short

    @property
    def short(self) -> bool:
        """Whether cells hold three words or less, and no lists."""
        return self.words <= 3 and not self.lists


def key_of(name: str) -> str:
    """A column's name without case and marks.

    >>> key_of("Answer Key"), key_of("sentence_1")
    ('answerkey', 'sentence1')
    """
    return re.sub(r"[\W_]+", "", name.casefold())


def text_of(cell: Cell) -> str:
    """A cell as one text, only to be looked at; ``""`` for nothing.

    >>> text_of(True), text_of([" a ", "b"]), text_of(float("nan")), text_of(2)
    ('true', 'a | b', '', '2')
    """
    if isinstance(cell, list | tuple):
        return " | ".join(text_of(part) for part in cell)
    if cell is None or cell != cell:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else " ".join(str(cell).split())


def profiles(table: Table) -> dict[str, Profile]:
    """A profile of each column, by name; a column of mappings counts as one column for each of their keys.

    >>> from mto.tasks.tables import table_from_rows
    >>> seen = profiles(table_from_rows([{"text": "so good", "label": 1}, {"text": "", "label": 1}], name="t"))
    >>> seen["text"].filled, seen["text"].words, seen["label"].values
    (1, 2.0, {'1': 2})
    """
    found: dict[str, Profile] = {}
    for place, name in enumerate(table.columns):
        cells = [row[place] for _, row in table.rows if row]
        inner = next((cell for cell in cells if isinstance(cell, Mapping)), None)
        if inner is None:
            found[name] = _profile(name, cells)
            continue
        for key in inner:
            under = [cell.get(key) if isinstance(cell, Mapping) else None for cell in cells]
            found[f"{name}.{key}"] = _profile(f"{name}.{key}", under)
    return found


def _profile(name: str, cells: list[Cell]) -> Profile:
    texts = [text for cell in cells if (text := text_of(cell))]
    counts: dict[str, int] = {}
    spelt: dict[str, str] = {}
    for text in texts:
        folded = text.casefold()
        spelt.setdefault(folded, text)
        counts[folded] = counts.get(folded, 0) + 1
    values = {spelt[folded]: counts[folded] for folded in list(counts)[:KEPT]}
    words = sum(len(text.split()) for text in texts) / max(len(texts), 1)
    return Profile(
        name, len(texts), words, values, len(counts), any(isinstance(c, list | tuple) for c in cells)
    )
