"""The results file of the study of the task classifiers: what each said of every row. All tables come from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, model_validator

from mto.config import Strict
from mto.match.classifier.crossval import Fold, LeaveOneOut, summarise
from mto.study.files import StudyResults, read_study_file
from mto.tasks import TaskType

Share = Annotated[float, AfterValidator(lambda value: round(value, 4) + 0.0)]


class Judged(Strict):
    """The rows of one relation that the classifiers were judged on: the number of the head of each."""

    relation: str
    type: TaskType
    heads: tuple[int, ...]


class Said(Strict):
    """What one classifier, which never saw the relation, said of each of its rows.

    Attributes:
        model, classifier, trained_on, judged_on: which table row this belongs to.
        name: of the classifier, as it calls itself.
        unseen: meanings that were left out of its training.
        mask_filling: probability of each row.
    """

    model: str
    classifier: str
    trained_on: str
    judged_on: str
    relation: str
    name: str
    unseen: tuple[str, ...]
    mask_filling: tuple[Share, ...]

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Which table row it belongs to."""
        return self.model, self.classifier, self.trained_on, self.judged_on


class ClassifierResults(StudyResults):
    """Everything that the study found out."""

    revisions: dict[str, str]
    judged: tuple[Judged, ...]
    said: tuple[Said, ...]

    @model_validator(mode="after")
    def _whole(self) -> ClassifierResults:
        rows = {one.relation: len(one.heads) for one in self.judged}
        for one in self.said:
            if len(one.mask_filling) != rows.get(one.relation):
                raise ValueError(f"{one.relation}: {len(one.mask_filling)} rows were judged")
        return self

    def tables(self) -> dict[tuple[str, str, str, str], LeaveOneOut]:
        """Figures of every table row, in the file's order."""
        about = {one.relation: one for one in self.judged}
        folds: dict[tuple[str, str, str, str], list[Fold]] = {}
        for one in self.said:
            known = about[one.relation]
            fold = Fold(
                relation=one.relation, type=known.type, mask_filling=one.mask_filling,
                heads=tuple(map(str, known.heads)), classifier=one.name, unseen=one.unseen,
            )  # fmt: skip
            folds.setdefault(one.row, []).append(fold)
        return {row: summarise(found) for row, found in folds.items()}


def read_classifiers(path: str | Path) -> ClassifierResults:
    """Read a results file. Raises `DataError` when it is none, or not whole."""
    return read_study_file(ClassifierResults, path, "classifiers")
