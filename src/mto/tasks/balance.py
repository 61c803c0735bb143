"""What is odd about the rows of a task as a whole: too few, one label in nearly all, right choices that their length gives away, nearly the
same input on both sides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import fmean, stdev

from mto.tasks.alike import alike_findings
from mto.tasks.task import Example, Task, fold_case, shown

FEW = 16
"""Inputs to learn from below which a score says little."""
MOST_SHARE = 0.8
"""Share of one label, or of one place of the right choice, from which the rows are uneven."""
ENOUGH = 10
"""Rows below which shares say nothing."""

RARE = 5
"""Train rows of a label below which it can be learnt and measured by chance only."""

LONGER = 0.1
"""Share of a choice's length by which right ones must differ from wrong ones to be told."""
SURE = 4.0
"""Standard errors of that difference: so that chance in few rows is not told."""

_MARKS = re.compile(r"[^\w]+")
Odd = tuple[str, str, str, str]  # check, message, where, hint


def balance_findings(task: Task, paths: Mapping[str, str]) -> Iterator[Odd]:
    """Oddities of a task's rows, each with its check, message, place and hint.

    Args:
        paths: file name in `Example.where` to path.

    >>> from mto.tasks import task_from_rows
    >>> rows = [{"text": f"text {n}", "label": "no" if n else "yes"} for n in range(20)]
    >>> task = task_from_rows(rows, kind="classification")
    >>> [message for check, message, *_ in balance_findings(task, {}) if check == "imbalance"]
    ["19 of 20 train rows have the label 'no' (95 %)"]
    """
    where = _path(task.train[0], paths) if task.train else ""
    if len(task.train) < FEW:
        hint = "scores of so few rows are wide; give more if you can"
        yield "few-rows", f"{len(task.train)} inputs to learn from", where, hint
    if not task.phrases and task.kind != "multiple-choice":
        hint = f"write how a person would say it up to the answer: phrases: ['{{{{ {task.fields[0]} }}}} is used for']"
        yield (
            "phrase",
            f"{task.name} has no natural phrase, so only the Mapping families can write it",
            "",
            hint,
        )
    for split, examples in (("train", task.train), ("dev", task.dev), ("test", task.test)):
        if examples:
            yield from _uneven(task, split, examples, _path(examples[0], paths))
    if task.kind == "multiple-choice":
        yield from _lengths(task, where)
    if task.kind == "classification":
        yield from _unsaid(task)
    yield from _rare(task, paths)
    if task.form.labels and task.train:
        seen = {example.targets[0] for example in task.train}
        for name in task.form.labels:
            if name not in seen:
                yield (
                    "labels",
                    f"no train row has the label '{name}'",
                    where,
                    "is its data value spelt as in the file?",
                )
    yield from (
        ("alike", message, _found(where, paths), hint) for message, where, hint in alike_findings(task)
    )
    yield from _near(task, paths)


def _unsaid(task: Task) -> Iterator[Odd]:
    """Phrases that leave one of two texts out."""
    for number, phrase in enumerate(task.phrases):
        said = set(re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"\{[{%].*?[%}]\}", phrase))))
        lacking = [name for name in task.fields if name != "relation" and name not in said]
        if lacking and "head" not in said:
            names = " and ".join(f"{{{{ {name} }}}}" for name in lacking)
            message = f"phrase {number} of {task.name} leaves {names} out, which Mapping reads"
            yield "phrase", message, "", "say all texts in it, or {{ head }} for the whole input"


def _uneven(task: Task, split: str, examples: tuple[Example, ...], where: str) -> Iterator[Odd]:
    if task.kind not in ("classification", "multiple-choice") or len(examples) < ENOUGH:
        return
    classes = task.kind == "classification"
    counts = Counter(
        example.targets[0] if classes else f"choice{example.choices.index(example.targets[0]) + 1}"
        for example in examples
    )
    right, count = counts.most_common(1)[0]
    if (count / len(examples) >= MOST_SHARE and len(counts) > 1) or (len(counts) == 1 and split != "train"):
        what = f"have the label '{right}'" if classes else f"have {right} as the right one"
        message = f"{count} of {len(examples)} {split} rows {what} ({count / len(examples):.0%})".replace(
            "%)", " %)"
        )
        yield (
            "imbalance",
            message,
            where,
            "accuracy alone says little here; look at macro F1 and at the majority baseline",
        )


def _rare(task: Task, paths: Mapping[str, str]) -> Iterator[Odd]:
    """Labels in fewer than five train rows, or in so few that the usual shots take them all and leave dev none.

    The second holds where dev rows come from train: not of a file that is scored k-fold, nor beside a dev file.
    """
    if not task.form.labels:
        return
    counts = Counter(example.targets[0] for example in task.train)
    shots, whole = task.usual_shots, len(task.train)
    drawn = _all_drawn(counts, shots) if task.test and not task.dev and shots < whole else frozenset()
    for name, count in counts.items():
        if count >= RARE and name not in drawn:
            continue
        first = next(example for example in task.train if example.targets[0] == name)
        message = f"the label '{name}' stands in {count} of {whole} train rows"
        hint = f"fewer than {RARE} say little of a label: give more rows of it, or merge it with another"
        if count >= RARE:
            message += f": {shots} shots, drawn evenly over labels, take them all, and dev has none"
            hint = "give more rows of it or a dev file, or draw fewer with --shots"
        yield "rare-label", message, _path(first, paths), hint


def _all_drawn(counts: Mapping[str, int], shots: int) -> frozenset[str]:
    """Labels of which an even draw, one of each label in turn, surely takes every row.

    >>> sorted(_all_drawn({"good": 70, "bad": 29, "odd": 6}, 30))
    ['odd']
    >>> sorted(_all_drawn({"good": 85, "bad": 15}, 30)), sorted(_all_drawn({"good": 84, "bad": 16}, 30))
    (['bad'], [])
    """
    rounds = 0
    while sum(min(count, rounds + 1) for count in counts.values()) <= shots and rounds < max(counts.values()):
        rounds += 1
    return frozenset(name for name, count in counts.items() if count <= rounds)


def _lengths(task: Task, where: str) -> Iterator[Odd]:
    """Right choices that are longer or shorter than wrong ones: the length alone then moves a ranking by likelihood."""
    pairs = []
    for example in task.train:
        others = [len(choice) for choice in example.choices if choice != example.targets[0]]
        pairs.append((len(example.targets[0]), fmean(others)))
    if len(pairs) < ENOUGH:
        return
    differences = [right - wrong for right, wrong in pairs]
    mean, error = fmean(differences), stdev(differences) / len(pairs) ** 0.5
    of_right, of_wrong = (fmean(side) for side in zip(*pairs, strict=True))
    if abs(mean) < max(SURE * error, LONGER * of_wrong):
        return
    longer = mean > 0
    yield (
        "lengths",
        f"right choices are {'longer' if longer else 'shorter'} than wrong ones: {of_right:.1f} against {of_wrong:.1f} characters, mean of {len(pairs)} train rows",
        where,
        f"rank_sum favours short choices, so it is too {'low' if longer else 'high'} here; rank by byte: --metrics rank_byte,rank_sum",
    )


def _near(task: Task, paths: Mapping[str, str]) -> Iterator[Odd]:
    """Test inputs that differ from a train or dev input in marks alone; equal ones are told elsewhere."""
    known: dict[str, tuple[str, Example]] = {}
    for split, examples in (("train", task.train), ("dev", task.dev)):
        for example in examples:
            known.setdefault(_bare(example), (split, example))
    for example in task.test:
        split, other = known.get(_bare(example), ("", example))
        if split and other.id != example.id:
            message = f"'{shown(example.fields)}' stands in {split} too ({other.where}), but for marks"
            yield (
                "overlap",
                message,
                _path(example, paths),
                "the test score would be flattered; take it out of one file",
            )


def _bare(example: Example) -> str:
    texts = (
        f"{name}\x1e{_MARKS.sub(' ', fold_case(text)).strip()}"
        for name, text in sorted(example.fields.items())
    )
    return "\x1f".join(texts)


def _path(example: Example, paths: Mapping[str, str]) -> str:
    """``file:line`` with the file's path in place of its name."""
    return _found(example.where, paths)


def _found(where: str, paths: Mapping[str, str]) -> str:
    name, _, line = where.rpartition(":")
    return f"{paths.get(name, name)}:{line}" if where else ""
