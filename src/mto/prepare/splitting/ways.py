"""Which part of a sentence stands for a task's answer, by the kind of the task and by what its labelled answers are like.

Completion tasks, and others whose answers are phrases, look for a span. The answer of a classification is a word of a label. Answers
that are whole sentences can be no span of a sentence, so there the sentence itself is continued.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mto.match.guidelines import Tagger
from mto.match.guidelines.shape import shape
from mto.match.guidelines.words import words
from mto.tasks import Task

Way = Literal["span", "label-word", "first-words"]
LEAST_WORDS = 4
"""Fewest words of a whole sentence."""


def way_of(task: Task, targets: Sequence[str], tagger: Tagger) -> Way:
    """How sentences of a task become pairs.

    Args:
        targets: of the labelled rows. A task that has none looks for spans.

    >>> from mto.match.guidelines import get_tagger
    >>> from mto.tasks import task_from_rows
    >>> rows = [{"source": "dog, wag", "target": "A dog wags its tail."}, {"source": "cat", "target": "The cat slept."}]
    >>> task = task_from_rows(rows, kind="text-to-text")
    >>> tagger = get_tagger("small")
    >>> way_of(task, ["A dog wags its tail.", "The cat is asleep now"], tagger), way_of(task, ["a tail"], tagger)
    ('first-words', 'span')
    """
    if task.kind == "completion":
        return "span"
    if task.kind == "classification":
        return "label-word"
    whole = sum(is_sentence(target, tagger) for target in targets)
    return "first-words" if 2 * whole > len(targets) else "span"


def is_sentence(text: str, tagger: Tagger) -> bool:
    """Whether a text is a whole sentence: of four words or more, with a stop at its end or a subject before its verb."""
    found = words(text)
    if len(found) < LEAST_WORDS:
        return False
    if text.rstrip().endswith((".", "!", "?")):
        return True
    tags = tagger.tag(found)
    return tags[0] not in ("VERB", "AUX", "PART") and shape(found, tags) == "verb"


def told(task: Task, way: Way, *, model: bool) -> list[str]:
    """What the datasheet says about a task of another kind than completion: how its sentences are cut, and what does not apply.

    Args:
        way: see `way_of`.
        model: whether a model splitter is asked as well.
    """
    if task.kind == "completion":
        return []
    kind = task.kind.replace("-", " ")
    if way == "first-words":
        return [
            f"{task.name} ({kind}): its answers are whole sentences, which are no span of a sentence. So neither rules nor a model look for "
            "one: a sentence is cut behind its first third, and the rest is what must be written, as in language modelling."
        ]
    if way == "label-word":
        labels = "; ".join(f"{name}: {', '.join(some)}" for name, some in task.form.labels.items())
        also = (
            "where none stands, the model splitter looks for a span of no more words than a label has"
            if model
            else "other sentences give no pair"
        )
        return [
            f"{task.name} ({kind}): the last word of a label in a sentence is its target ({labels}); {also}. No label was read off the text: "
            "a word of a label in a sentence does not say that the sentence belongs to it."
        ]
    return [
        f"{task.name} ({kind}): the pairs are plain sentences that are near its labelled rows, cut where a phrase stands that is shaped as its "
        "answers are; none of them is a question with its choices."
        if task.kind == "multiple-choice"
        else f"{task.name} ({kind}): the pairs are plain sentences that are near its labelled rows, cut where a phrase stands that is shaped as "
        "its targets are; none of them is a source with its target."
    ]
