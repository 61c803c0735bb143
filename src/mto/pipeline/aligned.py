"""Which family is the aligned one: by matching, before anything is tuned, or by the dev scores of the tuned families.

In: a task, its few-shot and dev rows, a checkpoint. Out: a `Match` for each task and seed, and the families that a run
needs because of them. Where matching cannot be asked, dev data choose, and the report says which of the two it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mto.errors import DataError
from mto.pipeline.cells import CellId, chosen_family
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import Inputs, needs_phrase
from mto.pipeline.progress import RunCallback
from mto.prompts.aligned import CONVENTIONAL, soft_family, soft_family_among
from mto.tasks import Task
from mto.templates import get_family

if TYPE_CHECKING:
    from mto.families import LoadedModel
    from mto.match import Match
    from mto.report import Choice
    from mto.report.results import Forecast, MatchInfo

BESIDE = ("mapping", "prompting")
BESIDE_CHOICES = ("mapping", "answer-prompting")
"""Reported beside the chosen family, whatever matching says: the conventional way and the plainest natural one; the second
where rows have choices."""
BESIDE_SOFT = (CONVENTIONAL,)
"""The same where soft prompts are tuned."""

Matches = Mapping[tuple[str, int], "Match"]


def can_match(config: CompareConfig, inputs: Inputs) -> bool:
    """Whether matching names the aligned families of a run.

    It needs labelled rows and a test set. Under k-fold the rows that are scored are the labelled rows themselves: a family
    chosen on all of them would have seen the answers, so there the dev rows inside each fold choose.
    """
    return (
        config.choose == "match"
        and all(task.folds is None for task in inputs.tasks)
        and all(split.train for split in inputs.splits.values())
    )


def match_all(
    loaded: LoadedModel, tasks: Sequence[Task], config: CompareConfig, inputs: Inputs, told: RunCallback
) -> dict[tuple[str, int], Match]:
    """Match each task on the rows of each seed; a split that cannot be matched is left out, and `told` why."""
    from mto.match.rows import match_rows
    from mto.pipeline.team import thread_count

    found = {}
    for task in tasks:
        phrase = inputs.task(task.name).phrase
        settings = config.matching.model_copy(update={"families": _asked(task, phrase, config, inputs)})
        for seed in config.seeds:
            split = inputs.splits[task.name, seed]
            told.on_event("matching", f"matching {task.name}, seed {seed}")
            try:
                with thread_count(config.threads):
                    match = match_rows(
                        {loaded.ref: loaded}, replace(task, phrases=(phrase,) if phrase else ()), split.train,
                        dev=split.dev, phrase=phrase, config=settings, data_seed=seed,
                    )  # fmt: skip
            except DataError as error:
                told.on_event(
                    "no-match", f"{task.name}, seed {seed}: {error.message}; dev data choose the family"
                )
                continue
            found[task.name, seed] = match
    return found


def _asked(task: Task, phrase: str | None, config: CompareConfig, inputs: Inputs) -> tuple[str, ...]:
    """The families that matching is to choose among: those that are named, or those of the kind of task that can be written.

    Soft prompts say nothing before they are trained: there matching asks the families that these stand for.
    """
    if config.families is not None and not config.soft:
        return config.families
    # Where one of several tasks has no phrase, the others do without theirs too.
    there = {family.name for family in inputs.families}
    return tuple(
        name
        for name in task.form.families
        if not needs_phrase(get_family(name)) or (phrase if config.soft else name in there)
    )


def with_matches(inputs: Inputs, config: CompareConfig, matches: Matches) -> Inputs:
    """The inputs with what matching found; where the configuration names no families, only those that are needed stay.

    These are Mapping, Prompting (AnswerPrompting where rows have choices; where soft prompts are tuned PT alone) and every
    family that was chosen for some task and seed: all tasks have the same families, so that their tables can be put together.
    Where a split could not be matched all stay, for dev to choose.
    """
    families = inputs.families
    if config.families is None:
        chosen = {name for match in matches.values() if (name := _stands_for(match.family, inputs))}
        # Matching asks all families of a kind, dev data choose among the usual ones.
        there = {family.name: family for family in families}
        there |= {name: get_family(name) for name in sorted(chosen - there.keys())}
        if len(matches) == len(inputs.splits):
            there = {name: there[name] for name in there if name in {*_beside(config, inputs), *chosen}}
        families = tuple(there.values())
    return replace(inputs, families=families, matches=dict(matches))


def _beside(config: CompareConfig, inputs: Inputs) -> tuple[str, ...]:
    if config.soft:
        return BESIDE_SOFT
    return BESIDE_CHOICES if inputs.tasks[0].form.has_choices else BESIDE


def planned(inputs: Inputs, config: CompareConfig) -> tuple[Inputs, str | None]:
    """The inputs as they will most likely be after matching, for a plan, which matches nothing.

    Also the name of the family that stands for the one that matching will choose: the last of the basic ones that the
    tasks can be written with. None where the configuration names the families.
    """
    if config.families is not None:
        return inputs, None
    stands_for = _likeliest(inputs, config)
    likely = {*_beside(config, inputs), stands_for}
    return replace(inputs, families=tuple(f for f in inputs.families if f.name in likely)), stands_for


def _stands_for(family: str, inputs: Inputs) -> str | None:
    """The family of the run that matching's choice means: itself, or the one with soft prompts that stands for it.

    None where the run has none of its objective: then dev data choose.
    """
    if inputs.settings.get("method") != "prompt":
        return family
    return soft_family_among(get_family(family), inputs.families, choices=inputs.tasks[0].form.has_choices)


def match_infos(inputs: Inputs) -> tuple[MatchInfo, ...]:
    """What reports keep of every matching; where soft prompts are tuned, with the families that stand for its own."""
    from mto.report.matching import match_info

    infos = [match_info(match) for match in inputs.matches.values()]
    if inputs.settings.get("method") != "prompt":
        return tuple(infos)
    found = []
    for info in infos:
        family = _stands_for(info.family, inputs)
        if family is None:  # dev data choose, since no family of the run means the same
            continue
        line = f"Soft prompts: {inputs.family(family).title}, which stands for it and looks like the same objective."
        choices = inputs.tasks[0].form.has_choices
        forecasts: dict[str, Forecast] = {}
        for one in info.forecasts:  # where two families share one, the better expected of them speaks
            name = soft_family(get_family(one.family), choices=choices)
            forecasts.setdefault(name, one.model_copy(update={"family": name}))
        verdict = (*info.verdict, line)
        found.append(
            info.model_copy(
                update={"family": family, "verdict": verdict, "forecasts": tuple(forecasts.values())}
            )
        )
    return tuple(found)


def _likeliest(inputs: Inputs, config: CompareConfig) -> str:
    """For a plan: the last of the basic families that can be written, or what stands for it."""
    if not config.soft:
        return inputs.families[-1].name
    if inputs.tasks[0].form.has_choices:
        return soft_family(get_family("masked-answer-prompting"))
    phrased = all(task.phrase for task in inputs.tasks)
    return soft_family(get_family("masked-prompting" if phrased else "masked-mapping"))


def choices(
    config: CompareConfig, inputs: Inputs, results: Mapping[CellId, Mapping[str, Any]]
) -> tuple[Choice, ...]:
    """The aligned family of every task and seed whose cells are all there (docs/method.md 9); test data have no say."""
    from mto.report import Choice

    names = [family.name for family in inputs.families]
    found = []
    for task in inputs.tasks:
        for seed in config.seeds:
            mine = {at.family: r for at, r in results.items() if (at.task, at.seed) == (task.name, seed)}
            if not all(name in mine for name in names):
                continue
            best = aligned_family(task.name, seed, mine, inputs)
            if best is not None:
                found.append(Choice(task=task.name, seed=seed, family=best[0], reason=best[1], by=best[2]))  # type: ignore[arg-type]
    return tuple(found)


def aligned_family(
    task: str, seed: int, results: Mapping[str, Mapping[str, Any]], inputs: Inputs
) -> tuple[str, str, str] | None:
    """Name, reason and what chose it (``match`` or ``dev``), for the cells of one task and seed by family."""
    match = inputs.matches.get((task, seed))
    if match is not None and (family := _stands_for(match.family, inputs)) is not None:
        said = match.best.family.says
        return family, said if family == match.family else f"it stands for {match.family}: {said}", "match"
    names = [family.name for family in inputs.families]
    best = chosen_family(results, names, str(inputs.settings["select"]))
    return (*best, "dev") if best is not None else None
