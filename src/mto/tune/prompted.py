"""A tuned soft prompt: predicts like a tuned model, and is saved as a few kilobytes beside the name of its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from mto.prompts import Numbers, SavedPrompt, placed
from mto.templates import Encoded, Rendered, Template, encode_many
from mto.tune.tuned import TunedModel


@dataclass(frozen=True, eq=False, kw_only=True)
class TunedPrompt(TunedModel):
    """A soft prompt that was trained to one task on a frozen checkpoint.

    Attributes:
        prompt: the vectors and what they belong to.

    `loaded` is the checkpoint itself, so many tuned prompts may share one.
    """

    prompt: SavedPrompt

    @cached_property
    def _template(self) -> Template:
        # The lengths are those of the vectors: a sweep may have chosen others than the family's.
        template = self.form.template(
            self.family, phrase=self.phrase, fields=self.fields, adapter=self.loaded.adapter
        )
        lengths = set(self.prompt.numbers_of_vectors.values())
        given = {segment.name: segment.length for segment in template.soft}
        return template if given == self.prompt.numbers_of_vectors else template.with_vectors(lengths.pop())

    @cached_property
    def _table(self) -> tuple[Numbers, Tensor]:
        return self.prompt.table(self.loaded)

    def encoded(self, rows: Sequence[Any]) -> list[Encoded]:
        """Rows with the places of their vectors, before these have numbers. Raises as `predict`."""
        return self._written([self._template.render(self._fields(n, row)) for n, row in enumerate(rows)])

    def _written(self, rendered: Sequence[Rendered]) -> list[Encoded]:
        return encode_many(rendered, self.loaded.adapter, max_source=self.max_source, soft=True)

    def _encoded(self, rendered: Sequence[Rendered]) -> list[Encoded]:
        return [self._table[0].put(item) for item in self._written(rendered)]

    def _answering(self) -> AbstractContextManager[Any]:
        return placed(self.loaded.model, self._table[1])

    @property
    def vectors(self) -> Mapping[str, Tensor]:
        """The vectors by name, such as another task's prompt may begin as."""
        return self.prompt.vectors

    def _write(self, folder: Path, dtype: str) -> None:
        self.prompt.write(folder)
