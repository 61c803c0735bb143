"""Cutting a line of text into sentences, by rules or by a library that is named."""

from __future__ import annotations

import re
from collections.abc import Callable

from mto.errors import DataError
from mto.registry import Registry

Cutter = Callable[[str], list[str]]
# A stop, closing quotes or brackets, blanks, then something that starts a sentence.
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
# No end of a sentence: titles, initials and the like.
ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Capt|Gen|Rev|vs|etc|e\.g|i\.e|No|Fig)|\b[A-Z])\.$")


def sentences(line: str) -> list[str]:
    """Cut a paragraph into sentences by rule (no model; good enough to give short texts).

    >>> sentences('Mr. Hall sat down. "Is it late?" he asked. It was 5 p.m. already.')
    ['Mr. Hall sat down.', '"Is it late?" he asked.', 'It was 5 p.m. already.']
    """
    pieces: list[str] = []
    start = 0
    for match in SENTENCE_END.finditer(line):
        end = match.start() + len(match.group().rstrip())
        if ABBREVIATION.search(line[start : match.start()]):
            continue
        pieces.append(line[start:end])
        start = match.end()
    pieces.append(line[start:])
    return [piece for piece in (p.strip() for p in pieces) if piece]


def _rules() -> Cutter:
    return sentences


def _spacy() -> Cutter:
    try:
        import spacy
    except ImportError as error:
        raise _lacking("spacy") from error
    pipe = spacy.blank("en")
    pipe.add_pipe("sentencizer")
    return lambda line: [sentence.text.strip() for sentence in pipe(line).sents if sentence.text.strip()]


def _wtpsplit() -> Cutter:
    try:
        from wtpsplit import SaT
    except ImportError as error:
        raise _lacking("wtpsplit") from error
    model = SaT("sat-3l-sm")
    return lambda line: [piece.strip() for piece in model.split(line) if piece.strip()]


def _lacking(package: str) -> DataError:
    return DataError(
        f"sentences are to be cut by {package}, which is not installed",
        hint=f"pip install {package}, or set sentences: rules",
    )


cutters: Registry[Callable[[], Cutter]] = Registry("cutter of sentences")
"""Makers of cutters by name."""
cutters.register("rules", _rules, summary="a regular expression; no model, the same everywhere")
cutters.register("spacy", _spacy, summary="spaCy's rule-based sentencizer (pip install spacy)")
cutters.register(
    "wtpsplit", _wtpsplit, summary="the SaT model, for text without end stops (pip install wtpsplit)"
)
