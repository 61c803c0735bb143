"""What matching gives: typed, versioned, to JSON and back (``match.json``)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mto.config import Strict
from mto.errors import DataError
from mto.match.candidates import Candidates, easiest_family
from mto.match.classifier.voting import Classified
from mto.match.decision.decide import Decision
from mto.match.decision.evidence import TaskEvidence
from mto.match.decision.task_type import TypeDecision
from mto.match.denoiser import DenoiserProposal
from mto.match.depthrank.mask_index import MaskabilityReport
from mto.match.depthrank.results import FamilyScores
from mto.match.evidence import Span
from mto.match.guidelines.judge import Guidelines
from mto.match.probe.result import Probe
from mto.runs import read_json, write_text
from mto.tasks import Kind
from mto.templates.family import Objective

VERSION = 1
"""Of ``match.json``; the field below must say the same."""


class ModelMatch(Strict):
    """The task as one checkpoint sees it.

    Attributes:
        model, revision: the checkpoint.
        objectives: shares of the last stage of its pre-training, where it says so.
        scores: every template family without tuning.
        maskability: what a mask helps, at 0 shots.
        tuned, tuned_maskability: the same after tuning on a part of the labelled rows, where asked for.
        classified: the task classifier, where asked for.
        silent: signals that were asked for and say nothing of tasks of this kind, with the reason.
        evidence: what the decision was made from.
        family: the template family to tune with, how sure that is, and why.
        type: mask-filling or map-phrasal.
        objective: the objective to adapt with: the one that the type is aligned with (docs/method.md 1).
        denoiser: a denoiser that looks like the task, where asked for and where the checkpoint writes masks.
    """

    model: str
    revision: str
    objectives: dict[str, float]
    scores: FamilyScores
    maskability: MaskabilityReport
    tuned: FamilyScores | None = None
    tuned_maskability: MaskabilityReport | None = None
    classified: Classified | None = None
    silent: dict[str, str] = {}
    evidence: TaskEvidence
    family: Decision
    type: TypeDecision
    objective: Objective
    denoiser: DenoiserProposal | None = None

    @property
    def bits_per_byte(self) -> Span:
        """Bits a target byte under the family that gives the fewest: comparable between checkpoints and tokenizers."""
        return easiest_family(self.scores).bits_per_byte

    @property
    def easiest(self) -> str:
        """The family that gives the fewest bits a byte."""
        return easiest_family(self.scores).family


class Match(Strict):
    """The answer of matching and all it rests on.

    Attributes:
        task, relation, phrase: what was matched, as written.
        kind: of the task.
        data_seed: of the few-shot split; None where rows were given.
        train_rows, dev_rows: labelled rows that were read. No test row ever is.
        guidelines: rules on the shape of the data, where asked for.
        probe: the tournament, where asked for.
        models: candidate checkpoints, the one that expects the targets best first.
        candidates: how far each checkpoint is behind the first, and whether that is too close to call; None for one checkpoint.
        seconds: by the clock.
        guess: why the answer is no more than a guess, such as targets that are all equal; None where it may be more.
        notes: what a reader should know, in words; `guess` first.
    """

    version: Literal[1] = 1
    task: str
    kind: Kind = "completion"
    relation: str
    phrase: str | None
    data_seed: int | None
    train_rows: int
    dev_rows: int
    guidelines: Guidelines | None = None
    probe: Probe | None = None
    models: tuple[ModelMatch, ...]
    candidates: Candidates | None = None
    seconds: float
    guess: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> ModelMatch:
        """The first of the candidate checkpoints."""
        return self.models[0]

    @property
    def family(self) -> str:
        """The template family to tune the best checkpoint with."""
        return self.best.family.family

    @property
    def objective(self) -> Objective:
        """The objective to adapt the best checkpoint with."""
        return self.best.objective

    def model(self, ref: str) -> ModelMatch:
        """One candidate by its name. Raises `DataError` when it is none."""
        for found in self.models:
            if found.model == ref:
                return found
        raise DataError(
            f"'{ref}' was not matched", hint="matched: " + ", ".join(m.model for m in self.models)
        )

    def write(self, path: str | Path) -> Path:
        """Write ``match.json``."""
        path = Path(path)
        write_text(path, self.model_dump_json(indent=1) + "\n")
        return path


def read_match(path: str | Path) -> Match:
    """Read what `Match.write` wrote; a folder's ``match.json`` too.

    Raises:
        RunError, DataError: no such file, or it is not of this version.
    """
    path = Path(path)
    path = path / "match.json" if path.is_dir() else path
    value = read_json(path)
    if isinstance(value, dict) and value.get("version") != VERSION:
        raise DataError(
            f"is of version {value.get('version')}, this is version {VERSION}",
            where=str(path),
            hint="match again: mto match",
        )
    try:
        return Match.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"is no result of matching: {place}: {first['msg']}", where=str(path)) from None
