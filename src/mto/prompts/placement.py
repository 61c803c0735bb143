"""Where vectors stand: numbers above the vocabulary in the ids of a source, and a table that knows them.

A vector is called by a number from the model's last row upwards, only inside this project. So ids, batches, length
buckets and the merging of equal questions work as for words, and rows with different prompts may share a batch. Only the
encoder's embedding sees the numbers: within `placed` it gives the vector where it meets one. No row is added to the
vocabulary and nothing is resized.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from mto.errors import TemplateError
from mto.templates import Encoded


@dataclass(frozen=True)
class Numbers:
    """The numbers of the vectors of some soft prompts, one run of numbers a name.

    Attributes:
        first: the first number, which is the number of rows of the model's embedding.
        lengths: vectors of each name, in the order in which they lie in one table.

    >>> Numbers(100, {"task": 2, "own": 3}).start("own")
    102
    """

    first: int
    lengths: Mapping[str, int]

    def start(self, name: str) -> int:
        """The number of the first vector of a name."""
        starts = accumulate(self.lengths.values(), initial=self.first)
        return dict(zip(self.lengths, starts, strict=False))[name]

    def put(self, encoded: Encoded, names: Mapping[str, str] | None = None) -> Encoded:
        """The example with numbers where its soft prompts stand.

        Args:
            encoded: as `encode_many` gives it with ``soft=True``.
            names: what the soft prompts of the example are called here; None: as there.

        Raises:
            TemplateError: a soft prompt that has no vectors here, or another number of them.

        >>> from mto.templates import Encoded, SoftSpan
        >>> Numbers(100, {"task": 2}).put(Encoded((5, 0, 0, 1), (6, 1), 0, soft=(SoftSpan(1, 2, "task"),))).source_ids
        (5, 100, 101, 1)
        """
        ids = list(encoded.source_ids)
        for span in encoded.soft:
            name = (names or {}).get(span.name, span.name)
            if self.lengths.get(name) != span.length:
                known = ", ".join(f"{known} ({n})" for known, n in self.lengths.items()) or "none"
                raise TemplateError(
                    f"the soft prompt '{name}' has {span.length} vectors in the template; there are: {known}",
                    hint="use the template that the prompt was trained with",
                )
            start = self.start(name)
            ids[span.start : span.start + span.length] = range(start, start + span.length)
        return replace(encoded, source_ids=tuple(ids))


@contextlib.contextmanager
def placed(model: Any, vectors: Tensor) -> Iterator[None]:
    """Within the block the encoder reads the number ``rows + n`` as row n of `vectors`, ``[n, width]``.

    Gradients go to `vectors`. The decoder knows no such numbers, so they are never written.

    Raises:
        ValueError: the model has vectors in place already.
    """
    encoder = model.get_encoder()
    table = encoder.embed_tokens
    if isinstance(table, _Placed):
        raise ValueError("vectors are in place already")
    encoder.embed_tokens = _Placed(table, vectors)
    try:
        yield
    finally:
        encoder.embed_tokens = table


class _Placed(nn.Module):
    """A table of words and, after its last row, vectors."""

    def __init__(self, table: nn.Embedding, vectors: Tensor) -> None:
        super().__init__()
        self.table, self._vectors = table, vectors

    def forward(self, ids: Tensor) -> Tensor:
        """Embeddings ``[..., width]``; BART's scale is the table's own, so that vectors are taken as they are."""
        rows = self.table.num_embeddings
        soft = ids >= rows
        words = self.table(ids.masked_fill(soft, 0))
        found = functional.embedding((ids - rows).clamp_(min=0), self._vectors.to(words.dtype))
        return found.where(soft[..., None], words)
