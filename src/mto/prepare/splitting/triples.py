"""Labelled triples written as plain sentences: what the model splitter learns from, and what splitters are judged on.

``hammer``, ``pounding nails`` and the phrase "The {{ head }} is used for" become "The hammer is used for pounding nails." with the target
"pounding nails" (docs/method.md 6). Raw text has no PersonX, so most triples of events are written about a name or "someone".

Rows of other kinds are written as the task reads: the question, the phrase and the right answer, or a text, the phrase and a word of its
label; without a phrase the answer follows the input.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mto.prepare.splitting.places import align
from mto.tasks import Row, Task
from mto.templates import TemplateFamily
from mto.templates.segments import plain_text

_WHOLE = TemplateFamily("sentence", source="{{ phrase }}", target="{{ answer }}")
_CAST = (
    ("PersonX", "PersonY", "PersonZ"),
    ("someone", "a friend", "the others"),
    ("Anna", "Tom", "Maria"),
    ("the man", "his neighbour", "the child"),
    ("she", "him", "Ben"),
    ("my sister", "Alex", "a stranger"),
    ("a person", "somebody", "the family"),
)
"""Who PersonX, PersonY and PersonZ may be."""
_OWNS = {"she": "her", "him": "his", "the others": "the others'"}
_MOST_WORDS = 40
"""Of the input of another kind than completion; raw sentences have no more (`CleanConfig`)."""
_PERSON = re.compile(r"\bperson ?([xyz])\b((?:'|\N{RIGHT SINGLE QUOTATION MARK})s)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Triple:
    """A labelled triple as one sentence.

    Attributes:
        sentence: head, phrase and tail; of a question or a text its last words, as many as a raw sentence may have.
        target: the tail, as it stands in the sentence.
        task: the name of its task.
    """

    sentence: str
    target: str
    task: str


def verbalise(
    task: Task, rows: Iterable[Row], *, seed: int, phrases: Sequence[str] | None = None
) -> list[Triple]:
    """Write rows of a task with each phrase.

    Args:
        seed: chooses who the persons are; equal seeds give equal sentences.
        phrases: in place of the task's; a completion task without phrases gives nothing.

    Raises:
        TemplateError: a phrase is wrong.

    >>> from mto.tasks import load_task, draw_split
    >>> task = load_task("household/ObjectUse")
    >>> rows = draw_split(task, shots=1, seed=0).train
    >>> verbalise(task, rows, seed=0)[0].sentence.startswith("The ")
    True
    """
    written = []
    given = tuple(rows)
    for phrase in _phrases(task) if phrases is None else phrases:
        template = task.form.template(_WHOLE, phrase=phrase, fields=task.fields)
        for row in given:
            cast = _cast(seed, row.id, phrase)
            asked = plain_text(template.render(row.fields, None).source).strip()
            if task.kind != "completion":
                asked = " ".join(asked.split()[-_MOST_WORDS:])
            target = task.form.written(row.target, natural=True).strip()
            triple = _triple(name_persons(asked, cast), name_persons(target, cast), task.name)
            if triple is not None:
                written.append(triple)
    return written


def _phrases(task: Task) -> tuple[str, ...]:
    """The phrases that rows are written with; of a question or a text without one its fields alone."""
    if task.phrases or task.kind == "completion":
        return task.phrases
    return (" ".join(f"{{{{ {name} }}}}" for name in task.fields if name != "relation"),)


def name_persons(text: str, cast: Sequence[str]) -> str:
    """A text with its placeholders replaced: PersonX, Y and Z by a cast of three, the blank by *something*.

    >>> name_persons("PersonX takes PersonX's ___ to PersonY", ("she", "him", "Ben"))
    'she takes her something to him'
    """

    def one(match: re.Match[str]) -> str:
        who = cast["xyz".index(match[1].lower())]
        return _OWNS.get(who, f"{who}'s") if match[2] else who

    return re.sub(r"_{2,}", "something", _PERSON.sub(one, text))


def _triple(asked: str, target: str, task: str) -> Triple | None:
    """None where the target cannot be found again, such as one of signs alone."""
    sentence = f"{asked[:1].upper()}{asked[1:]} {target}"
    if sentence[-1] not in ".!?":
        sentence += "."
    return Triple(sentence, target, task) if align(target, sentence) else None


def _cast(seed: int, head: str, phrase: str) -> tuple[str, ...]:
    digest = hashlib.sha256(f"{seed}\x1f{head}\x1f{phrase}".encode()).digest()
    return _CAST[digest[0] % len(_CAST)]
