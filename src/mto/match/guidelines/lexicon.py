"""Which parts of speech an English word can have: from short lists and endings, or from a dictionary."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from importlib import resources
from typing import Protocol

import yaml

Parts = tuple[str, ...]

# What the last letters of a word say; the first that fits counts, where two letters or more stand before it.
_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("NOUN", ("fish", "ness", "tion", "sion", "ment", "ity", "ship", "ance", "ence", "ism", "ist", "age", "hood", "ery")),
    ("ADJ", ("ful", "less", "ous", "able", "ible", "ive", "ish", "ical", "some", "ary", "ic", "ular", "al", "proof")),
    ("ADJ", ("like", "worthy", "chy", "fty", "thy", "aky", "cky", "nky", "mpy", "lky", "zzy", "tzy", "bly")),
    ("ADV", ("ly",)),
)  # fmt: skip
_NEGATIONS = ("un", "dis", "in", "im", "ir")


class Lexicon(Protocol):
    """What an open-class word can be.

    `parts` gives universal part-of-speech tags, the likeliest first, and nothing for a word that it does not know.
    Where it is `complete`, a word that it does not know is hardly English.
    """

    name: str
    complete: bool

    def parts(self, word: str) -> Parts:
        """The tags of a word in lower case."""
        ...


@functools.cache
def english() -> Mapping[str, frozenset[str]]:
    """The lists of ``english.yaml``, those of closed classes under their tag."""
    text = resources.files(__package__ or "").joinpath("english.yaml").read_text(encoding="utf-8")
    lists = yaml.safe_load(text)
    return {name: frozenset(words.split()) for name, words in (lists.pop("closed") | lists).items()}


@functools.cache
def closed_parts(word: str) -> Parts:
    """The tags of a closed-class word (articles, pronouns, auxiliaries, …), in the order in which they are tried.

    >>> closed_parts("to"), closed_parts("toolbox")
    (('PART', 'ADP'), ())
    """
    return tuple(tag for tag, words in english().items() if tag.isupper() and word in words)


def base_forms(word: str) -> Parts:
    """Base forms that a verb form in ``-s``, ``-ed`` or ``-ing`` can come from, by spelling alone.

    >>> base_forms("hopping")
    ('hopp', 'hoppe', 'hop')
    """
    end = next((end for end in ("ing", "ed", "es", "s") if word.endswith(end)), None)
    if end is None or len(word) < len(end) + 2 or word.endswith("ss"):
        return ()
    stem = word.removesuffix(end)
    forms = [stem, word[:-1] if end in ("es", "ed") else stem + "e"]
    if end in ("ing", "ed") and len(stem) > 2 and stem[-1] == stem[-2]:
        forms.append(stem[:-1])
    if stem.endswith("i") and end in ("ed", "es"):
        forms.append(stem[:-1] + "y")
    if stem.endswith("y") and end == "ing":
        forms.append(stem[:-1] + "ie")
    return tuple(forms)


def by_spelling(word: str) -> Parts:
    """What the spelling of an unknown word says.

    >>> by_spelling("thankful"), by_spelling("strong-smelling"), by_spelling("unkind"), by_spelling("oven")
    (('ADJ',), ('ADJ',), ('ADJ',), ())
    """
    if word.isdigit():
        return ("NUM",)
    last = word.rpartition("-")[2]
    if last != word:
        describes = last.endswith(("ed", "ing", "en")) or last in english()["adjectives"]
        return ("ADJ",) if describes else by_spelling(last)
    if any(word.removeprefix(no) in english()["adjectives"] for no in _NEGATIONS if word.startswith(no)):
        return ("ADJ",)
    fits = (
        tag for tag, ends in _ENDINGS if any(word.endswith(end) and len(word) > len(end) + 1 for end in ends)
    )
    found = next(fits, None)
    return (found,) if found else ()


class SmallLexicon:
    """The fallback without a dictionary: about 1,400 common words and the endings of English."""

    name = "small"
    complete = False

    def parts(self, word: str) -> Parts:
        """Tags from the lists, else from the form of a listed verb, else from the spelling.

        >>> [SmallLexicon().parts(word) for word in ("clean", "scrubs", "crunchy", "toolbox")]
        [('ADJ', 'VERB', 'NOUN'), ('VERB', 'NOUN'), ('ADJ',), ()]
        """
        lists = english()
        listed = [
            ("nouns", "NOUN"),
            ("adjectives", "ADJ"),
            ("past", "VERB"),
            ("participles", "VERB"),
            ("verbs", "VERB"),
        ]
        found = [tag for name, tag in listed if word in lists[name]]
        if found:
            # Nearly every English verb in its base form is a noun as well.
            return tuple(dict.fromkeys((*found, "NOUN") if word in lists["verbs"] else found))
        if any(base in lists["verbs"] for base in base_forms(word)):
            return ("VERB", "ADJ") if word.endswith("ed") else ("VERB", "NOUN")
        if word.endswith("ing") and len(word) > 5 and "-" not in word:
            return ("VERB", "NOUN")
        if word.endswith("ed") and len(word) > 4 and "-" not in word:
            return ("VERB", "ADJ")
        return by_spelling(word)


class Dictionary:
    """The English dictionary of the package lemminflect: every part of speech that a word can have."""

    name = "lemminflect"
    complete = True

    def __init__(self) -> None:
        # The package ships two pickles for words outside its dictionary; `getAllLemmas` never opens them.
        self._lemmas = importlib.import_module("lemminflect").getAllLemmas
        self._small = SmallLexicon()

    def parts(self, word: str) -> Parts:
        """Tags from the dictionary, ordered by the short lists, else as nouns, adjectives, verbs."""
        found = set(self._lemmas(word))
        guess = self._small.parts(word)
        if not found:
            return guess
        # The dictionary holds no adjectives in -ed and -ing that are forms of verbs.
        likely = [tag for tag in guess if tag in found or tag == "ADJ"]
        return tuple(
            dict.fromkeys((*likely, *(tag for tag in ("NOUN", "ADJ", "VERB", "ADV") if tag in found)))
        )
