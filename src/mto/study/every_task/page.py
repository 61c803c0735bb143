"""The page of the study over every kind of task, made from its committed results file alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mto.evaluate.statistics import crossed_bootstrap
from mto.report.markdown import bullets, escape, table
from mto.report.numbers import NONE, estimate, join, p_value, percent_gain, points
from mto.report.recipe import Recipe
from mto.report.tables import Row, Table
from mto.study.every_task.advice import advice
from mto.study.every_task.judged import (
    SYSTEMS,
    below_chance,
    bits_gap,
    doubt_of,
    first_model,
    gains,
    near_chance,
    of_metric,
    side,
    worse_than_guessing,
)
from mto.study.every_task.judged import points as points_of
from mto.study.every_task.results import EveryTaskResults, Facts, read_every_task, unpack
from mto.study.every_task.sections import checkpoints, details, made, regret, soft
from mto.study.every_task.writing import (
    KINDS,
    bits,
    first_name,
    kinds,
    metrics,
    of_kind,
    said,
    short,
    title,
)
from mto.study.page import StudyPage

SEEN = "The pre-trained encoder from which the shipped checkpoints started had seen SNLI, so figures on SNLI are no figures of unseen text."


def _blocks(file: Path) -> Iterator[str]:
    results = read_every_task(file)
    yield "## What a user should do"
    yield bullets(advice(results)) or "No difference of this study is clear enough for advice."
    yield from _scores(results)
    yield from _bits(results)
    yield from _gains(results)
    yield from regret(results)
    yield from checkpoints(results)
    yield from soft(results)
    yield from details(results)
    yield from made(results)


def _scores(results: EveryTaskResults) -> Iterator[str]:
    model = first_model(results)
    yield f"## Scores by kind of task, checkpoint {escape(short(model))}"
    for kind in kinds(results):
        tasks = of_kind(results, kind)
        yield f"### {KINDS[kind]}, {escape(said(tasks[0].metric))}"
        options = tasks[0].chance is not None
        heads = (
            "task", *(("guessing",) if options else ()), "most frequent answer", "nearest text", "Mapping, untuned", *SYSTEMS,
            "best two by dev",
        )  # fmt: skip
        rows = [Row("task", None, tuple(_score_row(results, model, task))) for task in tasks]
        yield table(Table(heads, tuple(rows)))
        near = [task for task in tasks if near_chance(results, model, task)]
        if near:
            yield bullets(
                [_near(near, first_name(results)), *(_near_bits(results, model, task) for task in near)]
            )
        below = [task for task in tasks if below_chance(results, model, task)]
        if below:
            yield bullets([_below(below)])
        if any(task.name.rpartition("/")[2] == "snli" for task in tasks):
            yield bullets([SEEN])
    yield bullets(
        [
            "Brackets: 95 % intervals, test items and seeds resampled. Aligned: for each task and seed the family that matching chose from the "
            "labelled rows; test data had no say. By dev: the best families on dev data, mean over seeds.",
        ]
    )


def _near(tasks: list[Facts], model: str) -> str:
    names = join([f"{task.name} ({points(task.chance)})" for task in tasks])
    return (
        f"Near chance: on {names} the interval of every family that was tuned holds what guessing scores. {model} shows nothing there that its "
        "accuracy could measure; bits of the right answer, aligned minus conventional, say whether it is understood better all the same."
    )


def _below(tasks: list[Facts]) -> str:
    names = join([f"{task.name} ({points(task.chance)})" for task in tasks])
    lengths = any(task.metric == "rank_sum" and task.kind == "multiple-choice" for task in tasks)
    return (
        f"Below guessing: on {names} the interval of every family that was tuned ends below what guessing scores."
        + (
            " Nats in all favour short options, so they are worse than no knowledge where right ones are longer; nats a byte and calibrated ones "
            "(`rank_byte`, `rank_calibrated`) do not."
            if lengths
            else ""
        )
    )


def _near_bits(results: EveryTaskResults, model: str, task: Facts) -> str:
    before, after = (bits_gap(results, model, task.name, after=when) for when in (False, True))
    among = bits_gap(results, model, task.name, after=True, what="doubt")
    return (
        f"{task.name}: {bits(before)} bits a byte untuned, {bits(after)} tuned, {bits(among)} bits among the options tuned: "
        f"{_verdict(results, model, task)}."
    )


def _score_row(results: EveryTaskResults, model: str, task: Facts) -> Iterator[str]:
    yield task.name
    if task.chance is not None:
        yield points(task.chance)
    for name in ("most frequent answer", "nearest text"):
        own = [unpack(b.scores) for b in results.baselines if (b.task, b.name) == (task.name, name)]
        yield estimate(crossed_bootstrap([np.array(own)])) if own else NONE
    untuned = results.before(model, "mapping", task.name)
    yield estimate(crossed_bootstrap([untuned.points[None]])) if untuned else NONE
    for system in SYSTEMS:
        cells = side(results, system, model, task.name)
        yield estimate(crossed_bootstrap([points_of(cells)])) if cells else NONE
    yield ", ".join(map(title, results.best_of(task.name))) or NONE


def _bits(results: EveryTaskResults) -> Iterator[str]:
    model = first_model(results)
    rows = []
    for task in results.tasks:
        found = [
            bits_gap(results, model, task.name, after=after, what=what)
            for what in ("bits", "doubt")
            for after in (False, True)
        ]
        if found[1] is None:
            continue
        near = " (near chance)" if near_chance(results, model, task) else ""
        rows.append(
            Row(
                "task",
                None,
                (
                    task.name + near,
                    *map(bits, found),
                    _doubt(results, model, task),
                    _verdict(results, model, task),
                ),
            )
        )
    if not rows:
        return
    yield f"## How well the right answer is understood, aligned minus conventional, checkpoint {escape(short(model))}"
    heads = (
        "task", "bits a byte, untuned", "bits a byte, tuned", "bits among the options, untuned", "bits among the options, tuned", "aligned, tuned (guessing)", "after tuning",
    )  # fmt: skip
    yield table(Table(heads, tuple(rows)))
    yield bullets(
        [
            "Below 0: the aligned form needs fewer bits for the right answer. The intervals are paired: both forms on the same seeds and items.",
            "A family may write an answer in other words (a label's name or its word, a choice's name before its text), and then bits a byte are "
            "of different texts. Bits of the right option among the options are comparable "
            "for all families; the last column rests on them where a task has options.",
        ]
    )


def _doubt(results: EveryTaskResults, model: str, task: Facts) -> str:
    """Bits of the right option in the aligned form, beside those that guessing needs."""
    found = doubt_of(results, "aligned", model, task.name)
    if found is None or task.chance is None:
        return NONE
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}] ({np.log2(100 / task.chance):.2f})"


def _verdict(results: EveryTaskResults, model: str, task: Facts) -> str:
    """In which form the right answer is understood better after tuning: by what is comparable between families."""
    telling = bits_gap(results, model, task.name, after=True, what="bits" if task.chance is None else "doubt")
    if telling is None:
        return NONE
    if {cell.family for cell in side(results, "aligned", model, task.name)} == {"mapping"}:
        return "the same family"
    if telling.low <= 0 <= telling.high:
        return "no difference shown"
    better, worse = ("aligned", "conventional") if telling.high < 0 else ("conventional", "aligned")
    if worse_than_guessing(results, model, task):
        return f"both need more bits than guessing, the {worse} form most"
    return f"the {better} form is understood better"


def _gains(results: EveryTaskResults) -> Iterator[str]:
    model = first_model(results)
    blocks = []
    for metric in metrics(results):
        rows = []
        for one in gains(results, model, of_metric(results, metric)):
            ratio = percent_gain(one.found.ratio) if one.found.ratio else "no ratio"
            chosen = {cell.family for cell in side(results, "aligned", model, one.name)}
            rows.append(
                Row(
                    "aligned" if one.name.startswith("all ") else "task",
                    None,
                    (
                        one.name,
                        ", ".join(sorted(map(title, chosen))) or NONE,
                        estimate(one.found.conventional),
                        estimate(one.found.aligned),
                        estimate(one.found.difference, sign=True),
                        ratio,
                        f"p {p_value(one.p)}",
                        f"p {p_value(one.corrected)}",
                    ),
                )
            )
        if rows:
            heads = (
                "task", "matching chose", "conventional", "aligned", "difference, points", "gain", "paired test", "after Holm",
            )  # fmt: skip
            blocks += [f"### Gain in {escape(said(metric))}", table(Table(heads, tuple(rows)))]
    if not blocks:
        return
    yield f"## Gain of the aligned family over the conventional one, checkpoint {escape(short(model))}"
    yield from blocks
    yield bullets(
        [
            "Gain: a ratio of means, minus 1, with the difference in points beside it. Tests flip signs over test items; Holm's correction is "
            "over the rows of a table.",
        ]
    )


PAGE = StudyPage(Recipe("every task study page"), _blocks)
"""The results file of the study over every kind of task to its page."""
