"""The page of the study of adaptation, made from its committed results file alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mto.evaluate.statistics import crossed_bootstrap
from mto.report import numbers
from mto.report.markdown import bullets, escape, pairs, table
from mto.report.recipe import Recipe
from mto.report.tables import Row, Table
from mto.report.titles import metric_title
from mto.study.adaptation import figures as f
from mto.study.adaptation.config import NONE
from mto.study.adaptation.results import AdaptationResults, read_adaptation
from mto.study.adaptation.sources import blocks as sources
from mto.study.matching.results import relation
from mto.study.page import StudyPage


def _blocks(file: Path) -> Iterator[str]:
    results = read_adaptation(file)
    yield from _headline(results)
    yield from _matrix(results)
    yield from _objective(results)
    yield from _origin(results)
    yield from _met(results)
    yield from _relations(results)
    yield from sources(results)
    yield from _made(results)


def _headline(results: AdaptationResults) -> Iterator[str]:
    tasks = [task.name for task in results.tasks]
    yield f"## The whole way against the conventional one, {metric_title(results.metric)} over {len(tasks)} relations"
    yield _judged(f.ways(results), tasks)
    yield bullets(
        [
            "Each way with the settings that the same sweep chose for it; family and objective of matching are those decided from the labelled "
            "rows, with weights that were fitted without the relation.",
            "Gain: ratio of means over relations, minus 1. Intervals resample heads and seeds; p of a paired sign-flip test over heads, with "
            "Holm's correction.",
        ]
    )


def _judged(ways: Sequence[f.Way], tasks: Sequence[str]) -> str:
    base = crossed_bootstrap([ways[0].scored(task) for task in tasks])
    rows = [Row("conventional", None, (ways[0].title, numbers.estimate(base), "", "", ""))]
    for one in f.judge(ways, tasks):
        kind = "aligned" if one.title.startswith("the whole way") else "way"
        cells = (
            one.title,
            numbers.estimate(one.gain.aligned),
            numbers.estimate(one.gain.difference, sign=True),
            numbers.percent_gain(one.gain.ratio) if one.gain.ratio else "–",
            numbers.p_value(one.p_value),
        )
        rows.append(Row(kind, None, cells))
    return table(Table(("way", "score [95 %]", "difference", "gain", "p"), tuple(rows)))


def _matrix(results: AdaptationResults) -> Iterator[str]:
    tasks = results.matrix
    yield f"## Objective of adaptation by template family, {len(tasks)} relations"
    rows = []
    for arm in results.arm_names:
        cells = []
        for family in results.families:
            found = [results.scores(task, arm, family) for task in tasks]
            scores = [one for one in found if one is not None]
            cells.append(numbers.estimate(crossed_bootstrap(scores)) if len(scores) == len(tasks) else "–")
        rows.append(Row("arm", None, (_title(results, arm), *cells)))
    yield table(Table(("adapted with", *results.families), tuple(rows)))
    agreement = f.interaction(results, tasks)
    if agreement is not None:
        value, low, high = agreement
        yield (
            "What agreement is worth: (MaskedPrompting minus Prompting after denoising) minus (the same after LM) is "
            f"{value:+.2f} points [{low:+.2f}, {high:+.2f}], with a 95 % interval over relations. "
            "Above 0 the diagonal wins: each family does best after its own objective."
        )


def _title(results: AdaptationResults, arm: str) -> str:
    if arm == NONE:
        return "nothing"
    one = next(a for a in results.arms if a.name == arm)
    control = "" if one.set == "task" else f" ({one.objective}; control)"
    return f"{arm}{control}"


def _objective(results: AdaptationResults) -> Iterator[str]:
    yield "## Was the objective well chosen?"
    yield (
        "Regret of each way of choosing what to adapt with, the template family being that of matching: what it loses against the choice that "
        "turned out best on a relation (mean over seeds and heads). Matching's objective is fitted without the relation that it judges. The "
        "noise floor chooses on half of the test heads and is judged on the other half."
    )
    rows = [
        Row(
            "aligned" if rule.name == "the objective of matching" else "rule",
            None,
            (
                rule.name,
                f"{100 * rule.best.value:.0f} %",
                f"{rule.regret.value:.2f} [{rule.regret.low:.2f}, {rule.regret.high:.2f}]",
                f"{rule.share.value:.1f} % [{rule.share.low:.1f}, {rule.share.high:.1f}]",
            ),
        )
        for rule in f.objective_rules(results)
    ]
    yield table(Table(("way of choosing", "the best one", "regret, points", "regret, share"), tuple(rows)))


def _origin(results: AdaptationResults) -> Iterator[str]:
    """Arms of other preparations beside those of the first one with the same objective."""
    first = results.prepared[0].name
    others = [arm for arm in results.arms if arm.pairs != first]
    if not others:
        return
    yield "## With and without the sentences that were made from a knowledge base"
    rows = []
    for family in results.families:
        for arm in others:
            wanted = (arm.objective, arm.set, first)
            same = next((a.name for a in results.arms if (a.objective, a.set, a.pairs) == wanted), "")
            names = (NONE, same, arm.name)
            tasks = [
                task.name
                for task in results.tasks
                if all(results.scores(task.name, name, family) is not None for name in names)
            ]
            if not tasks:
                continue
            ways = [f.Way(name, f.fixed(results, name, family)) for name in names]
            cells = [numbers.estimate(crossed_bootstrap([w.scored(t) for t in tasks])) for w in ways]
            [judged] = f.judge([ways[0], ways[2]], tasks)
            cells += [numbers.estimate(judged.gain.difference, sign=True), numbers.p_value(judged.p_value)]
            rows.append(Row("arm", None, (f"{family}, {arm.objective}", str(len(tasks)), *cells)))
    yield table(
        Table(
            (
                "family, objective", "relations", "not adapted", "all sentences", "without them",
                "without them, against not adapted", "p",
            ),
            tuple(rows),
        )
    )  # fmt: skip


def _met(results: AdaptationResults) -> Iterator[str]:
    yield "## Test heads that stand in no pair"
    yield (
        "Decontamination drops every sentence that holds a test head with one of its tails; a head may still stand in other sentences. "
        "The same comparison on the heads that do, and on those that stand in no pair of their relation at all."
    )
    ways = f.ways(results)
    kept = [ways[0], ways[1], ways[-1]]
    for met, title in ((True, "heads that stand in some pair"), (False, "heads that stand in none")):
        heads = f.met_heads(results, results.prepared[0].name, met=met)
        if heads:
            count = sum(len(some) for some in heads.values())
            yield f"{title.capitalize()}: {count:,} heads of {len(heads)} relations."
            yield _judged([f.some_heads(way, heads) for way in kept], list(heads))


def _relations(results: AdaptationResults) -> Iterator[str]:
    yield "## Relation by relation"
    ways = f.ways(results)
    rows = []
    for task in results.tasks:
        means = [float(np.mean(way.scored(task.name))) for way in ways]
        best = max(means)
        objectives = [results.decision(task.name, seed).objective for seed in results.seeds]
        common = max(sorted(set(objectives)), key=objectives.count)
        cells = [f"{mean:.1f}" + (" (best)" if mean >= best else "") for mean in means]
        told = f"{common} ({objectives.count(common)}/{len(objectives)})"
        rows.append(Row("task", None, (relation(task.name), *cells, told)))
    short = [way.title.replace("the family of matching, ", "").replace("adapted with ", "") for way in ways]
    yield table(Table(("relation", *short, "objective of matching, most seeds"), tuple(rows)))


def _made(results: AdaptationResults) -> Iterator[str]:
    yield "## How it was made"
    found = results.environment
    yield pairs(
        [
            ("command", results.command),
            (
                "hours of work",
                f"{results.hours:.1f} (without preparation, and without the checkpoint as it is)",
            ),
            ("commit", str(found.get("commit", ""))),
            ("machine", f"{found.get('cores')} cores, {found.get('cpu')}"),
            ("checkpoint", f"{escape(results.model)}, weights {results.revision}"),
            ("shots, seeds", f"{results.config.get('shots')}, {len(results.seeds)}"),
            ("test heads", f"{sum(t.heads for t in results.tasks)} over {len(results.tasks)} relations"),
        ]
    )
    rows = [
        Row("setting", None, (one.arm, one.family, f"{one.rate:g}" if one.steps else "–", str(one.steps)))
        for one in results.settings
    ]
    swept = ", ".join(relation(str(task)) for task in results.config.get("sweep_tasks", ()))
    yield "<details><summary>Rate and steps of every arm and family</summary>"
    yield f"Chosen once on the dev data of {swept}:"
    yield table(Table(("adapted with", "family", "rate", "steps"), tuple(rows)))
    yield "</details>"


PAGE = StudyPage(Recipe("adaptation page"), _blocks)
"""The results file of the study of adaptation to its page."""
