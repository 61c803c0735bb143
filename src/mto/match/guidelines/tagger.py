"""Parts of speech: the protocol that any tagger fits, and the two that ship."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from typing import Protocol

from mto.errors import UnknownNameError
from mto.match.guidelines.context import ContextTagger
from mto.match.guidelines.lexicon import Dictionary, SmallLexicon
from mto.registry import suggest

NAMES = ("auto", "lemminflect", "small")


class Tagger(Protocol):
    """Gives each word of a short text its universal part of speech (``NOUN``, ``VERB``, ``ADJ``, ``PART``, …).

    Any object with these two members serves, for example spaCy::

        class Spacy:
            name = "spaCy en_core_web_sm"

            def tag(self, words):
                return [token.pos_ for token in nlp(spacy.tokens.Doc(nlp.vocab, words=list(words)))]
    """

    @property
    def name(self) -> str:
        """What a report calls it."""
        ...

    def tag(self, words: Sequence[str]) -> Sequence[str]:
        """One tag a word; ``X`` for a word that the tagger does not know."""
        ...


def get_tagger(name: str | Tagger = "auto") -> Tagger:
    """A tagger by name, or the one that is given.

    Args:
        name: ``lemminflect`` (its dictionary; the extra ``tagger``), ``small`` (no dictionary), ``auto``
            (lemminflect where it is installed, else small), or an object with `name` and `tag`.

    Raises:
        UnknownNameError: no such tagger, or its package is not installed.

    >>> get_tagger("small").tag(("to", "fix", "a", "leak"))
    ('PART', 'VERB', 'DET', 'NOUN')
    """
    if not isinstance(name, str):
        return name
    if name not in NAMES:
        raise UnknownNameError(f"no tagger is named '{name}'", hint=suggest(name, NAMES))
    installed = importlib.util.find_spec("lemminflect") is not None
    if name == "lemminflect" and not installed:
        raise UnknownNameError("the tagger 'lemminflect' is not installed", hint="pip install 'mto[tagger]'")
    return _shipped("lemminflect" if installed and name != "small" else "small")


@functools.cache
def _shipped(name: str) -> ContextTagger:
    return ContextTagger(Dictionary() if name == "lemminflect" else SmallLexicon())
