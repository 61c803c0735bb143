"""The page of the study of matching, made from its committed results file alone, so that a test can make it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mto.evaluate.statistics import crossed_bootstrap
from mto.match.evidence import Span
from mto.report.markdown import bullets, escape, pairs, table
from mto.report.recipe import Recipe
from mto.report.tables import Row, Table
from mto.report.titles import metric_title
from mto.study.matching.calibration import reliability
from mto.study.matching.regret import Choices, Outcome, RuleResult, judge_rule, noise_floor
from mto.study.matching.results import MatchingResults, read_matching, relation
from mto.study.matching.rules import DECISION, MASKED, NATURAL, all_rules, type_accuracy, untuned
from mto.study.page import StudyPage

RESAMPLES = 4000
REPORTED = {
    "AtLocation": 0.3825, "ObjectUse": 0.3547, "xAttr": 0.4849, "CapableOf": 0.3641, "HasProperty": 0.3864,
    "isFilledBy": 0.4332, "xIntent": -0.6574, "xNeed": 0.0392, "xWant": 0.1915,
}  # fmt: skip
"""Maskability Index of T5-base at 5 shots as the follow-up paper reports it (docs/method.md 5)."""


def _blocks(file: Path) -> Iterator[str]:
    results = read_matching(file)
    yield from _picture(results)
    yield from _choices(results)
    yield from _sureness(results)
    yield from _types(results)
    yield from _indices(results)
    yield from _tasks(results)
    yield from _made(results)


def _picture(results: MatchingResults) -> Iterator[str]:
    """Families by checkpoints, and what agreement is worth."""
    yield f"## Families by checkpoints, {metric_title(results.metric)} over {len(results.tasks)} tasks"
    rows = []
    for model in results.models:
        outcomes = results.outcomes(model.name)
        means = [crossed_bootstrap([o.scores[n] for o in outcomes]) for n in range(len(results.families))]
        best = int(np.argmax([m.mean for m in means]))
        cells = [
            f"{m.mean:.1f} [{m.low:.1f}, {m.high:.1f}]" + (" (highest)" if n == best else "")
            for n, m in enumerate(means)
        ]
        rows.append(Row("model", None, (f"{model.name}{_taught(model.objectives)}", *cells)))
    yield table(Table(("checkpoint", *results.families), tuple(rows)))
    lines = []
    for model in results.models:
        for plain, masked in (("mapping", "masked-mapping"), (NATURAL, MASKED)):
            if {plain, masked} <= set(results.families):
                gap = _difference(results.outcomes(model.name), masked, plain)
                lines.append(
                    f"{model.name}: {masked} minus {plain} is {gap.value:+.2f} points [{gap.low:+.2f}, {gap.high:+.2f}]."
                )
    yield "Points that a mask is worth, mean over tasks, with a 95 % interval over tasks:"
    yield bullets(lines)


def _taught(objectives: dict[str, float]) -> str:
    shares = [f"{share:.0%} {name}" for name, share in sorted(objectives.items()) if share > 0]
    return f" ({', '.join(shares)})" if shares else ""


def _difference(outcomes: Sequence[Outcome], one: str, other: str) -> Span:
    gaps = np.array([o.means()[o.families.index(one)] - o.means()[o.families.index(other)] for o in outcomes])
    picks = np.random.default_rng([41, len(gaps)]).integers(len(gaps), size=(RESAMPLES, len(gaps)))
    low, high = np.quantile(gaps[picks].mean(1), [0.025, 0.975])
    return Span(value=float(gaps.mean()), low=float(low), high=float(high))


def _choices(results: MatchingResults) -> Iterator[str]:
    """Every rule with its regret, over all checkpoints and on each."""
    outcomes, rules = results.outcomes(), all_rules(results)
    judged = [judge_rule(name, outcomes, choices) for name, choices in rules.items()]
    yield "## How good the choice of a family is"
    yield (
        "Regret is what a way of choosing loses against the family that turned out best on a task and checkpoint (mean over seeds and "
        "heads), in points and as a share of the best score (a ratio of means). Intervals resample relations. The decision's weights are fitted "
        "without the relation that it judges. The noise floor chooses on half of the test heads and is judged on the other half."
    )
    yield _rules_table([*sorted(judged, key=lambda r: r.regret.value), noise_floor(outcomes)])
    for model in results.models:
        own = results.outcomes(model.name)
        part = [judge_rule(name, own, _of(choices, model.name)) for name, choices in rules.items()]
        yield f"<details><summary>{escape(model.name)} alone</summary>"
        yield _rules_table([*sorted(part, key=lambda r: r.regret.value), noise_floor(own)])
        yield "</details>"
    probed = {(relation(s.task), s.model, s.seed): s.probe for s in results.signals if s.probe is not None}
    if probed:
        yield from _probe(results, rules, {k: v for k, v in probed.items() if v is not None})


def _of(choices: Choices, model: str) -> Choices:
    return {key: family for key, family in choices.items() if key[1] == model}


def _probe(results: MatchingResults, rules: dict[str, Choices], probed: Choices) -> Iterator[str]:
    """The probe was run on some seeds only, so it is judged there, beside the decision on the same."""
    seeds = tuple(sorted({key[2] for key in probed}))
    some = [
        Outcome(
            o.group,
            o.model,
            tuple(s for s in o.seeds if (o.group, o.model, s) in probed),
            o.families,
            o.scores,
        )
        for o in results.outcomes()
    ]
    some = [o for o in some if o.seeds]
    yield f"The probe ({results.config.get('probe_steps')} steps) was run on data seeds {', '.join(map(str, seeds))} only; there:"
    yield _rules_table([judge_rule("probe", some, probed), judge_rule(DECISION, some, rules[DECISION])])


def _rules_table(rules: Sequence[RuleResult]) -> str:
    rows = [
        Row(
            "aligned" if rule.name == DECISION else "rule",
            None,
            (
                rule.name,
                f"{100 * rule.best.value:.0f} % [{100 * rule.best.low:.0f}, {100 * rule.best.high:.0f}]",
                f"{rule.regret.value:.2f} [{rule.regret.low:.2f}, {rule.regret.high:.2f}]",
                f"{rule.share.value:.1f} % [{rule.share.low:.1f}, {rule.share.high:.1f}]",
            ),
        )
        for rule in rules
    ]
    return table(
        Table(("way of choosing", "the best family", "regret, points", "regret, share"), tuple(rows))
    )


def _sureness(results: MatchingResults) -> Iterator[str]:
    """Is the decision as sure as it should be?"""
    yield "### Is the decision as sure as it should be?"
    yield (
        "Confidence is the probability, as the decision gives it, that its choice is the best family or within 1 % of it. Beside it, how "
        "often that held on the test heads, whose own chance is in there too."
    )
    rows = [
        Row(
            "rule",
            None,
            (r.title, str(r.choices), f"{100 * r.said:.0f} %", f"{100 * r.held:.0f} %", f"{r.regret:.2f}"),
        )
        for r in reliability(results, untuned(results))
    ]
    yield table(Table(("confidence", "choices", "mean confidence", "held", "regret, points"), tuple(rows)))


def _types(results: MatchingResults) -> Iterator[str]:
    if all(task.type is None for task in results.tasks):
        return
    yield "## Task type"
    yield "Share of tasks, checkpoints and seeds whose type, as the paper gives it, each signal tells alone; all together is fitted without the judged relation."
    rows = [
        Row(
            "aligned" if name.startswith("all together") else "signal",
            None,
            (name, f"{100 * share:.1f} %", f"{count:,}"),
        )
        for name, (share, count) in sorted(type_accuracy(results).items(), key=lambda item: -item[1][0])
    ]
    yield table(Table(("signal", "right", "cases"), tuple(rows)))


def _indices(results: MatchingResults) -> Iterator[str]:
    known = [task for task in results.tasks if relation(task.name) in REPORTED]
    if not known:
        return
    yield "## Maskability Index beside the reported values"
    shots = results.config.get("tuned_shots")
    yield f"Prompting against MaskedPrompting on the labelled rows after {shots} shots, in percent: mean over seeds, with the smallest and largest."
    rows = []
    for task in known:
        cells = []
        for model in results.models:
            found = [
                s.tuned_index for s in results.signals
                if (s.task, s.model) == (task.name, model.name) and s.tuned_index is not None
            ]  # fmt: skip
            cells.append(
                f"{100 * np.mean(found):.0f} [{100 * min(found):.0f}, {100 * max(found):.0f}]"
                if found
                else "–"
            )
        rows.append(
            Row("task", None, (relation(task.name), f"{100 * REPORTED[relation(task.name)]:.0f}", *cells))
        )
    yield table(Table(("relation", "T5-base, reported", *(m.name for m in results.models)), tuple(rows)))


def _tasks(results: MatchingResults) -> Iterator[str]:
    yield "## Task by task"
    chosen = all_rules(results)[DECISION]
    for model in results.models:
        rows = []
        for outcome in results.outcomes(model.name):
            means = outcome.means()
            cells = [f"{m:.1f}" + (" (best)" if m >= means.max() else "") for m in means]
            picks = [chosen[outcome.group, outcome.model, seed] for seed in outcome.seeds]
            common = max(sorted(set(picks)), key=picks.count)
            rows.append(
                Row("task", None, (outcome.group, *cells, f"{common} ({picks.count(common)}/{len(picks)})"))
            )
        yield f"<details><summary>{escape(model.name)}</summary>"
        yield table(Table(("relation", *results.families, "decision, most seeds"), tuple(rows)))
        yield "</details>"


def _made(results: MatchingResults) -> Iterator[str]:
    yield "## How it was made"
    found = results.environment
    yield pairs(
        [
            ("command", results.command),
            ("hours of work", f"{results.hours:.1f}"),
            ("commit", str(found.get("commit", ""))),
            ("machine", f"{found.get('cores')} cores, {found.get('cpu')}"),
            ("shots, seeds", f"{results.config.get('shots')}, {len(results.seeds)}"),
            ("test heads", f"{sum(t.heads for t in results.tasks)} over {len(results.tasks)} tasks"),
        ]
    )
    rows = [
        Row("setting", None, (one.model, one.family, f"{one.rate:g}" if one.steps else "–", str(one.steps)))
        for one in results.settings
    ]
    swept = ", ".join(relation(str(task)) for task in results.config.get("sweep_tasks", ()))
    yield f"Rate and steps, chosen once for each family and checkpoint on the dev data of {swept}:"
    yield table(Table(("checkpoint", "family", "rate", "steps"), tuple(rows)))


PAGE = StudyPage(Recipe("study page"), _blocks)
