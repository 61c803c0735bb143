"""What a task's phrases say about where its targets begin: the words between the head and the answer, loosely.

The phrase "The {{ head }} can be used to" gives the cue "can be used to". It is also looked for without its first words, as long as one
of the rest says something ("used to"), and in other forms ("is used for"): verbs as stems, *for* as *to*, any person as *someone*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mto.prepare.splitting.places import Place, words_of
from mto.prepare.words import Normaliser
from mto.templates import TemplateFamily, TextSegment, compile_template

ARTICLES = frozenset({"a", "an", "the"})
_PERSONS = frozenset(
    "personx persony personz person someone somebody anyone everyone people you he she they i we one others other".split()
)
_MODALS = frozenset("can could may might will would".split())
_LIGHT = frozenset(
    "someone be have do can must should of in on at to from with by as like that it and so".split()
)
"""Words that say too little to be a cue alone."""
_PHRASE = TemplateFamily("phrase", source="{{ phrase }}", target="{{ answer }}")


@dataclass(frozen=True)
class Word:
    """A word of a sentence as cues are compared: its loose form (empty for an article) and its place."""

    loose: str
    text: str
    place: Place


@dataclass(frozen=True)
class Cue:
    """Words that stand right before a target.

    Attributes:
        words: loose words, in order.
        in_front: loose words that must stand somewhere before; asked for only where `words` say little.
        article: whether the phrase itself ends in an article, so that the target has none.
    """

    words: tuple[str, ...]
    in_front: frozenset[str] = frozenset()
    article: bool = False

    def end(self, sentence: Sequence[Word]) -> int | None:
        """Number of the first word of the target in a sentence (articles left out of the comparison); None: no such cue."""
        bare = [number for number, word in enumerate(sentence) if word.loose]
        loose = [sentence[number].loose for number in bare]
        size = len(self.words)
        for start in range(1, len(loose) - size):
            if tuple(loose[start : start + size]) == self.words and self.in_front <= set(loose[:start]):
                return self._begin(sentence, bare[start + size - 1] + 1)
        return None

    def _begin(self, sentence: Sequence[Word], at: int) -> int | None:
        while self.article and at < len(sentence) and not sentence[at].loose:
            at += 1
        return at if at < len(sentence) else None


class Reader:
    """Sentences to words as cues are compared; remembers stems."""

    def __init__(self) -> None:
        self._stems = Normaliser()

    def __call__(self, sentence: str) -> list[Word]:
        """The words of a sentence.

        >>> [word.loose for word in Reader()("People used the hammers for work.")]
        ['someone', 'use', '', 'hammer', 'to', 'work']
        """
        return [
            Word(self._loose(text := place.of(sentence)), text.lower(), place) for place in words_of(sentence)
        ]

    def _loose(self, text: str) -> str:
        word = text.lower()
        if word in ARTICLES:
            return ""
        if word in ("to", "for"):
            return "to"
        if word in _PERSONS:
            return "someone"
        if word in _MODALS:
            return "can"
        if word == "likely":  # its stem would be that of the verb "like"
            return word
        return " ".join(self._stems(word)) or word


def cues_of(phrases: Iterable[str], fields: Sequence[str], reader: Reader) -> tuple[Cue, ...]:
    """The cues of a task's phrases, those that ask for most words first.

    Args:
        phrases: template texts.
        fields: names of the fields that they may hold.

    Raises:
        TemplateError: a phrase is wrong.
    """
    found = [cue for phrase in phrases for cue in _cues(*_literals(phrase, fields), reader)]
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda cue: -len(cue.words) - 0.5 * len(cue.in_front)))


def _cues(front: str, behind: str, reader: Reader) -> Iterator[Cue]:
    words = reader(behind)
    bare = [word.loose for word in words if word.loose]
    article = bool(words) and not words[-1].loose
    context = frozenset(_heavy(word.loose for word in reader(front)))
    for start in range(len(bare)):
        if "not" in bare[:start]:  # without it the rest would say the opposite
            return
        rest = tuple(bare[start:])
        says_enough = any(_heavy(rest))
        if says_enough:
            yield Cue(rest, frozenset(), article)
        elif start == 0:
            yield Cue(rest, context, article)


def _heavy(words: Iterable[str]) -> list[str]:
    return [word for word in words if word and word not in _LIGHT]


def _literals(phrase: str, fields: Sequence[str]) -> tuple[str, str]:
    """The phrase's own words before its last field, and behind it."""
    template = compile_template(_PHRASE, phrase=phrase, fields=fields)
    rendered = template.render(dict.fromkeys(fields, "x"), None)
    segment = next(part for part in rendered.source if isinstance(part, TextSegment))
    spans = segment.fields
    if not spans:
        return "", segment.text
    front = [segment.text[a:b] for a, b in _gaps([(span.start, span.end) for span in spans])]
    return " ".join(front), segment.text[spans[-1].end :]


def _gaps(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    done = 0
    for start, end in spans:
        yield done, start
        done = end
