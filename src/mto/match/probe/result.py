"""What a probe gives: typed, to JSON and back. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mto.config import Strict
from mto.match.evidence import Lean, Span


class Arm(Strict):
    """One competitor: a checkpoint with a template family and, where the family uses one, a phrase.

    Attributes:
        name: unique, such as ``masked-prompting``; with several checkpoints ``mini/masked-prompting``; with a
            further phrase ``prompting#2``.
        model: the name that the checkpoint was given (of a single one: its `ref`).
        masked: whether its source holds a mask.
    """

    name: str
    model: str
    family: str
    phrase: str | None
    masked: bool


class LeftOut(Strict):
    """An arm that did not take part, and why."""

    name: str
    why: str


class Look(Strict):
    """Bits per target byte over all held-out rows after so many steps."""

    steps: int
    bits: float


class ArmScore(Strict):
    """One arm as it stands after one rung: at the best of all its looks so far, as tuning will choose the steps on dev.

    Attributes:
        steps, rate: of that best look; 0 and 0.0 where the untrained model is best.
        bits: bits per target byte there: all bits over all bytes. None where the training of this rung failed.
        rows: bits per target byte of each held-out row there, in the order of `Probe.row_ids`.
        metric, metric_rows: the same for the metric (0-100), where one was asked for; the mean over rows.
        value: what the arm was judged by, lower is better: `bits`, or the mean rank.
        looks: how it did within this rung, with the better rate where several were tried.
        failed: why the training failed.
    """

    arm: str
    steps: int = 0
    rate: float = 0.0
    bits: Span | None
    rows: tuple[float, ...] = ()
    metric: Span | None = None
    metric_rows: tuple[float, ...] = ()
    value: float | None
    looks: tuple[Look, ...] = ()
    failed: str | None = None


class Dropped(Strict):
    """An arm that was dropped after a rung, and why."""

    arm: str
    why: str


class Rung(Strict):
    """One rung of the tournament: every arm that was left trained for `steps` in every fold and was scored."""

    number: int
    steps: int
    scores: tuple[ArmScore, ...]
    kept: tuple[str, ...]
    dropped: tuple[Dropped, ...]

    def score(self, arm: str) -> ArmScore | None:
        """The score of an arm; None where it took no part."""
        return next((score for score in self.scores if score.arm == arm), None)


class Probe(Strict):
    """The answer of a probe and all it rests on.

    Attributes:
        task: its name.
        seed: of folds, batches, dropout and resampling.
        folds: parts that the labelled rows were cut into by head.
        rows, heads: labelled rows, and their heads; `dev_rows` further held-out rows, each scored by one fold's
            model.
        arms: all that were scored, in the order of checkpoints and families.
        rungs: finished rungs; rung 0 is zero-shot.
        ranking: names of the arms, best first: how far each came, then how it did there.
        difference: bits per byte by which the second is worse than the best, over the same held-out rows at the last
            rung that both finished; None where there is no second.
        clear: whether that interval lies above 0.
        lean: the best masked against the best unmasked arm of the best arm's checkpoint: ``2 F(d / s) - 1`` with d the
            difference in bits per byte (positive: the mask helps), s its bootstrap standard error over heads, and F
            Student's distribution with heads - 1 degrees of freedom. So +-0.95 is where the 95 % interval of the
            difference touches 0.
        ended: ``winner`` (one arm is left), ``budget`` (steps, seconds or `rungs` were spent first), ``stopped``.
        steps: optimiser steps that were made, also those that decided nothing.
        seconds: by the clock.
        row_ids: id of the head of each held-out row; `row_bytes`: UTF-8 bytes of its targets.
        notes: what a reader should know, in words.
    """

    task: str
    seed: int
    folds: int
    rows: int
    heads: int
    dev_rows: int
    arms: tuple[Arm, ...]
    left_out: tuple[LeftOut, ...]
    rungs: tuple[Rung, ...]
    ranking: tuple[str, ...]
    difference: Span | None
    clear: bool
    lean: Lean
    ended: Literal["winner", "budget", "stopped"]
    steps: int
    seconds: float
    row_ids: tuple[str, ...]
    row_bytes: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Arm:
        """The first of the ranking."""
        return self.arm(self.ranking[0])

    def arm(self, name: str) -> Arm:
        """An arm by name; `KeyError` for one that took no part."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(name)

    def last(self, name: str) -> ArmScore:
        """How an arm stood after the last rung that it finished, with its per-row values."""
        for rung in reversed(self.rungs):
            score = rung.score(name)
            if score is not None and score.bits is not None:
                return score
        raise KeyError(name)

    @property
    def summary(self) -> str:
        """The answer in one or two sentences."""
        first = self.ranking[0]
        score = self.last(first)
        ended = {
            "winner": "one was left",
            "budget": "the budget was spent, so this is the best answer so far",
            "stopped": "it was stopped, so this is the best answer so far",
        }[self.ended]
        text = f"{first}: {score.bits} bits per target byte after {score.steps} steps ({ended})."
        if self.difference is None:
            return text + " There was nothing to choose."
        verdict = "clearly worse" if self.clear else "too close to call"
        return text + f" {self.ranking[1]} is {self.difference} bits per byte behind: {verdict}."


@dataclass(frozen=True)
class ProbeStatus:
    """Where a probe stands, for a progress callback.

    Attributes:
        rung, steps: the rung under way and its steps a training.
        arm: the arm that was just trained or scored.
        done, of: trainings (at rung 0: scorings) of this rung.
        best: the best arm so far; None before rung 0 is finished.
        steps_made, seconds: spent so far.
    """

    rung: int
    steps: int
    arm: str
    done: int
    of: int
    best: str | None
    steps_made: int
    seconds: float
