"""The controls: the same sentences cut at random, as plain span corruption and as plain prefix language modelling (docs/method.md 6).

Whatever the task's pairs do better than these is due to where they were cut.
"""

from __future__ import annotations

import hashlib
import random

from mto.prepare.pairs import Objective, Pair
from mto.prepare.sentence import Selected
from mto.prepare.splitting.places import Place, cut, words_of


def random_span(one: Selected, words: int, *, seed: int) -> Pair | None:
    """A span of so many words at a random place, for denoising.

    Args:
        words: of the splitter's target in this sentence, so that only the place differs.
        seed: with the sentence's text it gives the place.

    Returns:
        None where nothing would be left of the sentence.
    """
    text = one.sentence.text
    places = words_of(text)
    if not 0 < words < len(places):
        return None
    first = _draw(text, seed, "span").randrange(len(places) - words + 1)
    return _pair(one, Place(places[first].start, places[first + words - 1].end), "denoising")


def random_prefix(one: Selected, *, seed: int) -> Pair | None:
    """The beginning of the sentence and its continuation, for language modelling; every place between two words is equally likely.

    None for a sentence of one word.
    """
    text = one.sentence.text
    places = words_of(text)
    if len(places) < 2:
        return None
    first = _draw(text, seed, "prefix").randrange(1, len(places))
    return _pair(one, Place(places[first].start, places[-1].end), "lm")


def _draw(text: str, seed: int, what: str) -> random.Random:
    digest = hashlib.sha256(f"{what}\x1f{seed}\x1f{text}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def _pair(one: Selected, place: Place, objective: Objective) -> Pair:
    before, target, after = cut(one.sentence.text, place)
    return Pair(
        before=before,
        target=target,
        after=after,
        objective=objective,
        probability=1.0 if objective == "denoising" else 0.0,
        task=one.task,
        by="random",
        score=one.score,
        sentence=one.sentence.text,
        where=one.sentence.where,
    )
