"""What is right by chance, by habit, or by looking up the nearest row, where a task has options: no model is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mto.evaluate.baselines import nearest_head
from mto.evaluate.scores import Scores, score
from mto.tasks import Example, Form, Row, Split, folds

MAJORITY, RANDOM, NEAREST = "most frequent answer", "guessing", "nearest head"


def option_baselines(
    form: Form, split: Split, parts: int | None, metrics: Sequence[str]
) -> list[tuple[str, Scores]]:
    """The most frequent right answer of the few-shot rows, guessing, and for labels the label of the nearest text.

    Of choices the most frequent answer is a place, such as the second. Guessing scores one over the number of options at
    each question, which is what it scores in the mean.

    Args:
        parts: of the cross-validation, where the split has no test rows; then only rows of other folds are looked at.
        metrics: those that look at options; others are about what a model wrote, and are scored on the option's text.
    """
    if split.test:
        asked = [(split.train, split.test)]
    else:
        number = min(parts or 2, len({row.id for row in split.train}))
        asked = [(part.train, part.test) for part in folds(split, number)]
    habit: dict[str, str] = {}
    nearest: dict[str, str] = {}
    for train, test in asked:
        habit |= {example.id: most_frequent_answer(form, train, example) for example in test}
        if form.labels:
            near = nearest_head([r.head for r in train], [r.target for r in train], [e.head for e in test])
            nearest |= {example.id: label for example, label in zip(test, near, strict=True)}
    items = _in_order(split)
    heads = [item.head for item in items]
    right = [item.references if isinstance(item, Row) else item.targets for item in items]
    found = [
        (name, score(heads, [answers[item.id] for item in items], right, metrics))
        for name, answers in ((MAJORITY, habit), (NEAREST, nearest))
        if answers
    ]
    return [*found, guessing(form, items, metrics)]


def guessing(form: Form, items: Sequence[Row | Example], metrics: Sequence[str]) -> tuple[str, Scores]:
    """One over the number of options, at each item and by every metric."""
    chance = np.array([100 / len(form.names(item.fields)) for item in items])
    heads = [item.head for item in items]
    right = [item.references if isinstance(item, Row) else item.targets for item in items]
    none = np.zeros(len(items), dtype=bool)
    blank = [""] * len(items)
    return RANDOM, Scores(
        tuple(heads), tuple(blank), tuple(map(tuple, right)), dict.fromkeys(metrics, chance), none, none
    )


def most_frequent_answer(form: Form, train: Sequence[Row], example: Example) -> str:
    """The label, or the choice at the place, that is right most often; of equals the earliest row's.

    >>> rows = [Row(str(n), {}, label, (label,), "") for n, label in enumerate(("no", "yes", "yes"))]
    >>> most_frequent_answer(Form(labels={"yes": (), "no": ()}), rows, Example("", {}, ("no",), ""))
    'yes'
    """
    if form.labels:
        return Counter(row.target for row in train).most_common(1)[0][0]
    place = Counter(row.choices.index(row.target) for row in train).most_common(1)[0][0]
    return example.choices[min(place, len(example.choices) - 1)]


def _in_order(split: Split) -> list[Row | Example]:
    """What is scored, in the order of the scores."""
    return list(split.test) or list({row.id: row for row in split.train}.values())
