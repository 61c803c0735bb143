"""Every way of choosing a family that the study compares, from the signals that were written down before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from mto.match.decision.decide import Decision, decide
from mto.match.decision.evidence import FEATURES
from mto.match.decision.shipped import ShippedWeights
from mto.match.decision.sums import Case, collect_sums
from mto.match.decision.task_type import TypeCases, TypedCase, decide_type
from mto.study.matching.regret import Choices, always
from mto.study.matching.results import MatchingResults, Signals, relation

MASKED, NATURAL = "masked-prompting", "prompting"
THRESHOLD = 0.30
"""The reported rule: mask-filling from this Maskability Index on, at 5 shots (docs/method.md 5)."""

DECISION = "decision, as asked by default"
"""The name of what `mto match` decides without training anything; its weights never saw the relation."""
TUNED_DECISION = "decision, with tuned DepthRank"
Key = tuple[str, str, int]


def all_rules(results: MatchingResults) -> dict[str, Choices]:
    """Name to choices of every rule that the results allow; the decision is fitted without the relation that it judges."""
    signals = {(relation(s.task), s.model, s.seed): s for s in results.signals}
    rules: dict[str, Choices] = {
        f"always {name}": always(results.outcomes(), name) for name in results.families
    }
    if {MASKED, NATURAL} <= set(results.families):
        rules["the checkpoint's objective"] = _agreeing(results, signals)
        rules["reported rule (MI >= 0.30)"] = _each(signals, lambda s: _by(s.tuned_index, THRESHOLD))
        rules["Maskability Index, 0 shots"] = _each(signals, lambda s: _by(s.index, 0.0))
        for name, title in (
            ("guidelines", "guidelines"),
            ("classifier", "task classifier"),
            ("depthrank", "DepthRank, 0 shots"),
            ("tuned_depthrank", "DepthRank, few shots"),
        ):
            if all(name in s.leans for s in signals.values()):
                rules[f"lean of {title}"] = _each(signals, lambda s, name=name: _by(s.leans[name], 0.0))  # type: ignore[misc]
    for measure, title in (("bits", "fewest bits, 0 shots"), ("tuned_bits", "fewest bits, few shots"), ("depth_rank", "lowest DepthRank, 0 shots")):  # fmt: skip
        if all(getattr(f, measure) is not None for s in signals.values() for f in s.evidence.families):
            rules[title] = _each(signals, lambda s, measure=measure: _least(s, measure))  # type: ignore[misc]
    rules[DECISION] = chosen(untuned(results))
    rules[TUNED_DECISION] = chosen(decisions(results))
    dev = _dev(results)
    if dev is not None:
        rules["dev likelihood of all families tuned"] = dev
    return rules


def _each(signals: Mapping[Key, Signals], choose: Callable[[Signals], str]) -> Choices:
    return {key: choose(found) for key, found in signals.items()}


def _by(value: float | None, cut: float) -> str:
    """The aligned family of docs/method.md 1; an index that could not be measured speaks for no mask."""
    return MASKED if value is not None and value > cut else NATURAL


def _least(found: Signals, measure: str) -> str:
    return min(found.evidence.families, key=lambda f: getattr(f, measure)).family


def _agreeing(results: MatchingResults, signals: Mapping[Key, Signals]) -> Choices:
    """MaskedPrompting for a checkpoint that had denoising at least half of the time, else Prompting."""
    masks = {m.name: m.objectives.get("denoising", 0.0) >= 0.5 for m in results.models}
    return {key: MASKED if masks[key[1]] else NATURAL for key in signals}


def _dev(results: MatchingResults) -> Choices | None:
    nats: dict[Key, dict[str, float]] = {}
    for cell in results.cells:
        if cell.dev_nats is None:
            return None
        nats.setdefault((relation(cell.task), cell.model, cell.seed), {})[cell.family] = cell.dev_nats
    return {key: min(found, key=found.__getitem__) for key, found in nats.items()}


def cases(results: MatchingResults) -> list[Case]:
    """What the decision learns from: evidence of each task, checkpoint and seed, with the families' test means over seeds."""
    means = {
        (o.group, o.model): dict(zip(o.families, o.means().tolist(), strict=True)) for o in results.outcomes()
    }
    found = []
    for s in results.signals:
        scores = means[relation(s.task), s.model]
        found.append(Case(relation(s.task), s.evidence, tuple(scores[f.family] for f in s.evidence.families)))
    return found


def decisions(results: MatchingResults, known: Collection[str] | None = None) -> dict[Key, Decision]:
    """What is decided for each relation with weights fitted on the others, weighing the features that are known."""
    sums = collect_sums(cases(results))
    groups = {relation(task.name) for task in results.tasks}
    weights = {group: sums.weights(known=known, without=group) for group in groups}
    return {
        (relation(s.task), s.model, s.seed): decide(s.evidence, weights[relation(s.task)])
        for s in results.signals
    }


def untuned(results: MatchingResults) -> dict[Key, Decision]:
    """The decisions from what matching sees by default: nothing is tuned before."""
    return decisions(results, set(FEATURES) - {"tuned_bits"})


def chosen(made: Mapping[Key, Decision]) -> Choices:
    """The families that were decided on."""
    return {key: decision.family for key, decision in made.items()}


def fit_all(results: MatchingResults) -> ShippedWeights:
    """What ships: sums and cases of every relation, from which weights are fitted without the relation at hand."""
    made_from = _made_from(results)
    return ShippedWeights(
        family=collect_sums(cases(results), made_from),
        type=TypeCases(cases=typed_cases(results), made_from=made_from),
    )


def typed_cases(results: MatchingResults) -> tuple[TypedCase, ...]:
    """Leans with the paper's type, for the tasks that have one."""
    return tuple(
        TypedCase(group=relation(s.task), type=kind, leans=s.leans)
        for s in results.signals
        if (kind := results.type_of(s.task)) is not None
    )


ASKED = {
    "as asked by default": ("guidelines", "depthrank", "classifier"),
    "with tuned DepthRank": ("guidelines", "depthrank", "tuned_depthrank", "classifier"),
}
"""Sets of signals whose combination is judged."""


def type_accuracy(results: MatchingResults) -> dict[str, tuple[float, int]]:
    """Share of tasks, checkpoints and seeds whose type each signal alone, and all together, tell; with the number of cases.

    All together is fitted without the relation that it judges; a signal alone says mask-filling where it leans above 0.
    """
    learnt = TypeCases(cases=typed_cases(results))
    right: dict[str, list[bool]] = {}
    for name, asked in ASKED.items():
        fitted = {g: learnt.weights(known=asked, without=g) for g in {c.group for c in learnt.cases}}
        for case in learnt.cases:
            if set(asked) <= set(case.leans):
                leans = {signal: case.leans[signal] for signal in asked}
                found = decide_type(leans, fitted[case.group]).type == case.type
                right.setdefault(f"all together, {name}", []).append(found)
    for case in learnt.cases:
        for name, lean in case.leans.items():
            right.setdefault(name.replace("_", " "), []).append(
                ("mask-filling" if lean > 0 else "map-phrasal") == case.type
            )
    return {name: (float(np.mean(values)), len(values)) for name, values in right.items()}


def _made_from(results: MatchingResults) -> str:
    relations: Sequence[str] = sorted({relation(t.name) for t in results.tasks})
    return (
        f"{len(relations)} relations ({', '.join(relations)}), {len(results.models)} checkpoints, {len(results.seeds)} seeds, "
        f"{results.config.get('shots')} shots"
    )
