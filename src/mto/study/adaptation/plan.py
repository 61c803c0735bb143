"""What lies where in a study of adaptation, which tasks each arm meets, and what matching had decided before."""

from __future__ import annotations

from pathlib import Path

from mto.errors import DataError
from mto.match.decision.task_type import TypeCases, decide_type
from mto.report import Comparison
from mto.study.adaptation.config import ALIGNED, AdaptationStudyConfig, Arm
from mto.study.adaptation.results import Decided, Setting
from mto.study.matching.results import MatchingResults, read_matching, relation
from mto.study.matching.rules import ASKED, typed_cases, untuned
from mto.study.matching.stages import choose_settings

_SAME = ("shots", "max_test", "metric", "precision", "ladder", "rates", "sweep_tasks", "sweep_seeds")
_KNOWN = ASKED["as asked by default"]


def pairs_folder(path: Path, name: str) -> Path:
    """Of one preparation."""
    return path / "pairs" / name


def adapted_folder(path: Path, arm: Arm) -> Path:
    """Of one adaptation."""
    return path / "adapted" / arm.name


def sweep_folder(path: Path, arm: Arm) -> Path:
    """Of the run that chooses rate and steps."""
    return path / "sweep" / arm.name


def grid_folder(path: Path, arm: Arm, family: str) -> Path:
    """Of the run that tests one family on one arm."""
    return path / "grid" / arm.name / family


def agreeing_folder(path: Path, arm: Arm, family: str) -> Path:
    """Of the run that tests the family of an arm's objective on the tasks of `agreeing`."""
    return path / "grid" / arm.name / f"{family}-agreeing"


def settings_of(comparison: Comparison, arm: Arm) -> tuple[Setting, ...]:
    """Rate and steps of each family, as the study of matching chooses them."""
    return tuple(
        Setting(arm=arm.name, family=one.family, rate=one.rate, steps=one.steps)
        for one in choose_settings(comparison, arm.name)
    )


def tasks_of(
    config: AdaptationStudyConfig, before: MatchingResults, arm: Arm, family: str
) -> tuple[str, ...]:
    """The tasks on which a family is tuned on an arm: those of the matrix, and where matching decided on it in some seed."""
    wanted = {d.task for d in decisions(config, before) if d.family == family} if arm.everywhere else set()
    return tuple(task for task in config.tasks if task in config.matrix or task in wanted)


def agreeing(config: AdaptationStudyConfig, before: MatchingResults, arm: Arm) -> tuple[str, tuple[str, ...]]:
    """The family that looks like an arm's objective, and the further tasks that want both because matching decided on the objective."""
    family = ALIGNED.get(arm.objective, "")
    if not arm.everywhere or family not in (arm.families or config.families):
        return family, ()
    had = tasks_of(config, before, arm, family)
    wanted = {d.task for d in decisions(config, before) if d.objective == arm.objective}
    return family, tuple(task for task in config.tasks if task in wanted and task not in had)


def matched(config: AdaptationStudyConfig) -> MatchingResults:
    """The results of the study of matching.

    Raises:
        DataError: it was made with other settings, or lacks the checkpoint, a task, a family or a seed.
    """
    found = read_matching(config.matching)
    theirs, ours = found.config, config.model_dump(mode="json")
    other = [name for name in _SAME if theirs.get(name) != ours[name]]
    if other:
        raise DataError(
            f"the study of matching was made with another '{other[0]}': {theirs.get(other[0])}, here {ours[other[0]]}",
            where=config.matching,
        )
    for what, needed, there in (
        ("checkpoint", {config.model}, {model.name for model in found.models}),
        ("task", set(config.tasks), {task.name for task in found.tasks}),
        ("family", set(config.families), set(found.families)),
        ("seed", {str(seed) for seed in config.seeds}, {str(seed) for seed in found.seeds}),
    ):
        if missing := sorted(needed - there):
            raise DataError(f"the study of matching has no {what} '{missing[0]}'", where=config.matching)
    return found


def decisions(config: AdaptationStudyConfig, before: MatchingResults) -> tuple[Decided, ...]:
    """What matching decided for each task and seed on the checkpoint as it is; all weights are fitted without the task."""
    families = untuned(before)
    learnt = TypeCases(cases=typed_cases(before))
    found = []
    for task in config.tasks:
        name = relation(task)
        weights = learnt.weights(known=_KNOWN, without=name)
        for seed in config.seeds:
            signals = next(
                s for s in before.signals if (s.task, s.model, s.seed) == (task, config.model, seed)
            )
            kind = decide_type({lean: signals.leans[lean] for lean in _KNOWN}, weights)
            found.append(
                Decided(
                    task=task, seed=seed, family=families[name, config.model, seed].family, type=kind.type,
                    objective="denoising" if kind.type == "mask-filling" else "lm", probability=kind.probability,
                )
            )  # fmt: skip
    return tuple(found)
