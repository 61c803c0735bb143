"""The work of the study: one checkpoint after the other, one fold after the other; each is done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mto.errors import DataError
from mto.families import load_model
from mto.match.classifier.crossval import Fold
from mto.match.classifier.seq2seq import Seq2SeqSettings
from mto.match.classifier.study import ClassifierStudy, study_classifiers
from mto.pipeline.config import slug
from mto.runs import RunFolder, environment, read_json, write_json
from mto.study.classifiers.config import ClassifierStudyConfig
from mto.study.classifiers.results import ClassifierResults, Judged, Said

Say = Callable[[str], None]
RESULTS = "results.json"


def run_classifier_study(
    config: ClassifierStudyConfig, out: str | Path, *, only: Sequence[str] = (), say: Say | None = None
) -> ClassifierResults | None:
    """Do what is left of a study.

    Args:
        config: what is studied.
        out: folder of the study.
        only: checkpoints to work on now; the results file is then written by a later call without it.
        say: is told each fold in a line.

    Returns:
        The results, or None where only a part was asked for.

    Raises:
        DataError: `only` names a checkpoint that is not in the study.
        MtoError: as `load_model` and `study_classifiers` raise.
    """
    tell = say or (lambda _: None)
    unknown = sorted(set(only) - set(config.models))
    if unknown:
        raise DataError(
            f"'{unknown[0]}' is no checkpoint of this study", hint="in it: " + ", ".join(config.models)
        )
    folder = RunFolder.create(out, {"command": "study classifiers", **config.fixed()})
    studies = {model: _one(config, folder, model, tell) for model in only or config.models}
    if only:
        return None
    results = collect(config, folder, studies)
    results.write(folder.path / RESULTS)
    return results


def _one(config: ClassifierStudyConfig, folder: RunFolder, model: str, say: Say) -> ClassifierStudy:
    place = folder.path / "folds" / slug(model)
    spent = read_json(_clock(place)) if _clock(place).exists() else 0.0
    began = time.perf_counter()

    def on_fold(row: str, fold: Fold) -> None:
        write_json(_clock(place), round(spent + time.perf_counter() - began, 1))
        say(f"{model}: {row}: {fold.relation}")

    settings = Seq2SeqSettings(steps=config.seq2seq_steps) if model in config.seq2seq_models else None
    return study_classifiers(load_model(model), config.data, folder=place, seq2seq=settings, on_fold=on_fold)


def _clock(place: Path) -> Path:
    return place / "seconds.json"


def collect(
    config: ClassifierStudyConfig, folder: RunFolder, studies: dict[str, ClassifierStudy]
) -> ClassifierResults:
    """The results file of finished work."""
    judged: dict[str, Judged] = {}
    said = []
    for model, study in studies.items():
        for row in study.rows:
            for fold in row.folds:
                numbers = {head: n for n, head in enumerate(dict.fromkeys(fold.heads))}
                judged.setdefault(
                    fold.relation,
                    Judged(
                        relation=fold.relation,
                        type=fold.type,
                        heads=tuple(numbers[head] for head in fold.heads),
                    ),
                )
                said.append(
                    Said(
                        model=model, classifier=row.classifier, trained_on=row.trained_on, judged_on=row.judged_on,
                        relation=fold.relation, name=fold.classifier, unseen=fold.unseen,
                        mask_filling=fold.mask_filling,
                    )
                )  # fmt: skip
    found = environment()
    clocks = (_clock(folder.path / "folds" / slug(model)) for model in studies)
    return ClassifierResults(
        title=config.title,
        command=str(found.pop("command")),
        environment=found,
        hours=sum(read_json(clock) for clock in clocks if clock.exists()) / 3600,
        config=config.fixed(),
        revisions={model: study.revision for model, study in studies.items()},
        judged=tuple(judged.values()),
        said=tuple(said),
    )
