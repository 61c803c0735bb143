"""Every way of choosing a family that the study compares, from the signals that were written down before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from mto.match.decision.decide import decide
from mto.match.decision.evidence import FEATURES
from mto.match.decision.shipped import ShippedWeights
from mto.match.decision.sums import Case, collect_sums
from mto.match.decision.task_type import TypedCase, decide_type, fit_type_weights
from mto.study.matching.regret import Choices, always
from mto.study.matching.results import MatchingResults, Signals, relation

MASKED, NATURAL = "masked-prompting", "prompting"
THRESHOLD = 0.30
"""The reported rule: mask-filling from this Maskability Index on, at 5 shots (METHOD 5)."""

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
        for name in ("guidelines", "classifier", "depthrank"):
            if all(name in s.leans for s in signals.values()):
                rules[f"lean of {name}"] = _each(signals, lambda s, name=name: _by(s.leans[name], 0.0))  # type: ignore[misc]
    for measure, title in (("bits", "fewest bits, 0 shots"), ("tuned_bits", "fewest bits, few shots"), ("depth_rank", "lowest DepthRank, 0 shots")):  # fmt: skip
        if all(getattr(f, measure) is not None for s in signals.values() for f in s.evidence.families):
            rules[title] = _each(signals, lambda s, measure=measure: _least(s, measure))  # type: ignore[misc]
    rules["decision (relation left out)"] = decisions(results)
    rules["decision, 0 shots (relation left out)"] = decisions(results, set(FEATURES) - {"tuned_bits"})
    dev = _dev(results)
    if dev is not None:
        rules["dev likelihood of all families tuned"] = dev
    return rules


def _each(signals: Mapping[Key, Signals], choose: Callable[[Signals], str]) -> Choices:
    return {key: choose(found) for key, found in signals.items()}


def _by(value: float | None, cut: float) -> str:
    """The aligned family of METHOD 1; an index that could not be measured speaks for no mask."""
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


def decisions(results: MatchingResults, known: Collection[str] | None = None) -> Choices:
    """What the decision chooses for each relation with weights fitted on the others, weighing the features that are known."""
    sums = collect_sums(cases(results))
    groups = {relation(task.name) for task in results.tasks}
    weights = {group: sums.weights(known=known, without=group) for group in groups}
    return {
        (relation(s.task), s.model, s.seed): decide(s.evidence, weights[relation(s.task)]).family
        for s in results.signals
    }


def fit_all(results: MatchingResults) -> ShippedWeights:
    """What ships: from every relation, with the task type's weights without each."""
    typed, made_from = typed_cases(results), _made_from(results)
    groups = sorted({case.group for case in typed})
    return ShippedWeights(
        family=collect_sums(cases(results), made_from),
        type=fit_type_weights(typed, made_from=made_from),
        type_without={
            group: fit_type_weights(
                [c for c in typed if c.group != group], made_from=f"{made_from}, without {group}"
            )
            for group in groups
        },
    )


def typed_cases(results: MatchingResults) -> list[TypedCase]:
    """Leans with the paper's type, for the tasks that have one."""
    return [
        TypedCase(relation(s.task), s.leans, kind)
        for s in results.signals
        if (kind := results.type_of(s.task)) is not None
    ]


def type_accuracy(results: MatchingResults) -> dict[str, tuple[float, int]]:
    """Share of tasks, checkpoints and seeds whose type each signal alone, and all together, tell; with the number of cases.

    All together is fitted without the relation that it judges; a signal alone says mask-filling where it leans above 0.
    """
    known = typed_cases(results)
    right: dict[str, list[bool]] = {}
    for group in sorted({c.group for c in known}):
        weights = fit_type_weights([c for c in known if c.group != group])
        for case in (c for c in known if c.group == group):
            right.setdefault("all together", []).append(decide_type(case.leans, weights).type == case.type)
            for name, lean in case.leans.items():
                if lean is not None:
                    right.setdefault(name, []).append(
                        ("mask-filling" if lean > 0 else "map-phrasal") == case.type
                    )
    return {name: (float(np.mean(values)), len(values)) for name, values in right.items()}


def _made_from(results: MatchingResults) -> str:
    relations: Sequence[str] = sorted({relation(t.name) for t in results.tasks})
    return (
        f"{len(relations)} relations ({', '.join(relations)}), {len(results.models)} checkpoints, {len(results.seeds)} seeds, "
        f"{results.config.get('shots')} shots"
    )
