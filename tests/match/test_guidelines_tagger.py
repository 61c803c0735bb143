"""Words, parts of speech and shapes."""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import pytest

from mto.errors import UnknownNameError
from mto.match.guidelines import get_tagger
from mto.match.guidelines.lexicon import SmallLexicon, base_forms, by_spelling
from mto.match.guidelines.shape import shape
from mto.match.guidelines.words import words
from tests.conftest import missing

SHAPES = {
    "noun": ("garden shed", "a sharp knife", "living room", "watering can", "broken window", "box to put toys in",
             "medicine cabinet", "old dog", "the back of the car", "trash can"),
    "adjective": ("fragile", "tired", "strong-smelling", "afraid of dogs", "very old", "unkind", "wooden and heavy"),
    "verb": ("to fix a leak", "fixing a leak", "gets a headache", "PersonX runs", "he was tired", "to not give up",
             "is followed home", "knead dough", "open the window", "hanging wet laundry", "People are happy",
             "went home", "loses his keys", "PersonX accidentally burned ___"),
    "other": ("in the garden", "at home"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "text"), [(kind, text) for kind, texts in SHAPES.items() for text in texts]
)
@pytest.mark.parametrize("name", ["small", "auto"])
def test_shapes(name: str, wanted: str, text: str) -> None:
    found = words(text)
    tags = get_tagger(name).tag(found)
    assert len(tags) == len(found)
    assert shape(found, tags) == wanted, tags


def test_words() -> None:
    assert words("PersonX\N{RIGHT SINGLE QUOTATION MARK}s cat, PersonY!") == (
        "someone",
        "'s",
        "cat",
        "someone",
    )
    assert words("person x helps person  y") == ("someone", "helps", "person", "y")
    assert words("it's a well-known ____") == ("it's", "a", "well-known", "something")
    assert words("...") == ()
    assert shape((), ()) == "other"


def test_base_forms() -> None:
    for form, base in [
        ("hopping", "hop"),
        ("bakes", "bake"),
        ("tried", "try"),
        ("tying", "tie"),
        ("washes", "wash"),
    ]:
        assert base in base_forms(form)
    assert base_forms("glass") == base_forms("is") == ()


def test_spelling_and_lists() -> None:
    assert by_spelling("12") == ("NUM",) and by_spelling("slowly") == ("ADV",)
    assert by_spelling("goldfish") == ("NOUN",) and by_spelling("childish") == ("ADJ",)
    small = SmallLexicon()
    assert small.parts("baked") == ("VERB", "ADJ") and small.parts("broken") == ("VERB",)
    assert small.parts("zzz") == ()


def test_unknown_words_are_marked() -> None:
    assert get_tagger("small").tag(words("für die Nägel und das Messer")).count("X") >= 4
    assert get_tagger("small").tag(("toolbox",)) == ("NOUN",)


def test_the_dictionary_tells_foreign_words_and_opens_no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("lemminflect") is None:
        missing("extra 'tagger' (pip install 'mto[tagger]')")

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a pickle was opened")

    monkeypatch.setattr(pickle, "load", refuse)
    tagger = get_tagger("lemminflect")
    assert tagger.name == "lemminflect"
    assert tagger.tag(("Werkzeugkasten",)) == ("X",) and tagger.tag(("toolbox",)) == ("NOUN",)
    assert tagger.tag(("nibbles", "a", "carrot")) == ("VERB", "DET", "NOUN")


def test_a_missing_dictionary_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert get_tagger("auto").name == "small"
    with pytest.raises(UnknownNameError, match=r"mto\[tagger\]"):
        get_tagger("lemminflect")
