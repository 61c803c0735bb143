"""All signals asked about labelled rows, and the decision made from what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mto.errors import DataError
from mto.families import LoadedModel
from mto.match.candidates import compare_candidates
from mto.match.classifier.ask import classify
from mto.match.config import MatchConfig
from mto.match.decision.decide import Decision, decide
from mto.match.decision.evidence import FamilyEvidence, TaskEvidence
from mto.match.decision.shipped import read_weights, weights_for
from mto.match.decision.task_type import decide_type
from mto.match.denoiser import propose_denoiser
from mto.match.depthrank.mask_index import MaskabilityReport, maskability
from mto.match.depthrank.results import FamilyScores
from mto.match.depthrank.scoring import score_families
from mto.match.depthrank.shots import cross_scores
from mto.match.guidelines.judge import Guidelines, guidelines
from mto.match.kinds import notes_on_kind, silent_signals
from mto.match.probe.checkpoints import Checkpoints, Loader
from mto.match.probe.result import Probe
from mto.match.probe.run import probe
from mto.match.probe.tournament import Progress
from mto.match.result import Match, ModelMatch
from mto.tasks import Row, Task
from mto.templates.family import Objective

Told = Callable[[str, str], None]
"""Told the signal and the checkpoint that are under way."""
FEWEST_ROWS = 4
"""Below so many labelled rows a note says that the answer rests on little."""


def match_rows(
    models: LoadedModel | Mapping[str, LoadedModel | Loader],
    task: Task,
    rows: Sequence[Row],
    *,
    dev: Sequence[Row] = (),
    phrase: str | None = None,
    config: MatchConfig | None = None,
    data_seed: int | None = None,
    progress: Told | None = None,
    probing: Progress | None = None,
) -> Match:
    """Ask the signals about a task's labelled rows and decide (docs/method.md 5).

    Tasks of every kind can be matched; a signal that says nothing of a kind is told in `ModelMatch.silent`.

    Args:
        models: a checkpoint, or candidates by name; a function that gives one is called when it is needed.
        task: gives relation, fields, phrases and kind; none of its examples is read.
        rows: labelled few-shot rows, of two heads or more.
        dev: further labelled rows; never learned from.
        phrase: natural phrase in place of the task's first.
        config: which signals, and how.
        data_seed: of the split, for the record.
        progress: is told what is under way.
        probing: is told of every training of the probe. Ctrl-C during the probe ends it with its best answer so far.

    Raises:
        DataError: fewer than two labelled heads, or a target without tokens.
        TemplateError: no template family can be written.
    """
    began = time.perf_counter()
    config = config or MatchConfig()
    if config.weights is not None:
        read_weights(config.weights)  # a mistake is told before the work, not after it
    told = progress or (lambda signal, model: None)
    checkpoints = Checkpoints(models)
    labelled = (*rows, *dev)
    phrase = phrase if phrase is not None else next(iter(task.phrases), None)
    guess = why_guess(labelled)
    notes = (*([guess] if guess else ()), *_notes(rows), *notes_on_kind(task.form, labelled))
    shape = None
    if "guidelines" in config.signals:
        told("guidelines", "")
        shape = guidelines(
            labelled, relation=task.relation, phrase=phrase, form=task.form, tagger=config.tagger
        )
    tournament = None
    if "probe" in config.signals:
        told("probe", ", ".join(checkpoints.names))
        tournament = probe(
            models, _with_phrase(task, phrase), rows, dev=dev, families=config.families, config=config.probe,
            seed=config.seed, progress=probing,
        )  # fmt: skip
    ask = _Ask(task, tuple(rows), labelled, phrase, config, told)
    found = []
    for name in checkpoints.names:
        found.append(_match_model(ask, name, checkpoints.get(name), shape, tournament))
        checkpoints.release(name)
    found.sort(key=lambda one: one.bits_per_byte.value)
    return Match(
        task=task.name,
        kind=task.kind,
        relation=task.relation,
        phrase=phrase,
        data_seed=data_seed,
        train_rows=len(rows),
        dev_rows=len(dev),
        guidelines=shape,
        probe=tournament,
        models=tuple(found),
        candidates=compare_candidates([(one.model, one.scores) for one in found], seed=config.seed),
        seconds=round(time.perf_counter() - began, 2),
        guess=guess,
        notes=notes,
    )


def _with_phrase(task: Task, phrase: str | None) -> Task:
    """The task with this phrase as its first."""
    if phrase is None or task.phrases[:1] == (phrase,):
        return task
    return replace(task, phrases=(phrase, *(other for other in task.phrases if other != phrase)))


@dataclass(frozen=True)
class _Ask:
    """What every checkpoint is asked about."""

    task: Task
    rows: tuple[Row, ...]
    labelled: tuple[Row, ...]
    phrase: str | None
    config: MatchConfig
    told: Told


def _match_model(
    ask: _Ask, name: str, loaded: LoadedModel, shape: Guidelines | None, tournament: Probe | None
) -> ModelMatch:
    config = ask.config
    common: dict[str, Any] = {
        "families": config.families, "phrase": ask.phrase, "max_source": config.max_source, "seed": config.seed,
    }  # fmt: skip
    # The families' likelihoods also say which checkpoint expects the task best, so they are always scored.
    ask.told("depthrank", name)
    scores = score_families(loaded, ask.task, ask.labelled, **common)
    masks = maskability(scores, seed=config.seed)
    tuned, tuned_masks = None, None
    if config.tuned_shots is not None:
        ask.told("depthrank after tuning", name)
        tuned = cross_scores(loaded, ask.task, ask.rows, shots=config.tuned_shots, **common)
        tuned_masks = maskability(tuned, seed=config.seed)
    silent = silent_signals(ask.task.form, config.signals)
    classified = None
    if "classifier" in config.signals and "classifier" not in silent:
        ask.told("classifier", name)
        classified = classify(
            ask.labelled, loaded=loaded, phrase=ask.phrase, relation=ask.task.name, seed=config.seed
        )
    denoiser = None
    if config.denoiser and loaded.adapter.writes_masks:
        ask.told("denoiser", name)
        denoiser = _denoiser(loaded, ask)
    objectives = loaded.metadata.speaks
    evidence = TaskEvidence(
        families=collect_evidence(scores, tuned, objectives),
        guidelines=shape.lean.value if shape else None,
        classifier=classified.lean.value if classified else None,
    )
    leans = {
        "guidelines": evidence.guidelines,
        "classifier": evidence.classifier,
        "depthrank": lean_of_masks(config, masks),
        "tuned_depthrank": lean_of_masks(config, tuned_masks),
        "probe": tournament.lean.value if tournament else None,
    }
    weights = weights_for(ask.task.name, evidence, leans, config.weights)
    kind = decide_type(leans, weights.type)
    objective: Objective = "denoising" if kind.type == "mask-filling" else "lm"
    return ModelMatch(
        model=name,
        revision=loaded.revision,
        objectives=objectives,
        scores=scores,
        maskability=masks,
        tuned=tuned,
        tuned_maskability=tuned_masks,
        classified=classified,
        silent=silent,
        evidence=evidence,
        family=_as_asked(decide(evidence, weights.family, seed=config.seed), scores),
        type=kind,
        objective=objective,
        denoiser=denoiser,
    )


def _as_asked(decision: Decision, scores: FamilyScores) -> Decision:
    """The decision; of one family it says whether another was asked for at all."""
    if len(decision.forecasts) > 1 or scores.left_out:
        return decision
    return decision.model_copy(update={"says": f"{decision.family} is the only family that was asked for"})


def collect_evidence(
    scores: FamilyScores, tuned: FamilyScores | None, objectives: Mapping[str, float]
) -> tuple[FamilyEvidence, ...]:
    """What is known of every family, from its scores without and with tuning and the checkpoint's pre-training.

    A family agrees with a checkpoint by the share that the family's objective had in its last stage of pre-training; Mapping, which looks like
    none, by half. Left open for a checkpoint that does not say what it was taught, and for one that was tuned with labelled tasks (T5 1.0,
    FLAN-T5): how these answer each family is not told by an objective.
    """
    after = {family.family: family for family in tuned.families} if tuned else {}
    found = []
    for family in scores.families:
        agrees = None
        if objectives and "supervised" not in objectives:
            agrees = 0.5 if family.objective is None else float(objectives.get(family.objective, 0.0))
        found.append(
            FamilyEvidence(
                family=family.family,
                objective=family.objective,
                masked=family.masks > 0,
                natural=family.natural,
                cost=family.ids,
                bits=family.bits_per_byte.value,
                tuned_bits=after[family.family].bits_per_byte.value if family.family in after else None,
                depth_rank=family.depth_rank.value,
                agrees=agrees,
            )
        )
    return tuple(found)


def lean_of_masks(config: MatchConfig, report: MaskabilityReport | None) -> float | None:
    """The lean of DepthRank; None where it was not asked or measured, or nothing pairs up."""
    if "depthrank" not in config.signals or report is None:
        return None
    return report.lean.value if report.pairs else None


def _denoiser(loaded: LoadedModel, ask: _Ask) -> Any:
    try:
        return propose_denoiser(loaded, ask.task, ask.labelled, phrase=ask.phrase, seed=ask.config.seed)
    except DataError:
        # Sentences too short to be masked: a task of bare words has no denoiser, which is no reason to fail.
        return None


def why_guess(labelled: Sequence[Row]) -> str | None:
    """Why an answer that rests on these rows is no more than a guess; None where it may be more."""
    if len({row.target.casefold() for row in labelled}) == 1 and len(labelled) > 1:
        return (
            f"all targets are '{labelled[0].target}': nothing about the task can be learnt from them, "
            "so the answer is a guess"
        )
    if len({row.id for row in labelled}) < FEWEST_ROWS:
        return f"only {len(labelled)} labelled rows: every interval is wide, and the answer little more than a guess"
    return None


def _notes(rows: Sequence[Row]) -> tuple[str, ...]:
    notes = []
    if rows and len({row.id for row in rows}) < len(rows):
        notes.append("some heads have several rows; a head counts once in every mean")
    return tuple(notes)
