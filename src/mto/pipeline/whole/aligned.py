"""What "aligned" means for each task of a whole run: one template family, and the objective that the checkpoint is adapted with.

In: what matching said of the first seed's labelled rows, or, where it cannot be asked, what dev data chose in the comparison without
adaptation. Out: a family and an objective a task that agree with each other (docs/method.md 1). One decision serves all seeds, because one
adaptation does, and its text was chosen with the first seed's rows as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from mto.errors import DataError
from mto.pipeline.inputs import TaskInput, needs_phrase
from mto.pipeline.whole.config import WholeConfig
from mto.tasks import Kind
from mto.templates import get_family
from mto.templates.family import Objective, TemplateFamily

if TYPE_CHECKING:
    from mto.match import Match
    from mto.report import Comparison

FAMILIES: dict[Objective, tuple[str, str]] = {
    "denoising": ("masked-prompting", "masked-mapping"),
    "lm": ("prompting", "mapping"),
}
"""The family that goes with each objective (docs/method.md 1), and the one in its place for a task without a phrase."""
CHOICE_FAMILIES: dict[Objective, str] = {"denoising": "masked-answer-prompting", "lm": "answer-prompting"}
"""The same for multiple choice, which needs no phrase."""
FORCED: dict[str, Objective] = {"denoising": "denoising", "lm": "lm", "spans": "denoising", "prefixes": "lm"}
"""Objectives of an adaptation that speak for all tasks, and what they are like."""


@dataclass(frozen=True)
class Aligned:
    """The aligned way of one task.

    Attributes:
        task: its name.
        family: the template family.
        objective: what its pairs are adapted with; None: what the router says of most of them.
        reason: in words.
        by: what decided: matching, dev data, or the user.
    """

    task: str
    family: str
    objective: Objective | None
    reason: str
    by: Literal["match", "dev", "asked"]

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def aligned_by_match(task: TaskInput, match: Match, config: WholeConfig) -> Aligned:
    """The aligned way by what matching said of a task."""
    best = match.best
    said = f"matching takes it for {best.type.type}, so {best.objective}"
    forced = FORCED.get(config.adapt.objective)
    if config.align == "family" and forced is None:
        family = _named(match.family, config)
        objective = family.objective or best.objective
        told = (
            f"matching expects most of {family.title}, which looks like {family.objective or 'no objective'}"
        )
        if family.objective is None:
            told += f"; {said}"
        return Aligned(task.name, family.name, objective, told, "match")
    objective = forced or best.objective
    known = {one.family for one in best.scores.families}
    name = family_for(objective, task)
    if name not in known and objective == "denoising" and forced is None:
        other = family_for("lm", task)
        return Aligned(task.name, other, "lm", f"{said}, but the checkpoint writes no masks: lm", "match")
    if forced is not None:
        also = "" if forced == best.objective else f" ({said})"
        return Aligned(task.name, name, forced, f"{config.adapt.objective}, as asked for{also}", "asked")
    return Aligned(task.name, name, objective, said, "match")


def aligned_by_dev(task: TaskInput, comparison: Comparison, config: WholeConfig) -> Aligned:
    """The aligned way by the family that dev data chose for the first seed, before any adaptation.

    Raises:
        DataError: dev data chose none.
    """
    first = config.seeds[0]
    forced = FORCED.get(config.adapt.objective)
    choice = next((c for c in comparison.choices if (c.task, c.seed) == (task.name, first)), None)
    if choice is None:
        raise DataError(
            f"{task.name}: dev data chose no family", hint="look at the report of the stage 'base'"
        )
    family = _named(choice.family, config)
    if forced is not None:
        return Aligned(
            task.name, family_for(forced, task), forced, f"{config.adapt.objective}, as asked for", "asked"
        )
    looks = f"which looks like {family.objective}" if family.objective else "which looks like no objective"
    return Aligned(task.name, family.name, family.objective, f"dev data chose {family.title}, {looks}", "dev")


def family_for(objective: Objective, task: TaskInput) -> str:
    """The family that goes with an objective, for this task."""
    if task.form.kind == "multiple-choice":
        return CHOICE_FAMILIES[objective]
    natural, plain = FAMILIES[objective]
    return natural if task.phrase else plain


def natural_family(kind: Kind) -> str:
    """The plainest natural family of a kind of task: Prompting, for multiple choice AnswerPrompting."""
    return CHOICE_FAMILIES["lm"] if kind == "multiple-choice" else FAMILIES["lm"][0]


def masked_family(kind: Kind) -> str:
    """The same with a mask: MaskedPrompting, for multiple choice MaskedAnswerPrompting."""
    return CHOICE_FAMILIES["denoising"] if kind == "multiple-choice" else FAMILIES["denoising"][0]


def beside(kind: Kind, *, phrased: bool) -> tuple[str, ...]:
    """Compared without adaptation, whatever is aligned: the conventional way and the plainest natural one."""
    natural = natural_family(kind)
    return ("mapping", *((natural,) if phrased or not needs_phrase(get_family(natural)) else ()))


def base_families(
    config: WholeConfig, tasks: Mapping[str, TaskInput], aligned: Mapping[str, Aligned] | None
) -> tuple[str, ...]:
    """What is compared without adaptation: the families asked for, and those that the whole way needs.

    Args:
        aligned: the aligned way of each task; None where dev data are to choose among the basic families.
    """
    phrased = all(task.phrase for task in tasks.values())
    kind = next(iter(tasks.values())).form.kind
    asked = list(config.families or ())
    if aligned is None:
        masked = masked_family(kind)
        candidates = asked or [
            name for name in ("masked-mapping", masked) if phrased or not needs_phrase(get_family(name))
        ]
        forced = FORCED.get(config.adapt.objective)
        needed = [family_for(forced, task) for task in tasks.values()] if forced else []
    else:
        candidates, needed = asked, [one.family for one in aligned.values()]
    names = {get_family(ref).name for ref in asked}
    return tuple(dict.fromkeys([
        *(name for name in beside(kind, phrased=phrased) if name not in names), *candidates,
        *(name for name in needed if name not in names),
    ]))  # fmt: skip


def _named(name: str, config: WholeConfig) -> TemplateFamily:
    """A family by its name; families of one's own are named by their file in the configuration."""
    for ref in config.families or ():
        if (family := get_family(ref)).name == name:
            return family
    return get_family(name)


def family_ref(name: str, config: WholeConfig) -> str:
    """How a configuration names a family: its file where it is one of one's own."""
    return next((ref for ref in config.families or () if get_family(ref).name == name), name)
