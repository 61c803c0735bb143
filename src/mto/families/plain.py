"""Tokenising a user's text so that nothing in it can become a special token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import Encoding, Tokenizer

from mto.errors import FamilyError


class PlainEncoder:
    """A private copy of a fast tokenizer that reads every character as plain text.

    Parsing of special tokens is off. Some vocabularies (T5's among them) hold special tokens as ordinary pieces
    too, which a text could still spell; such a piece is broken up after its first character.
    """

    def __init__(self, tokenizer: Any, forbidden: frozenset[int]) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise FamilyError(
                f"{type(tokenizer).__name__} is not a fast tokenizer",
                hint="convert it to a tokenizer.json with transformers and save it beside the model",
            )
        self._backend = Tokenizer.from_str(backend.to_str())
        self._backend.encode_special_tokens = True
        self._backend.no_padding()
        self._backend.no_truncation()
        self._forbidden = forbidden

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, without any special token."""
        encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [
            encoding.ids if self._forbidden.isdisjoint(encoding.ids) else self._guarded(text)
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def _guarded(self, text: str) -> list[int]:
        """Cut the text inside every piece that reads as a special token, until none does."""
        pieces = [text]
        while True:
            encodings = self._backend.encode_batch_fast(pieces, add_special_tokens=False)
            if all(self._forbidden.isdisjoint(encoding.ids) for encoding in encodings):
                return [i for encoding in encodings for i in encoding.ids]
            pieces = [part for piece in pieces for part in self._cut(piece)]

    def _cut(self, piece: str) -> list[str]:
        encoding: Encoding = self._backend.encode(piece, add_special_tokens=False)
        spans = [span for i, span in zip(encoding.ids, encoding.offsets, strict=True) if i in self._forbidden]
        parts, before = [], 0
        for start, end in spans:
            # A word mark may stand for a blank in front: the cut goes behind the first visible character.
            first = start + 1 if not piece[start : start + 1].isspace() else start + 2
            if first >= end:  # one character that cannot be cut up is left out
                parts.append(piece[before:start])
                before = end
            else:
                parts.append(piece[before:first])
                before = first
        return [part for part in (*parts, piece[before:]) if part]
