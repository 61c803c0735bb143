"""What a finished race says: reasons, the margin of the best arm, and the lean."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mto.match.evidence import Lean, Span
from mto.match.probe.halving import Race, Ran
from mto.match.probe.judge import Floats, Judge, best_point
from mto.match.probe.result import Arm, Dropped, Rung
from mto.match.probe.tournament import Tournament


@dataclass(frozen=True)
class Told:
    """Parts of a `Probe` that follow from the race."""

    arms: tuple[Arm, ...]
    rungs: tuple[Rung, ...]
    difference: Span | None
    lean: Lean
    notes: tuple[str, ...]


def tell(tournament: Tournament, race: Race, judge: Judge) -> Told:
    """Read the records of a race."""
    arms = {name: arm for name, arm in tournament.arms.items() if tournament.points[name]}
    ranking, notes = race.ranking, []
    difference = None
    if len(ranking) > 1:
        best, second, _ = _paired(tournament, judge, ranking[0], ranking[1])
        difference = judge.span(second - best)
    if len(tournament.arms) == 1:
        notes.append(
            "only one arm can take part, so there was nothing to choose: it stands with its zero-shot score"
        )
    for ran in race.rungs:
        if not any(math.isfinite(value) for value in ran.values.values()):
            notes.append(
                f"at rung {ran.number} the training of every arm diverged, so the rungs before decided"
            )
    return Told(
        arms=tuple(arms.values()),
        rungs=tuple(_rung(tournament, judge, ran) for ran in race.rungs),
        difference=difference,
        lean=_lean(tournament, judge, [arms[name] for name in ranking]),
        notes=tuple(notes),
    )


def _rung(tournament: Tournament, judge: Judge, ran: Ran) -> Rung:
    scores = tuple(tournament.scores[ran.number])
    failed = {score.arm: score.failed for score in scores if score.failed is not None}
    dropped = []
    for name in ran.dropped:
        if name in failed:
            why = f"its training failed {failed[name]}"
        else:
            theirs, own, _ = _paired(tournament, judge, ran.kept[-1], name, ran.number)
            why = f"{judge.span(own - theirs)} bits per byte more than {ran.kept[-1]}, the last that stayed"
            if tournament.judge_by == "rank":
                why += f"; mean rank {ran.values[name]:.2f} against {ran.values[ran.kept[-1]]:.2f}"
        dropped.append(Dropped(arm=name, why=why))
    return Rung(number=ran.number, steps=ran.steps, scores=scores, kept=ran.kept, dropped=tuple(dropped))


def _lean(tournament: Tournament, judge: Judge, ranked: list[Arm]) -> Lean:
    """The best masked against the best unmasked arm of the best arm's checkpoint."""
    own = [arm for arm in ranked if arm.model == ranked[0].model]
    masked = next((arm.name for arm in own if arm.masked), None)
    unmasked = next((arm.name for arm in own if not arm.masked), None)
    if masked is None or unmasked is None:
        return Lean(value=0.0, saw=f"no {'masked' if masked is None else 'unmasked'} family to compare with")
    left, right, steps = _paired(tournament, judge, masked, unmasked)
    return judge.lean((masked, left), (unmasked, right), steps)


def _paired(
    tournament: Tournament, judge: Judge, first: str, second: str, until: int | None = None
) -> tuple[Floats, Floats, int]:
    """Bits of two arms on the same rows, each at its best look up to the last rung that both finished, and its steps."""
    points = [tournament.points[name] for name in (first, second)]
    common = min(of_arm[-1].rung for of_arm in points)
    last = common if until is None else min(common, until)
    steps = max(point.steps for point in points[0] if point.rung == last)
    bits = [best_point(of_arm, judge, last).bits for of_arm in points]
    return bits[0], bits[1], steps
