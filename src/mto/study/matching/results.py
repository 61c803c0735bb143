"""The results file of the study of matching: scores of every item, and what every signal said before. All tables come from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, model_validator

from mto.config import Strict
from mto.match.decision.evidence import TaskEvidence
from mto.study.files import StudyResults, read_study_file
from mto.study.matching.regret import Outcome
from mto.tasks import TaskType

Points = Annotated[float, AfterValidator(lambda value: round(value, 1) + 0.0)]
Number = Annotated[float, AfterValidator(lambda value: round(value, 4) + 0.0)]


class StudiedTask(Strict):
    """A task of the study; `heads` are its test heads."""

    name: str
    type: TaskType | None
    heads: int


class StudiedModel(Strict):
    """A checkpoint of the study; `objectives` are those of its last stage of pre-training."""

    name: str
    revision: str
    objectives: dict[str, Number]
    tokens_seen: int | None = None


class Settings(Strict):
    """Rate and steps of one family on one checkpoint, chosen once on the dev data of the sweep's tasks."""

    model: str
    family: str
    rate: float
    steps: int


class CellScores(Strict):
    """Test scores of one family on one task, checkpoint and seed: one a head, 0 to 100; and its dev likelihood."""

    task: str
    model: str
    family: str
    seed: int
    scores: tuple[Points, ...]
    dev_nats: Number | None = None


class Signals(Strict):
    """What matching saw in the labelled rows of one task, checkpoint and seed.

    Attributes:
        evidence: of every family, as the decision weighs it.
        leans: of each signal.
        index, tuned_index: Maskability Index of natural Prompting at 0 shots and at a few; None where it could not be measured.
        probe: the family that the probe chose, where it was run.
        seconds: of the signals without training.
    """

    task: str
    model: str
    seed: int
    evidence: TaskEvidence
    leans: dict[str, Number]
    index: Number | None = None
    tuned_index: Number | None = None
    probe: str | None = None
    seconds: Number = 0.0


class MatchingResults(StudyResults):
    """Everything that the study found out."""

    metric: str
    tasks: tuple[StudiedTask, ...]
    models: tuple[StudiedModel, ...]
    families: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: tuple[Settings, ...]
    cells: tuple[CellScores, ...]
    signals: tuple[Signals, ...]

    @model_validator(mode="after")
    def _whole(self) -> MatchingResults:
        heads = {task.name: task.heads for task in self.tasks}
        found = {(c.task, c.model, c.family, c.seed) for c in self.cells}
        wanted = {
            (t, m.name, f, s) for t in heads for m in self.models for f in self.families for s in self.seeds
        }
        if found != wanted or len(self.cells) != len(wanted):
            raise ValueError(
                f"{len(wanted - found)} cells are missing, {len(self.cells) - len(wanted & found)} too many"
            )
        wrong = next((c for c in self.cells if len(c.scores) != heads[c.task]), None)
        if wrong is not None:
            raise ValueError(
                f"{wrong.task} has {heads[wrong.task]} heads, but a cell has {len(wrong.scores)} scores"
            )
        asked = {(s.task, s.model, s.seed) for s in self.signals}
        if asked != {(t, m, s) for t, m, _, s in wanted} or len(asked) != len(self.signals):
            raise ValueError("signals are missing or stand twice")
        return self

    def type_of(self, task: str) -> TaskType | None:
        """The task type that the paper gives."""
        return next(t.type for t in self.tasks if t.name == task)

    def outcomes(self, model: str | None = None) -> list[Outcome]:
        """Scores as regret reads them, one entry a task and checkpoint."""
        by_key = {(c.task, c.model, c.family, c.seed): c.scores for c in self.cells}
        return [
            Outcome(
                group=relation(task.name),
                model=one.name,
                seeds=self.seeds,
                families=self.families,
                scores=np.array(
                    [[by_key[task.name, one.name, f, s] for s in self.seeds] for f in self.families],
                    dtype=np.float64,
                ),
            )
            for one in self.models
            if model in (None, one.name)
            for task in self.tasks
        ]


def relation(task: str) -> str:
    """The relation's name, without that of its data set.

    >>> relation("atomic2020/xWant")
    'xWant'
    """
    return task.rpartition("/")[2]


def read_matching(path: str | Path) -> MatchingResults:
    """Read a results file. Raises `DataError` when it is none, or not whole."""
    return read_study_file(MatchingResults, path, "matching")
