"""How well the task classifiers do on relations that they never saw: the figures of a results page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from mto.config import Strict, parse
from mto.families import LoadedModel
from mto.match.classifier.crossval import Fit, Fold, LeaveOneOut, all_folds, summarise
from mto.match.classifier.fast import train_fast_classifier
from mto.match.classifier.features import LAYOUT, SentenceEncoder
from mto.match.classifier.labelled import Labelled, held_out_rows, meaning, training_rows
from mto.match.classifier.seq2seq import Seq2SeqSettings, train_seq2seq_classifier
from mto.runs import read_json, write_json

ENCODER = ("head", "tail", "difference")
Told = Callable[[str, Fold], None]


class StudyRow(Strict):
    """One classifier, trained on some data sets and judged on one.

    Attributes:
        classifier: ``fast``, ``fast, encoder alone``, ``fast, shape alone`` or ``seq2seq``.
        trained_on: data sets, always without the relation that is judged.
        judged_on: ``atomic2020`` (test heads) or ``household`` (train and dev heads, unseen as their relation is).
        folds: what was said of every row, relation by relation.
        result: the folds in figures.
    """

    classifier: str
    trained_on: str
    judged_on: str
    folds: tuple[Fold, ...]

    @property
    def result(self) -> LeaveOneOut:
        return summarise(self.folds)


class ClassifierStudy(Strict):
    """All rows for one checkpoint."""

    checkpoint: str
    revision: str
    rows: tuple[StudyRow, ...]


def study_classifiers(
    loaded: LoadedModel,
    atomic: str | Path,
    *,
    folder: str | Path | None = None,
    seq2seq: Seq2SeqSettings | None = None,
    relations: Collection[str] | None = None,
    on_fold: Told | None = None,
) -> ClassifierStudy:
    """Judge the classifiers leave-one-relation-out on ATOMIC-2020 and household.

    The fast ones take about two minutes on one core, the one that writes a name about a minute a relation (27 M parameters,
    100 steps).

    Args:
        loaded: the checkpoint.
        atomic: the folder of ATOMIC-2020. Its train rows train; 100 test heads a relation judge.
        folder: keeps every fold, so that a study that was stopped goes on where it was; None: nothing is kept.
        seq2seq: also judge the paper's classifier, trained on ATOMIC-2020 with these settings.
        relations: which relations of ATOMIC-2020 that one is judged on (None: all); to be called again with others,
            and at last with None, when the folder holds all.
        on_fold: is told of each new fold, with the name of its row.
    """
    household, own = training_rows(), training_rows("atomic2020", str(atomic))
    test = held_out_rows("atomic2020", str(atomic))
    sets = {"household": household, "atomic2020": own, "household and atomic2020": (*household, *own)}
    encoder = SentenceEncoder(loaded)
    fits: dict[str, Fit] = {
        "fast": lambda rows: train_fast_classifier(encoder, rows),
        "fast, encoder alone": lambda rows: train_fast_classifier(encoder, rows, blocks=ENCODER),
        "fast, shape alone": lambda rows: train_fast_classifier(None, rows),
    }
    asked = [
        (name, trained_on, judged_on, judge, fit, {"layout": LAYOUT})
        for name, fit in fits.items()
        for trained_on in sets
        for judged_on, judge in (("atomic2020", test), ("household", household))
    ]
    if seq2seq is not None:
        settings = seq2seq
        wanted = None if relations is None else {meaning(name) for name in relations}
        judge = tuple(one for one in test if wanted is None or one.meaning in wanted)
        asked.append(
            (
                "seq2seq", "atomic2020", "atomic2020", judge,
                lambda rows: train_seq2seq_classifier(loaded, rows, settings), settings.model_dump(),
            )
        )  # fmt: skip
    rows = []
    for name, trained_on, judged_on, judge, fit, about in asked:
        label = f"{name}; {trained_on}; {judged_on}"
        store = _Store(folder, {"revision": loaded.revision, "row": label, **about}, sets[trained_on])
        folds = all_folds(
            sets[trained_on], judge, fit, done=store.done(judge), on_fold=_both(store, label, on_fold)
        )
        rows.append(StudyRow(classifier=name, trained_on=trained_on, judged_on=judged_on, folds=folds))
    return ClassifierStudy(checkpoint=loaded.ref, revision=loaded.revision, rows=tuple(rows))


class _Store:
    """Folds of one row of the study, one file each; a fold of other rows, settings or weights is not taken."""

    def __init__(
        self, folder: str | Path | None, about: dict[str, object], train: Sequence[Labelled]
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self._key = _digest([about, [asdict(one) for one in train]])

    def done(self, judge: Sequence[Labelled]) -> list[Fold]:
        if self._folder is None:
            return []
        heads = {one.relation: tuple(row.id for row in one.rows) for one in judge}
        found = [self._path(name) for name in heads]
        folds = [parse(Fold, read_json(path), source=str(path)) for path in found if path.is_file()]
        return [fold for fold in folds if fold.heads == heads[fold.relation]]

    def keep(self, fold: Fold) -> None:
        if self._folder is not None:
            write_json(self._path(fold.relation), fold.model_dump(mode="json"))

    def _path(self, relation: str) -> Path:
        assert self._folder is not None
        return self._folder / self._key / f"{relation.replace('/', '-')}.json"


def _both(store: _Store, label: str, told: Told | None) -> Callable[[Fold], None]:
    def on_fold(fold: Fold) -> None:
        store.keep(fold)
        if told is not None:
            told(label, fold)

    return on_fold


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
