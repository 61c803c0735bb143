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
        encoding: Encoding = self._backend.encode(text, add_special_tokens=False)
        bad = next((n for n, i in enumerate(encoding.ids) if i in self._forbidden), None)
        if bad is None:
            return list(encoding.ids)
        start, end = encoding.offsets[bad]
        if end - start < 2:  # a one-character special token cannot be broken up: it is left out
            return self._guarded(text[:start] + " " + text[end:]) if end > start else []
        cut = start + 1 if not text[start].isspace() else start + 2
        return self._guarded(text[:cut]) + self._guarded(text[cut:])
