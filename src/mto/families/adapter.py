"""One adapter a checkpoint: layout of input and target, the stop rule, and the one reader of answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mto.errors import FamilyError
from mto.families.plain import PlainEncoder

CONTINUATION = "##"


@dataclass(frozen=True)
class TextPart:
    """Ids of plain text, without any special token."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class MaskPart:
    """The mask with this number, by order of appearance in the source (from 0)."""

    number: int


Part = TextPart | MaskPart


@dataclass(frozen=True)
class Answer:
    """What a model wrote, as `Adapter.read_answer` reads it.

    Attributes:
        text: the answer, stripped.
        ids: its ids, without sentinels and EOS.
        empty: whether nothing but blanks was written.
        unasked_sentinel: whether a sentinel stands where the template asks for none.
        rest: what stands behind each further mask, where the template asks for several.
    """

    text: str
    ids: tuple[int, ...]
    empty: bool
    unasked_sentinel: bool
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Adapter:
    """How one checkpoint reads sources and writes targets (T5's layout: Raffel et al. 2020).

    A source is ``parts EOS``, a target (the labels) ``parts EOS``; the decoder starts with one start id.

    Attributes:
        name: kind of family, such as ``t5``.
        tokenizer: the Hugging Face tokenizer; only `plain` and this class call it.
        sentinel_ids: by order of appearance in a text; empty when the family writes no masks.
        vocab_rows: rows of the embedding; every id is below it.
        max_positions: longest sequence that the model can read, in tokens, or None when it has no such limit.
    """

    name: str
    tokenizer: Any
    sentinel_ids: tuple[int, ...]
    eos_id: int
    pad_id: int
    unk_id: int | None
    decoder_start_id: int
    vocab_rows: int
    max_positions: int | None = None
    _plain: PlainEncoder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wrong = [i for i in (*self.sentinel_ids, self.eos_id, self.pad_id) if not 0 <= i < self.vocab_rows]
        if wrong:
            raise FamilyError(f"ids {wrong} lie outside the {self.vocab_rows} rows of the embedding")
        object.__setattr__(self, "_plain", PlainEncoder(self.tokenizer, forbidden=self._forbidden()))

    def _forbidden(self) -> frozenset[int]:
        """Ids that a user's text must never become: every special token but the unknown one."""
        special = {*self.tokenizer.all_special_ids, *self.sentinel_ids, self.eos_id, self.pad_id}
        return frozenset(special - {self.unk_id})

    # Text to ids and back

    def encode(self, text: str) -> list[int]:
        """Ids of plain text: no EOS, and nothing in `text` is read as a special token."""
        return self._plain.encode_many([text])[0]

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` for many texts in one call of the tokenizer."""
        return self._plain.encode_many(texts)

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; special tokens are dropped, blanks at both ends stripped."""
        keep = [int(i) for i in ids if int(i) not in self._special and 0 <= int(i) < self.vocab_rows]
        text = str(self.tokenizer.decode(keep, skip_special_tokens=True)).strip()
        # A word-piece decoder leaves the mark of a continuation where the first piece is one.
        return text.removeprefix(CONTINUATION) if keep and self._continues(keep[0]) else text

    def _continues(self, token_id: int) -> bool:
        return str(self.tokenizer.convert_ids_to_tokens(token_id)).startswith(CONTINUATION)

    def show(self, ids: Iterable[int]) -> str:
        """Text of ids for a person to look at, special tokens included."""
        return str(self.tokenizer.decode([int(i) for i in ids], skip_special_tokens=False))

    @cached_property
    def _special(self) -> frozenset[int]:
        return self._forbidden()

    # Masks

    @property
    def writes_masks(self) -> bool:
        """Whether the checkpoint has sentinels at all."""
        return bool(self.sentinel_ids)

    @cached_property
    def _sentinel_set(self) -> frozenset[int]:
        return frozenset(self.sentinel_ids)

    def sentinel(self, number: int) -> int:
        """Id of the sentinel with this number. Raises `FamilyError` when the family has fewer."""
        if not self.sentinel_ids:
            raise FamilyError(f"this checkpoint ({self.name}) has no sentinels, so it cannot write a mask")
        if not 0 <= number < len(self.sentinel_ids):
            raise FamilyError(
                f"mask number {number} asked for, but the checkpoint has {len(self.sentinel_ids)} sentinels"
            )
        return self.sentinel_ids[number]

    def is_sentinel(self, token_id: int) -> bool:
        """Whether an id is one of the sentinels."""
        return int(token_id) in self._sentinel_set

    # Layout

    def build_source(self, parts: Sequence[Part]) -> list[int]:
        """Join parts to what the encoder reads, EOS last."""
        return self._join(parts)

    def build_target(self, parts: Sequence[Part]) -> list[int]:
        """Join parts to what the decoder must write (the labels), exactly one EOS, last."""
        return self._join(parts)

    def _join(self, parts: Sequence[Part]) -> list[int]:
        ids: list[int] = []
        for part in parts:
            if isinstance(part, MaskPart):
                ids.append(self.sentinel(part.number))
            else:
                ids.extend(part.ids)
        return [*ids, self.eos_id]

    def decoder_inputs(self, labels: np.ndarray) -> np.ndarray:
        """Shift labels `[B, T]` right; -100 becomes the pad id, as the model's own shift does."""
        shifted = np.full_like(labels, self.decoder_start_id)
        shifted[:, 1:] = np.where(labels[:, :-1] == -100, self.pad_id, labels[:, :-1])
        return shifted

    # Reading

    def stop_ids(self, masks_asked: int = 1) -> tuple[int, ...]:
        """Ids that end an answer when written *after* the first position (at the first, only EOS does)."""
        return (self.eos_id, *self.sentinel_ids[max(0, masks_asked) if masks_asked > 1 else 0 :])

    def stops(self, token_id: int, position: int, masks_asked: int = 1) -> bool:
        """Whether generation may stop once `token_id` was written at `position` (from 0)."""
        return token_id == self.eos_id or (position > 0 and token_id in self.stop_ids(masks_asked))

    def read_answer(self, ids: Sequence[int], masks_asked: int = 0) -> Answer:
        """Read the answer out of generated ids: the one reader for every template family.

        A leading decoder start or pad is dropped, a leading sentinel is skipped, reading stops at EOS or the next
        sentinel, and the rest is stripped. `masks_asked` (masks in the source) changes only the flag: allowed are
        the sentinels asked for, in order, and one closing sentinel after them.
        """
        row = [int(i) for i in ids]
        while row and row[0] in (self.decoder_start_id, self.pad_id):
            row = row[1:]
        if self.eos_id in row:
            row = row[: row.index(self.eos_id)]
        written = [i for i in row if i in self._sentinel_set]
        allowed = list(self.sentinel_ids[: masks_asked + 1]) if masks_asked else []
        unasked = written != allowed[: len(written)]
        body = row[1:] if row and row[0] in self._sentinel_set else row
        end = next((n for n, i in enumerate(body) if i in self._sentinel_set), len(body))
        kept = tuple(i for i in body[:end] if i != self.pad_id)
        text = self.decode(kept)
        rest = self._behind_masks(body[end:], masks_asked - 1) if masks_asked > 1 else ()
        return Answer(text=text, ids=kept, empty=not text, unasked_sentinel=unasked, rest=rest)

    def _behind_masks(self, ids: Sequence[int], most: int) -> tuple[str, ...]:
        """The texts behind the sentinels of ids that begin with one."""
        parts: list[list[int]] = []
        for token_id in ids:
            if token_id in self._sentinel_set:
                parts.append([])
            elif token_id != self.pad_id:
                parts[-1].append(token_id)
        return tuple(self.decode(part) for part in parts[:most])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of vocabulary and layout, for cache keys."""
        digest = hashlib.sha256()
        for token, token_id in sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1]):
            digest.update(f"{token_id}\t{token}\n".encode())
        layout = (self.name, self.sentinel_ids, self.eos_id, self.pad_id, self.decoder_start_id)
        digest.update(repr(layout).encode())
        return digest.hexdigest()[:16]
