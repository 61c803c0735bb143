"""What the figures of a whole run say, in a few sober sentences: computed, so that nobody can be carried away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mto.evaluate.statistics import Gain
from mto.report.numbers import count, estimate, join, p_value, percent_gain, points, signed, span
from mto.report.reading import oddities, sure
from mto.report.titles import metric_title, nearest_copy, short_labels
from mto.report.values import PairTest, Scope
from mto.report.whole.results import SYSTEMS, AdaptationInfo, WholeResults

CONTROLS = ("random-spans", "wrong-objective", "general")


def read_whole(
    results: WholeResults, whole: Scope, tasks: Sequence[Scope], gains: Mapping[tuple[str, str], Gain]
) -> tuple[str, ...]:
    """The reading: the headline first, then copying, adaptation, the controls, and what adaptation did to the losses."""
    metric = metric_title(results.metric)
    return (
        *_headline(whole, gains, metric),
        *_copying(whole, metric, nearest_copy(results.tasks)),
        *_adaptation(whole, gains, metric),
        *_controls(results, whole, metric),
        *_losses(results),
        *_by_task(whole, tasks),
        *oddities(whole),
    )


def _headline(whole: Scope, gains: Mapping[tuple[str, str], Gain], metric: str) -> Iterator[str]:
    found, test = gains.get(("adapted", "conventional")), whole.test("adapted", "conventional")
    mine, plain = whole.line("adapted"), whole.line("conventional")
    if found is None or test is None or mine is None or plain is None:
        yield "There is no conventional way to compare with."
        return
    ratio = percent_gain(found.ratio) if found.ratio is not None else f"no ratio ({found.reason})"
    difference = f"{signed(found.difference.mean)} points {span(found.difference, sign=True)}"
    verdict = "" if test.shown else "; too close to call"
    yield (
        f"The whole way against the conventional one: gain {ratio}, {sure(test)}{verdict}. "
        f"{points(mine.score.mean)} {metric} against {points(plain.score.mean)} ({difference})."
    )


def _copying(whole: Scope, metric: str, what: str) -> Iterator[str]:
    mine, nearest = whole.line("adapted"), whole.line("nearest head")
    test = whole.test("adapted", "nearest head")
    if mine is None or nearest is None or test is None:
        return
    if not (test.shown and test.difference.mean > 0):
        yield (
            f"It is not shown to beat copying {what}, without a model: "
            f"{points(mine.score.mean)} {metric} against {points(nearest.score.mean)} ({sure(test)})."
        )


def _adaptation(whole: Scope, gains: Mapping[tuple[str, str], Gain], metric: str) -> Iterator[str]:
    found, test = gains.get(("adapted", "aligned")), whole.test("adapted", "aligned")
    if found is not None and test is not None:
        verb = "adds" if found.difference.mean >= 0 else "takes"
        by = points(abs(found.difference.mean))
        told = f", {percent_gain(found.ratio)}" if found.ratio is not None else ""
        yield (
            f"Adaptation {verb} {by} points {span(found.difference, sign=True)} {'to' if verb == 'adds' else 'from'} the aligned way"
            f"{told} ({_verdict(test)})."
        )
    aligned, first = gains.get(("aligned", "conventional")), whole.test("aligned", "conventional")
    if aligned is not None and first is not None:
        told = f" ({percent_gain(aligned.ratio)})" if aligned.ratio is not None else ""
        yield (
            f"Aligning the template alone is worth {estimate(aligned.difference, sign=True)} points of {metric}{told} against the "
            f"conventional way ({_verdict(first)})."
        )


def _verdict(test: PairTest) -> str:
    """The corrected p-value with what it means.

    A small p of which the interval over seeds wants nothing to know is said to be of these seeds.
    """
    return sure(test) if test.shown or test.only_these_seeds else f"p {p_value(test.holm)}, too close to call"


def _controls(results: WholeResults, whole: Scope, metric: str) -> Iterator[str]:
    tests = [(name, whole.test("adapted", name)) for name in CONTROLS if name in results.systems]
    known = [(name, test) for name, test in tests if test is not None]
    if not known:
        return
    beaten = [_short(name) for name, test in known if test.shown and test.difference.mean > 0]
    open_ = [
        f"{_short(name)} ({signed(test.difference.mean)} points, p {p_value(test.holm)})"
        for name, test in known
        if not test.shown
    ]
    worse = [_short(name) for name, test in known if test.shown and test.difference.mean < 0]
    parts = []
    if beaten:
        parts.append(f"it is shown to beat {join(beaten)}")
    if open_:
        parts.append(f"too close to call against {join(open_)}")
    if worse:
        parts.append(f"{join(worse)} is shown to do better")
    yield f"Against the controls: {'; '.join(parts)}."


def _short(name: str) -> str:
    return SYSTEMS[name].removeprefix("control: ")  # type: ignore[index]


def _losses(results: WholeResults) -> Iterator[str]:
    """What the right adaptation did to the losses."""
    for one in results.adaptations:
        if one.system != "adapted":
            continue
        of = (
            ""
            if len(one.tasks) == len(results.tasks)
            else f" of {join(short_labels(results.tasks, one.tasks))}"
        )
        if one.kept_step == 0:
            yield f"Adaptation{of} never lowered the held-out loss, so the checkpoint stayed as it was."
            continue
        yield f"Adaptation{of} changed the loss on held-out pairs {_change(one, one.watched)} nats a token{_forgot(one)}."


def _change(one: AdaptationInfo, name: str) -> str:
    return f"from {one.before[name]:.2f} to {one.after[name]:.2f}"


def _forgot(one: AdaptationInfo) -> str:
    general = [name for name in one.before if name.startswith("general/") and "bits" not in name]
    if not general:
        return "; what it forgot was not measured"
    return "; on general text " + join(
        [f"{_change(one, name)} ({name.removeprefix('general/')})" for name in general]
    )


def _by_task(whole: Scope, tasks: Sequence[Scope]) -> Iterator[str]:
    if len(tasks) < 2:
        return
    tests = [(task, task.test("adapted", "conventional")) for task in tasks]
    known = [(task, test) for task, test in tests if test is not None]
    up = sum(test.difference.mean > 0 for _, test in known)
    better = [task.label for task, test in known if test.shown and test.difference.mean > 0]
    worse = [task.label for task, test in known if test.shown and test.difference.mean < 0]
    parts = [f"Task by task it has the higher mean in {up} of {count(len(known), 'task')}"]
    parts.append(f"shown in {join(better)}" if better else "shown in none")
    if worse:
        parts.append(f"the conventional way is shown to be better in {join(worse)}")
    yield "; ".join(parts) + "."
