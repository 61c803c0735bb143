"""A word's part of speech from its neighbours, among those that a lexicon allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mto.match.guidelines.lexicon import Lexicon, Parts, closed_parts, english

_BE = {
    "is",
    "are",
    "was",
    "were",
    "be",
    "been",
    "being",
    "am",
    "isn't",
    "aren't",
    "wasn't",
    "weren't",
    "i'm",
    "it's",
}
_PARTICLES = {
    "up",
    "off",
    "out",
    "down",
    "away",
    "back",
    "over",
    "into",
    "onto",
    "through",
    "around",
    "along",
    "on",
}
_OBJECTS = {"him", "me", "them", "us", "mine", "ours", "theirs", "yours", "something"}
_NOMINAL = {"NOUN", "ADJ"}


class ContextTagger:
    """English parts of speech by a dozen ordered rules; the first that has an answer decides."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    @property
    def name(self) -> str:
        """The lexicon's."""
        return self._lexicon.name

    def tag(self, words: Sequence[str]) -> tuple[str, ...]:
        """One universal tag a word; ``X`` for words that are not English."""
        lower = [word.lower() for word in words]
        options = [closed_parts(word) or self._lexicon.parts(word) for word in lower]
        tags: list[str] = []
        for at in range(len(lower)):
            tags.append(_choose(_Place(at, lower, options, tags, self._lexicon.complete)))
        return tuple(tags)


@dataclass(frozen=True, slots=True)
class _Place:
    at: int
    words: Sequence[str]
    options: Sequence[Parts]
    tags: Sequence[str]
    complete: bool

    @property
    def word(self) -> str:
        return self.words[self.at]

    @property
    def can_be(self) -> Parts:
        return self.options[self.at]

    @property
    def first(self) -> bool:
        return self.at == 0

    @property
    def last(self) -> bool:
        return self.at == len(self.words) - 1

    @property
    def before(self) -> str:
        """The tag of the word before; nothing at the beginning."""
        return self.tags[-1] if self.tags else ""

    @property
    def word_before(self) -> str:
        return self.words[self.at - 1] if self.at else ""

    @property
    def word_after(self) -> str:
        return "" if self.last else self.words[self.at + 1]

    @property
    def after(self) -> Parts:
        """What the next word can be; nothing at the end, a noun where it is unknown."""
        return () if self.last else self.options[self.at + 1] or ("NOUN",)

    @property
    def has_object(self) -> bool:
        """Whether an article, a pronoun or a particle follows, as behind a verb."""
        return bool({"DET", "PRON"} & set(self.after)) or self.word_after in _PARTICLES

    @property
    def has_subject(self) -> bool:
        """Whether a subject pronoun stands before, and no verb yet."""
        verbs = {"VERB", "AUX", "PART"} & set(self.tags)
        return not verbs and any(
            t == "PRON" and w not in _OBJECTS for t, w in zip(self.tags, self.words, strict=False)
        )

    @property
    def is_participle(self) -> bool:
        known = self.word in english()["participles"]
        return known or (self.word.endswith("ed") and not self.word.endswith("eed") and len(self.word) > 3)


def _choose(place: _Place) -> str:
    return next(tag for rule in _RULES if (tag := rule(place)) is not None)


def _to(p: _Place) -> str | None:
    """*to* before a verb, or before a place or person."""
    if p.word != "to":
        return None
    if p.first:
        return "ADP" if {"DET", "PRON"} & set(p.after) else "PART"
    return "PART" if p.after[:1] in (("VERB",), ("AUX",), ("PART",), ("ADV",)) else "ADP"


def _closed(p: _Place) -> str | None:
    tags = closed_parts(p.word)
    if not tags:
        return None
    if p.word == "can" and (p.last or p.first) and "VERB" not in p.after:
        return "NOUN"
    if p.word == "like" and (p.first or p.has_subject):
        return "VERB"
    if "DET" in tags and "PRON" in tags:
        return "DET" if _NOMINAL & set(p.after) else "PRON"
    return tags[0]


def _foreign(p: _Place) -> str | None:
    return "X" if not p.can_be and (p.word in english()["foreign"] or not p.word.isascii()) else None


def _after_be(p: _Place) -> str | None:
    """What someone is: an adjective, a noun, or what is being done."""
    if p.word_before not in _BE:
        return None
    if p.word.endswith("ing"):
        return "ADJ" if "ADJ" in p.can_be else "VERB"
    return "ADJ" if "ADJ" in p.can_be or p.is_participle else "NOUN"


def _after_to(p: _Place) -> str | None:
    """A verb follows *to*, a modal verb, or a subject."""
    wanted = p.before == "AUX" or (p.before == "PART" and p.word_before != "'s")
    if wanted and p.word_before in ("has", "have", "had", "having"):
        wanted = p.is_participle
    if p.before == "PRON" and p.word_before not in _OBJECTS:
        wanted = True
    if wanted:
        return "ADV" if p.can_be == ("ADV",) else "VERB"
    return "VERB" if p.has_subject and (p.is_participle or p.word in english()["past"]) else None


def _in_noun_phrase(p: _Place) -> str | None:
    if p.before in ("DET", "ADP", "NUM", "ADJ") or p.word_before == "'s":
        return "VERB" if p.before == "ADP" and p.word.endswith("ing") and not p.last else _nominal(p)
    return None


def _unknown(p: _Place) -> str | None:
    if p.can_be:
        return None
    opens = p.before in ("", "ADV")
    if opens and p.has_object and p.word_after != "on":
        return "VERB"
    return "X" if p.complete else "NOUN"


def _ing(p: _Place) -> str | None:
    """*sewing box* is a noun; *making smoothies* and *hanging wet laundry* are verbs."""
    if not p.word.endswith("ing") or "VERB" not in p.can_be:
        return None
    if "-" in p.word:
        return "ADJ"
    if p.last:
        return next(
            (tag for tag in ("ADJ", "NOUN") if p.can_be[0] == tag), "NOUN" if p.before == "NOUN" else "VERB"
        )
    return (
        "NOUN"
        if p.word in english()["compounding"] and ("NOUN" in p.after or p.word_after == "can")
        else "VERB"
    )


def _participle(p: _Place) -> str | None:
    if not p.is_participle:
        return None
    if {"DET", "PRON"} & set(p.after):
        return "VERB"
    if p.word in english()["past"] and p.after:
        return "VERB"
    return "VERB" if p.before in ("NOUN", "PROPN") and not p.last else "ADJ"


def _opening(p: _Place) -> str | None:
    """A verb in its base form, or in ``-s``, at the beginning or behind *and* or an adverb."""
    if p.before not in ("", "ADV", "CCONJ", "SCONJ") or "VERB" not in p.can_be:
        return None
    if p.has_object and not p.last:
        return "VERB"
    plural = p.word.endswith("s") and not p.word.endswith("ss")
    if plural and _NOMINAL & set(p.after):
        return "VERB"
    if p.can_be[0] == "ADJ" and "VERB" in p.can_be and not p.last and "ADP" not in p.after:
        return "VERB" if p.word in english()["verbs"] else "ADJ"
    return p.can_be[0]


def _behind_noun(p: _Place) -> str | None:
    """*garden shed* is a noun, *the dog barks at strangers* holds a verb."""
    if p.before not in ("NOUN", "PROPN", "X") or "VERB" not in p.can_be:
        return None
    if p.has_object or "NOUN" not in p.can_be or p.word in english()["past"]:
        return "VERB"
    return "NOUN"


def _rest(p: _Place) -> str | None:
    if p.first and p.last:
        return p.can_be[0]
    return p.can_be[0] if len(p.can_be) == 1 else _nominal(p)


def _nominal(p: _Place) -> str:
    """Adjective or noun: an adjective where a noun follows, or where no noun is possible."""
    followed = bool(_NOMINAL & set(p.after))
    if "ADJ" in p.can_be and (followed or "NOUN" not in p.can_be):
        return "ADJ"
    if "ADJ" in p.can_be and p.can_be[0] == "ADJ" and p.before in ("", "ADV", "CCONJ"):
        return "ADJ"
    if "NOUN" in p.can_be or not p.can_be:
        return "NOUN"
    return "ADJ" if p.is_participle or followed else "NOUN" if "VERB" in p.can_be else p.can_be[0]


_RULES: tuple[Callable[[_Place], str | None], ...] = (
    _to, _closed, _foreign, _after_be, _after_to, _in_noun_phrase, _unknown, _ing, _participle, _opening, _behind_noun,
    _rest,
)  # fmt: skip
