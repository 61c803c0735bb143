"""The results file of the study of adaptation: scores of every item on every adapted checkpoint. All tables come from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from mto.config import Strict
from mto.errors import DataError
from mto.study.adaptation.config import ALIGNED, NONE
from mto.study.files import StudyResults, read_study_file
from mto.study.matching.results import Number, Points, StudiedTask
from mto.study.splitter.results import Figures
from mto.tasks import TaskType

Floats = NDArray[np.float64]


class Setting(Strict):
    """Rate and steps of one family on one arm, chosen once on the dev data of the sweep's tasks."""

    arm: str
    family: str
    rate: float
    steps: int


class ArmCell(Strict):
    """Test scores of one task, arm, family and seed: one a head, 0 to 100."""

    task: str
    arm: str
    family: str
    seed: int
    scores: tuple[Points, ...]


class Decided(Strict):
    """What matching decided from the labelled rows of one task and seed, with weights that never saw the task.

    Attributes:
        family: the template family.
        type: the task type.
        objective: to adapt with: denoising for mask-filling, else LM.
        probability: of the type.
    """

    task: str
    seed: int
    family: str
    type: TaskType
    objective: Literal["denoising", "lm"]
    probability: Number


class AdaptedArm(Strict):
    """One adapted checkpoint.

    Attributes:
        counts: rows trained, held out, left out, replayed.
        objectives: shares of the trained tokens.
        before, after: held-out losses in nats a token, by what was measured.
        kept_step: whose weights were kept; 0: those before the training.
    """

    name: str
    objective: str
    set: str
    pairs: str
    revision: str
    counts: dict[str, int]
    objectives: dict[str, Number]
    steps: int
    kept_step: int
    tokens: int
    seconds: Number
    before: dict[str, Number]
    after: dict[str, Number]


class PreparedTask(Strict):
    """What a preparation found for one task.

    Attributes:
        pairs: task pairs; `by` what found their target, `from_phrase` of them chosen for a phrase or wording.
        denoising: share of the pairs that the router sent to denoising.
        leaked: share of dev and test triples that stood in the text, whose sentences were dropped.
        met: for each test head, whether it stands in a pair of this task, as decontamination compares words.
    """

    task: str
    pairs: int
    by: dict[str, int]
    from_phrase: int
    denoising: Number
    leaked: Number
    met: tuple[bool, ...]


class PreparedSet(Strict):
    """One preparation."""

    name: str
    files: tuple[str, ...]
    steps: dict[str, int]
    pairs: dict[str, int]
    tasks: tuple[PreparedTask, ...]


class SplitterRow(Strict):
    """How well one splitter did, in the study of the splitters."""

    splitter: str
    seen: bool
    figures: Figures


class AdaptationResults(StudyResults):
    """Everything that the study found out. Cells of the arm ``none`` come from the study of matching."""

    metric: str
    model: str
    revision: str
    tasks: tuple[StudiedTask, ...]
    matrix: tuple[str, ...]
    families: tuple[str, ...]
    seeds: tuple[int, ...]
    prepared: tuple[PreparedSet, ...]
    arms: tuple[AdaptedArm, ...]
    settings: tuple[Setting, ...]
    decided: tuple[Decided, ...]
    splitters: tuple[SplitterRow, ...] = ()
    cells: tuple[ArmCell, ...]

    @model_validator(mode="after")
    def _whole(self) -> AdaptationResults:
        heads = {task.name: task.heads for task in self.tasks}
        found: dict[tuple[str, str, str], set[int]] = {}
        for cell in self.cells:
            if len(cell.scores) != heads[cell.task]:
                raise ValueError(
                    f"{cell.task} has {heads[cell.task]} heads, but a cell has {len(cell.scores)} scores"
                )
            seeds = found.setdefault((cell.task, cell.arm, cell.family), set())
            if cell.seed in seeds:
                raise ValueError(f"a cell of {cell.task} on {cell.arm} stands twice")
            seeds.add(cell.seed)
        if broken := next((at for at, seeds in found.items() if seeds != set(self.seeds)), None):
            raise ValueError(f"seeds of {', '.join(broken)} are missing")
        if {(d.task, d.seed) for d in self.decided} != {(t, s) for t in heads for s in self.seeds}:
            raise ValueError("decisions of matching are missing")
        return self

    def scores(self, task: str, arm: str, family: str) -> Floats | None:
        """``[seeds, heads]``; None where this was not tuned."""
        found = {
            cell.seed: cell.scores
            for cell in self.cells
            if (cell.task, cell.arm, cell.family) == (task, arm, family)
        }
        return np.array([found[seed] for seed in self.seeds]) if found else None

    def aligned(self, task: str, arm: str) -> Floats:
        """Scores ``[seeds, heads]`` of one arm with the family that matching decided on in each seed.

        Raises:
            DataError: one of them was not tuned on this arm.
        """
        rows = []
        for number, seed in enumerate(self.seeds):
            family = self.decision(task, seed).family
            found = self.scores(task, arm, family)
            if found is None:
                raise DataError(f"{family} was not tuned on {arm} for {task}")
            rows.append(found[number])
        return np.stack(rows)

    def whole_way(self, task: str) -> Floats:
        """Scores ``[seeds, heads]``: in each seed the objective and the family that matching decided on."""
        return np.stack(
            [
                self.aligned(task, self.decision(task, seed).objective)[number]
                for number, seed in enumerate(self.seeds)
            ]
        )

    def agreeing_way(self, task: str) -> Floats | None:
        """Scores ``[seeds, heads]``: in each seed the objective that matching decided on, with the family that looks like it.

        None where one of them was not tuned.
        """
        rows = []
        for number, seed in enumerate(self.seeds):
            objective = self.decision(task, seed).objective
            found = self.scores(task, objective, ALIGNED[objective])
            if found is None:
                return None
            rows.append(found[number])
        return np.stack(rows)

    def by_objective(self, task: str, pairs: str, family: str) -> Floats | None:
        """Scores ``[seeds, heads]`` of one family on one preparation: in each seed the objective that matching decided on.

        None where one of them was not tuned.
        """
        rows = []
        for number, seed in enumerate(self.seeds):
            wanted = (self.decision(task, seed).objective, "task", pairs)
            arm = next((a.name for a in self.arms if (a.objective, a.set, a.pairs) == wanted), "")
            found = self.scores(task, arm, family)
            if found is None:
                return None
            rows.append(found[number])
        return np.stack(rows)

    def decision(self, task: str, seed: int) -> Decided:
        """What matching decided."""
        return next(d for d in self.decided if (d.task, d.seed) == (task, seed))

    def has_aligned(self, arm: str) -> bool:
        """Whether all tasks were tuned on an arm with the families that matching decided on."""
        return all(self.scores(d.task, arm, d.family) is not None for d in self.decided)

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The checkpoint as it is, and the adapted ones."""
        return (NONE, *(arm.name for arm in self.arms))


def read_adaptation(path: str | Path) -> AdaptationResults:
    """Read a results file. Raises `DataError` when it is none, or not whole."""
    return read_study_file(AdaptationResults, path, "adaptation")
