"""What the numbers say, in a few sober sentences: computed, so that nobody can be carried away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mto.report.numbers import (
    count,
    estimate,
    join,
    p_value,
    percent_gain,
    points,
    signed,
    span,
)
from mto.report.results import Comparison
from mto.report.titles import chooser, metric_title, nearest_copy
from mto.report.values import Line, PairTest, Scope

MUCH = 5.0  # percent of outputs from which an oddity is worth a sentence
COLLAPSED = 30.0  # percent of distinct predictions under which a family repeats itself


def read(comparison: Comparison, whole: Scope | None, tasks: Sequence[Scope]) -> tuple[str, ...]:
    """The reading: the headline first, then what stands behind it.

    If no family does better than copying the nearest few-shot row, that comes first. Differences are
    called shown only where Holm's p-value is at most 0.05, else "too close to call".
    """
    if whole is None:
        return ("Nothing can be said yet: for no task has a seed been finished by all families.",)
    metric = metric_title(comparison.metric)
    by = chooser(comparison)
    who = by[0].upper() + by[1:]
    sentences = [
        *_copying(whole, metric, nearest_copy(comparison.tasks)),
        *_headline(whole, metric, who),
        *_families(whole, metric),
        *_choosing(whole, who),
        *_tuning(whole, metric),
        *_by_task(whole, tasks),
        *oddities(whole),
    ]
    return tuple(sentences)


def _copying(whole: Scope, metric: str, what: str) -> Iterator[str]:
    """First of all: is any family better than looking up the nearest example?"""
    copies = [line for line in whole.lines if line.kind == "baseline"]
    if not copies:
        return
    best = max(whole.families, key=lambda line: line.score.mean)
    for copy in sorted(copies, key=lambda line: -line.score.mean):
        if best.score.mean <= copy.score.mean:
            yield (
                f"No family beats {_beaten(copy)}: {_copy_name(copy, what)} scores {points(copy.score.mean)} {metric}, the best "
                f"family ({best.label}) {points(best.score.mean)}."
            )
            return
    test = whole.test(best.key, "nearest head")
    nearest = whole.line("nearest head")
    if test is not None and nearest is not None and not test.shown:
        yield (
            f"No family is shown to beat copying {what}: {best.label}, the best, "
            f"scores {points(best.score.mean)} {metric} against {points(nearest.score.mean)} ({sure(test)})."
        )


def _copy_name(line: Line, what: str) -> str:
    return what if line.key == "nearest head" else f"the {line.key}".replace("the guessing", "it")


def _beaten(line: Line) -> str:
    return "guessing" if line.key == "guessing" else "copying"


def _headline(whole: Scope, metric: str, who: str) -> Iterator[str]:
    aligned, plain = whole.line("aligned"), whole.line("conventional")
    if aligned is None or plain is None or whole.gain is None:
        yield from _best_without_choice(whole, metric)
        return
    test, difference = whole.test("aligned", "conventional"), whole.gain.difference
    name = plain.label.removeprefix("conventional (").removesuffix(")")
    if whole.sole_choice == plain.family:
        yield (
            f"{who} chose the conventional family, {name}, everywhere, so there is no gain "
            f"({estimate(plain.score)} {metric})."
        )
        return
    if test is None:  # cannot be: both rows are families or tested by name
        return
    scores = f"{points(aligned.score.mean)} {metric} against {points(plain.score.mean)} for the conventional {name}"
    told = f"{signed(difference.mean)} points {span(difference, sign=True)}, {sure(test)}"
    if not test.shown:
        yield f"Too close to call: the aligned way scores {scores} ({told})."
    elif difference.mean > 0:
        yield f"The aligned way wins: {scores} ({told})."
    else:
        yield f"The conventional way wins: the aligned way scores {scores} ({told})."
    if whole.gain.ratio is not None:
        yield f"The gain of the aligned way over the conventional one is {percent_gain(whole.gain.ratio)}."
    elif whole.gain.reason:
        yield f"There is no gain in percent: {whole.gain.reason}."


def _best_without_choice(whole: Scope, metric: str) -> Iterator[str]:
    ranked = sorted(whole.families, key=lambda line: -line.score.mean)
    if len(ranked) == 1:
        yield f"{ranked[0].label} scores {estimate(ranked[0].score)} {metric}; there is no other family to compare with."
    elif (test := whole.test(ranked[0].key, ranked[1].key)) is not None:
        yield f"{_lead(ranked, test, metric)}."


def _families(whole: Scope, metric: str) -> Iterator[str]:
    """Which family is highest on test; said apart from the aligned way, which may not look at test data."""
    ranked = sorted(whole.families, key=lambda line: -line.score.mean)
    if len(ranked) < 2 or whole.line("aligned") is None:
        return
    test = whole.test(ranked[0].key, ranked[1].key)
    if test is not None:
        yield f"On the test heads {_lead(ranked, test, metric)}."


def _lead(ranked: Sequence[Line], test: PairTest, metric: str) -> str:
    first, second = ranked[0], ranked[1]
    if not test.shown:
        return (
            f"{first.label} ({points(first.score.mean)} {metric}) and {second.label} ({points(second.score.mean)}) "
            f"are too close to call ({sure(test)})"
        )
    return (
        f"{first.label} is highest with {points(first.score.mean)} {metric}, {signed(test.difference.mean)} "
        f"{span(test.difference, sign=True)} before {second.label} ({sure(test)})"
    )


def sure(test: PairTest) -> str:
    """The corrected p-value, and a warning where only the interval over seeds keeps a difference from being shown."""
    text = f"p {p_value(test.holm)}"
    return f"{text} for these seeds, but other seeds may differ" if test.only_these_seeds else text


def _choosing(whole: Scope, who: str) -> Iterator[str]:
    """What dev data or matching chose, and what choosing without the test data cost."""
    chosen = sorted((line for line in whole.families if line.chosen), key=lambda line: -(line.chosen or 0))
    aligned = whole.line("aligned")
    if not chosen or aligned is None:
        return
    total = chosen[0].cells
    named = join([f"{line.label} in {line.chosen}" for line in chosen])
    text = f"{who} chose {named} of the {count(total, 'split')}"
    if len(chosen) == 1:
        text = f"{who} chose {chosen[0].label} in {'all' if total > 1 else 'the'} {count(total, 'split').removeprefix('1 ')}"
    best = max(whole.families, key=lambda line: line.score.mean)
    lost = best.score.mean - aligned.score.mean
    if lost >= 0.05:
        text += f"; always {best.label} would have scored {points(lost)} points more, which only the test data tell"
    yield text + "."


def _tuning(whole: Scope, metric: str) -> Iterator[str]:
    aligned = whole.line("aligned")
    if aligned is None or aligned.zero_shot is None:
        return
    added = aligned.score.mean - aligned.zero_shot
    verb = "adds" if added >= 0.05 else "takes" if added <= -0.05 else "changes nothing:"
    by = f" {points(abs(added))} points" if abs(added) >= 0.05 else ""
    side = "to" if added >= 0 else "from"
    yield (
        f"Tuning {verb}{by}{f' {side} the aligned way' if by else ''} "
        f"({points(aligned.zero_shot)} {metric} without tuning, {points(aligned.score.mean)} with)."
    )


def _by_task(whole: Scope, tasks: Sequence[Scope]) -> Iterator[str]:
    found = [(task, task.gain, task.test("aligned", "conventional")) for task in tasks]
    known = [(task, gain, test) for task, gain, test in found if gain is not None]
    if len(tasks) < 2 or not known:
        return
    up = sum(gain.difference.mean > 0 for _, gain, _ in known)
    better = [task.label for task, gain, test in known if test and test.shown and gain.difference.mean > 0]
    worse = [task.label for task, gain, test in known if test and test.shown and gain.difference.mean < 0]
    text = f"Task by task the aligned way has the higher mean in {up} of {len(known)}"
    parts = []
    if better:
        parts.append(f"shown in {join(better) if len(better) < len(known) else 'all of them'}")
    if worse:
        parts.append(f"the conventional way is shown to be better in {join(worse)}")
    yield f"{text}; {'; '.join(parts) if parts else 'no single task shows a difference'}."


def oddities(whole: Scope) -> Iterator[str]:
    """Families or systems that leave answers empty, write what nobody asked for, or repeat themselves."""
    for line in whole.families:
        parts = []
        if line.empty is not None and line.empty >= MUCH:
            parts.append(f"left {points(line.empty)} % of its answers empty")
        if line.unasked is not None and line.unasked >= MUCH:
            parts.append(f"wrote a sentinel that nobody asked for in {points(line.unasked)} %")
        # Of labels there are few different answers at best.
        labels = "macro_f1" in (line.corpus or {})
        if line.distinct is not None and line.distinct < COLLAPSED and not labels:
            parts.append(f"gave few different answers (only {points(line.distinct)} % distinct)")
        if parts:
            yield f"{line.label} {join(parts)}."
    lost = sum(line.words_lost for line in whole.families)
    if lost:
        yield f"{count(lost, 'word')} of over-long examples were cut, from the longest field only."
