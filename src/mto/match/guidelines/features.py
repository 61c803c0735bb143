"""What the rules look at: figures on the shape of labelled rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from mto.errors import DataError
from mto.match.guidelines.lexicon import closed_parts
from mto.match.guidelines.shape import Shape, shape
from mto.match.guidelines.tagger import Tagger
from mto.match.guidelines.words import words
from mto.tasks import Form, Row
from mto.tasks.form import PLAIN

_ASKING = {"what", "who", "whom", "whose", "which", "why", "how"}
_PLACEHOLDERS = {"someone", "something"}
_BLANK = re.compile(r"(?<!\w)_+(?!\w)|\.\.\.|\N{HORIZONTAL ELLIPSIS}")
SHORT_ANSWER = 3
"""Most words of a short answer, where no table says so."""


@dataclass(frozen=True)
class Measured:
    """The figures on some rows.

    Attributes:
        rows: how many rows were read.
        targets: how many different targets they have.
        inputs: how many different inputs they have.
        values: every figure by its name; shares lie between 0 and 1. Names and meanings are in `measure`.
        opening: the commonest first word of the targets with two words or more; empty when none comes twice.
        labels: whether the targets are labels: a few words that come again and again by their nature.
    """

    rows: int
    targets: int
    inputs: int
    values: Mapping[str, float]
    opening: str
    labels: bool = False


def measure(
    rows: Sequence[Row],
    tagger: Tagger,
    phrase: str | None = None,
    *,
    form: Form = PLAIN,
    short: int = SHORT_ANSWER,
) -> Measured:
    """Measure the shape of some rows.

    The values are:

    * ``words``: mean length of a target in words; ``spread``: its standard deviation over the rows;
    * ``noun``, ``adjective``, ``verb``, ``other``: share of targets of each shape (`shape`), which sum to 1;
      ``form``: noun + adjective - verb, from -1 to 1;
    * ``to``, ``ing``: share of targets that begin with *to*, or with a word in *-ing*;
    * ``event``: share of inputs that are a sentence or a verb phrase, not a noun phrase;
    * ``opening``: how often a target begins with the commonest first word: ``(count - 1) / (rows - 1)`` over the
      targets with two words or more, so that one row repeats nothing;
    * ``overlap``: mean share of a target's content words that stand in its input too;
    * ``question``: share of inputs that come as a question (a field ``question``, or a question mark at the end);
      ``full_question``: share of inputs that are a full question; ``cloze``: that are the beginning of a sentence, or one
      with a blank;
    * ``brief``: share of targets that are one noun phrase or adjective of at most `short` words; ``long``: that have more
      words than that;
    * ``asking``: share of rows that are a full question with a long answer, less the share of rows that are a cloze or a
      question with an answer of one short noun phrase or adjective; from -1 to 1;
    * ``unknown``: share of all words that the tagger does not know.

    Args:
        rows: one row or more.
        tagger: gives parts of speech.
        phrase: the natural phrase of the task; where its last word is an article, a pronoun or an auxiliary
            (``The {{ head }} can``), the tagger reads it before the target. With one a label is measured as its word.
        form: the kind of task.
        short: most words of a short answer.

    Raises:
        DataError: there are no rows.
    """
    if not rows:
        raise DataError(
            "the guidelines got no rows", hint="give at least one labelled row; ten or more say much more"
        )
    lead = _lead(phrase)
    targets = [words(form.written(row.target, natural=phrase is not None)) for row in rows]
    inputs = [words(input_text(row)) for row in rows]
    tagged = [_tagged(tagger, target, lead) for target in targets]
    heads = [_tagged(tagger, text, ()) for text in inputs]
    formed = [shape(target, tags) for target, tags in zip(targets, tagged, strict=True)]
    shapes = Counter(formed)
    brief = [
        len(target) <= short and form_ in ("noun", "adjective")
        for target, form_ in zip(targets, formed, strict=True)
    ]
    long = [len(target) > short for target in targets]
    lengths = np.array([len(target) for target in targets], dtype=float)
    opening, repeated = _opening(targets)
    n = len(rows)
    part = {name: shapes[name] / n for name in get_args(Shape)}
    all_tags = [tag for tags in (*tagged, *heads) for tag in tags]
    values = {
        "words": float(lengths.mean()),
        "spread": float(lengths.std()),
        **part,
        "form": part["noun"] + part["adjective"] - part["verb"],
        "to": _share(len(target) > 1 and target[0].lower() == "to" for target in targets),
        "ing": _share(bool(target) and target[0].lower().endswith("ing") for target in targets),
        "event": _share(shape(text, tags) == "verb" for text, tags in zip(inputs, heads, strict=True)),
        "opening": repeated,
        "overlap": _overlap(targets, [words(row.head) for row in rows]),
        "question": _share(is_question(row) for row in rows),
        "full_question": _share(is_full_question(row) for row in rows),
        "cloze": _share(is_cloze(row) for row in rows),
        "brief": _share(brief),
        "long": _share(long),
        "asking": float(np.mean([_asking(*one) for one in zip(rows, brief, long, strict=True)])),
        "unknown": all_tags.count("X") / len(all_tags) if all_tags else 0.0,
    }
    distinct = len(set(map(_fold, targets))), len(set(map(_fold, inputs)))
    return Measured(n, *distinct, values, opening, labels=bool(form.labels))


def input_text(row: Row) -> str:
    """What the model is given: the question where there is one, else the head, else all fields in order."""
    for name in ("question", "head"):
        if row.fields.get(name):
            return row.fields[name]
    return " ".join(text for name, text in row.fields.items() if name != "relation")


def is_question(row: Row) -> bool:
    """Whether the input comes as a question: in a field of that name, or with a question mark at its end."""
    return bool(row.fields.get("question")) or input_text(row).rstrip().endswith("?")


def is_full_question(row: Row) -> bool:
    """Whether a question asks (*Where do you keep milk?*), and is not the beginning of a sentence.

    >>> asked = [{"question": "Where do you keep milk?"}, {"question": "Milk is usually kept in the"}]
    >>> [is_full_question(Row("id", fields, "fridge", ("fridge",), "")) for fields in asked]
    [True, False]
    """
    text = input_text(row).rstrip()
    if not is_question(row) or text.endswith(",") or _BLANK.search(text):
        return False
    if text.endswith("?"):
        return True
    begin = [word.lower() for word in words(text)[:2]]
    asks = begin[:1] and (begin[0] in _ASKING or closed_parts(begin[0])[:1] == ("AUX",))
    return bool(asks or (begin[:1] in (["when"], ["where"]) and closed_parts(begin[-1])[:1] == ("AUX",)))


def is_cloze(row: Row) -> bool:
    """Whether a question is a sentence to be filled or finished: one with a blank, or the beginning of one.

    >>> asked = [{"question": "Milk is kept in the"}, {"question": "The ___ is hot."}, {"question": "He sighed."}]
    >>> [is_cloze(Row("id", fields, "fridge", ("fridge",), "")) for fields in asked]
    [True, True, False]
    """
    text = input_text(row).rstrip()
    if not is_question(row) or is_full_question(row):
        return False
    return bool(_BLANK.search(text)) or not text.endswith((".", "!"))


def _asking(row: Row, brief: bool, long: bool) -> float:
    """1 for a full question with a long answer, -1 for a cloze or a question with a short noun phrase, 0 for the rest."""
    if is_cloze(row) or (is_question(row) and brief):
        return -1.0
    return float(is_full_question(row) and long)


def _lead(phrase: str | None) -> tuple[str, ...]:
    """The last word of a phrase, where it tells what part of speech comes next.

    >>> _lead("The {{ head }} can"), _lead("After {{ head }}, PersonX wants")
    (('could',), ())
    """
    last = words((phrase or "").rpartition("}}")[2])[-1:]
    if last == ("can",):
        last = ("could",)  # the same to what follows, and never a tin
    return last if last and closed_parts(last[0].lower())[:1] in (("DET",), ("PRON",), ("AUX",)) else ()


def _tagged(tagger: Tagger, text: tuple[str, ...], lead: tuple[str, ...]) -> tuple[str, ...]:
    if not text or text[0].lower() == "to":
        lead = ()
    tags = tuple(tagger.tag((*lead, *text)))[len(lead) :]
    if len(tags) != len(text):
        raise DataError(
            f"the tagger '{tagger.name}' gave {len(tags)} tags for {len(text)} words: {' '.join(text)!r}",
            hint="a tagger must give one tag a word, for the words as they are",
        )
    return tags


def _opening(targets: Sequence[tuple[str, ...]]) -> tuple[str, float]:
    counts = Counter(target[0].lower() for target in targets if len(target) > 1)
    word, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return (word, (count - 1) / (len(targets) - 1)) if count > 1 else ("", 0.0)


def _overlap(targets: Sequence[tuple[str, ...]], inputs: Sequence[tuple[str, ...]]) -> float:
    pairs = ((_content(target), _content(text)) for target, text in zip(targets, inputs, strict=True))
    shares = [len(mine & given) / len(mine) for mine, given in pairs if mine]
    return float(np.mean(shares)) if shares else 0.0


def _content(text: tuple[str, ...]) -> set[str]:
    return {word for word in map(str.lower, text) if not closed_parts(word) and word not in _PLACEHOLDERS}


def _fold(text: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.lower() for word in text)


def _share(flags: Iterable[bool]) -> float:
    return float(np.mean(list(flags)))
