"""Under which columns the inputs of a task stand in the user's files, so that new rows can be read as the labelled ones were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mto.config import Strict

ANSWERS = ("answer", "label", "target", "tail", "relation")
"""Fields that new rows do not have, or that every row may bring along."""


class InputColumns(Strict):
    """Columns of inputs that have other names than their fields, and what stands for what in them.

    Attributes:
        columns: field to column, or to several (the choices of a question). A dot leads into a nested column.
        values: as `mto.tasks.kinds.ItemData.values`.
    """

    columns: dict[str, str | tuple[str, ...]] = {}
    values: dict[str, dict[str, str]] = {}

    @staticmethod
    def of(
        columns: Mapping[str, str | tuple[str, ...]], values: Mapping[str, dict[str, str]] | None = None
    ) -> InputColumns:
        """Those of a task's description, answers left out.

        >>> InputColumns.of({"question": "ask", "choices": ("A", "B"), "answer": "key", "context": "context"}).columns
        {'question': 'ask', 'choices': ('A', 'B')}
        """
        own = {name: at for name, at in columns.items() if name not in ANSWERS and at != name}
        return InputColumns(columns=own, values={n: v for n, v in (values or {}).items() if n not in ANSWERS})

    def to_json(self) -> dict[str, Any]:
        """For a file; empty where all columns are called as their fields are."""
        return self.model_dump(mode="json", exclude_defaults=True)


OWN_NAMES = InputColumns()
"""Columns are called as the fields are."""
