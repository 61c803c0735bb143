"""Which sentences are kept: whole, plain, English-like ones of a usable length. Every reason to drop one is counted."""

from __future__ import annotations

import re

from pydantic import Field, PositiveInt, field_validator

from mto.config import Strict

TOO_SHORT, TOO_LONG, ODD, SHOUTING, LIST, LANGUAGE = (
    "too short",
    "too long",
    "odd characters",
    "shouting",
    "list",
    "not English-like",
)
REASONS = (TOO_SHORT, TOO_LONG, ODD, SHOUTING, LIST, LANGUAGE)
"""In the order in which they are looked for; a sentence is counted once."""

FUNCTION_WORDS = frozenset(
    """a an the this that these those some any no every each all both either neither another such
    i you he she it we they me him her us them my your his its our their mine yours hers ours theirs myself yourself
    himself herself itself themselves who whom whose which what someone anyone everyone something anything everything nothing
    am is are was were be been being do does did done have has had can could may might must shall should will would
    of in on at by for from with to into onto over under about after before between through during without within against
    as than like near off out up down around across along behind because and or but nor so yet if when while where
    until unless since though although not very too also only just then there here how why more most much many few less least
    don't doesn't didn't isn't aren't wasn't weren't can't won't i'm it's that's you're they're we're""".split()
)
"""Words that hold English sentences together; about four words in ten of running text."""
_LETTERS = re.compile(r"[a-z]+(?:'[a-z]+)?")
_ODD = re.compile(r"[^A-Za-z0-9 .,;:!?'\"()%$&/\u2018\u2019\u201c\u201d\u2013\u2014\u00c0-\u024f-]")
_MARKUP = re.compile(r"https?:|www\.|@\w|[<>{}|\\^~=_#*]{1}|\.\.\.\.|\ufffd")
_BULLET = re.compile(r"(?:[-\u2022*+>]|\(?\d{1,3}[.)]|\(?[a-zA-Z]\))\s")


class CleanConfig(Strict):
    """What a sentence must be like."""

    words: tuple[PositiveInt, PositiveInt] = (4, 40)
    """Fewest and most words."""
    function_share: float = Field(default=0.15, ge=0, le=1)
    """Least share of common function words; English prose has about 0.4, lists of names and other languages nearly none.
    Sentences of up to `short` words need none ("Male dogs chase cats.")."""
    short: PositiveInt = 6
    """Most words of a sentence that may do without function words."""
    odd_share: float = Field(default=0.04, ge=0, le=1)
    """Most characters, as a share, that are no letter, digit, blank or usual punctuation."""
    digit_share: float = Field(default=0.2, ge=0, le=1)
    """Most digits, as a share of the characters."""
    upper_share: float = Field(default=0.4, ge=0, le=1)
    """Most capitals, as a share of the letters."""
    list_share: float = Field(default=0.34, ge=0, le=1)
    """Most commas, semicolons and colons, as a share of the words."""

    @field_validator("words")
    @classmethod
    def _range(cls, value: tuple[int, int]) -> tuple[int, int]:
        if value[1] < value[0]:
            raise ValueError(f"the fewest words are more than the most: {list(value)}")
        return value


def blanks(text: str) -> str:
    """A text with every run of blanks made one, stripped.

    >>> blanks("  It \\t rained. ")
    'It rained.'
    """
    return " ".join(text.split())


def problem(text: str, config: CleanConfig) -> str | None:
    """Why a sentence (with single blanks) is dropped, or None when it is kept.

    >>> problem("The cat sat on the mat.", CleanConfig()) is None
    True
    >>> problem("Der Hund lief heute schnell durch den ganzen Garten.", CleanConfig())
    'not English-like'
    """
    words = text.count(" ") + 1
    if words < config.words[0]:
        return TOO_SHORT
    if words > config.words[1]:
        return TOO_LONG
    if not text.isprintable() or _MARKUP.search(text) or _odd(text, config):
        return ODD
    letters = sum(map(str.isalpha, text))
    if not letters or sum(map(str.isupper, text)) > config.upper_share * letters + 1:
        return SHOUTING
    marks = text.count(",") + text.count(";") + text.count(":")
    if marks > config.list_share * words or _BULLET.match(text):
        return LIST
    return None if _english(text, words, config) else LANGUAGE


def _odd(text: str, config: CleanConfig) -> bool:
    if len(_ODD.findall(text)) > config.odd_share * len(text):
        return True
    return sum(map(str.isdigit, text)) > config.digit_share * len(text)


def _english(text: str, words: int, config: CleanConfig) -> bool:
    if words <= config.short:
        return text.replace("\u2019", "'").isascii()
    found = _LETTERS.findall(text.lower().replace("\u2019", "'"))
    common = sum(word in FUNCTION_WORDS for word in found)
    return common >= config.function_share * words
