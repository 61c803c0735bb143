"""The work of the study: one fold of one checkpoint after the other; each is done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mto.errors import DataError
from mto.families import LoadedModel, load_model
from mto.match.classifier.labelled import meaning
from mto.pipeline.config import slug
from mto.prepare.splitting.found import Either, PhraseFirst, Splitter
from mto.prepare.splitting.measure import held_out_triples, judge
from mto.prepare.splitting.model import SplitterSettings, train_splitter
from mto.prepare.splitting.rules import Hints, RuleSplitter, rule_splitter
from mto.prepare.splitting.triples import Triple, verbalise
from mto.runs import RunFolder, environment, read_json, write_json
from mto.study.splitter.config import SplitterStudyConfig
from mto.study.splitter.results import Judged, SplitterResults
from mto.tasks import Task, draw_split, load_task, read_task_file, task_files

Say = Callable[[str], None]
RESULTS = "results.json"
RULES, FREE, SPANS, BOTH = "rules", "model, free", "model, spans", "model, free, else rules"
FIRST = "phrases, else model, free, else rules"


def run_splitter_study(
    config: SplitterStudyConfig, out: str | Path, *, only: Sequence[str] = (), say: Say | None = None
) -> SplitterResults | None:
    """Do what is left of a study.

    Args:
        config: what is studied.
        out: folder of the study.
        only: checkpoints to work on now; the results file is then written by a later call without it.
        say: is told each fold in a line.

    Returns:
        The results, or None where only a part was asked for.

    Raises:
        DataError: `only` names a checkpoint that is not in the study, or the data are missing.
        MtoError: as `load_model` and `train_splitter` raise.
    """
    unknown = sorted(set(only) - set(config.models))
    if unknown:
        raise DataError(
            f"'{unknown[0]}' is no checkpoint of this study", hint="in it: " + ", ".join(config.models)
        )
    folder = RunFolder.create(out, {"command": "study splitter", **config.fixed()})
    study = _Study(config, folder, say or (lambda _: None))
    for model in only or config.models:
        study.work(model)
    if only:
        return None
    results = study.collect()
    results.write(folder.path / RESULTS)
    return results


class _Study:
    """One study at work."""

    def __init__(self, config: SplitterStudyConfig, folder: RunFolder, say: Say) -> None:
        self.config, self._folder, self._say = config, folder, say
        self.tasks = _relations("atomic2020", config.data)
        self.others = _relations("household", None)
        self.asked = {
            task.name: held_out_triples(task, heads=config.test_heads, seed=config.seed)
            for task in self.tasks
        }

    def work(self, model: str) -> None:
        """Do the folds of a checkpoint that are not done."""
        loaded: LoadedModel | None = None
        for fold in range(self.config.folds):
            path = self._path(model, fold)
            if path.exists():
                continue
            loaded = loaded or load_model(model)
            began = time.perf_counter()
            hits = [one.model_dump(mode="json") for one in self._fold(model, loaded, fold)]
            seconds = round(time.perf_counter() - began, 1)
            write_json(path, {"revision": loaded.revision, "seconds": seconds, "hits": hits})
            self._say(f"{model}: fold {fold + 1} of {self.config.folds}, {seconds:.0f} s")

    def collect(self) -> SplitterResults:
        """The results file of finished work."""
        config = self.config
        stored = {
            model: [read_json(self._path(model, n)) for n in range(config.folds)] for model in config.models
        }
        folds = [fold for some in stored.values() for fold in some]
        found = environment()
        return SplitterResults(
            title=config.title,
            command=str(found.pop("command")),
            environment=found,
            hours=sum(fold["seconds"] for fold in folds) / 3600,
            config=config.fixed(),
            revisions={model: some[0]["revision"] for model, some in stored.items()},
            hits=(*self._rules(), *(Judged.model_validate(hit) for fold in folds for hit in fold["hits"])),
        )

    def _path(self, model: str, fold: int) -> Path:
        return self._folder.path / "folds" / slug(model) / f"{fold}.json"

    def _rules(self) -> Iterator[Judged]:
        """Rules that know the phrases of a relation, and rules that do not: no training, so no folds."""
        rules = self._rule_splitter()
        for known in (True, False):
            for task in self.tasks:
                yield self._judged("", RULES, task, rules, seen=known)

    def _fold(self, model: str, loaded: LoadedModel, fold: int) -> Iterator[Judged]:
        """Each left-out relation, and of those in the training every so-many-th, so that each is judged once as seen."""
        config = self.config
        out = {task.name for n, task in enumerate(self.tasks) if n % config.folds == fold}
        seen = {
            task.name for n, task in enumerate(self.tasks) if n % config.folds == (fold + 1) % config.folds
        }
        free = train_splitter(loaded, self._training(out), self._settings())
        spans = replace(free, settings=free.settings.model_copy(update={"decoding": "spans"}))
        rules = self._rule_splitter()
        splitters: dict[str, Splitter] = {
            FREE: free, SPANS: spans, BOTH: Either(free, rules), FIRST: PhraseFirst(rules, free),
        }  # fmt: skip
        for name, splitter in splitters.items():
            for task in self.tasks:
                if task.name in out | seen:
                    yield self._judged(model, name, task, splitter, seen=task.name in seen)

    def _judged(self, model: str, name: str, task: Task, splitter: Splitter, *, seen: bool) -> Judged:
        hits = judge(splitter, self.asked[task.name], known=seen)
        return Judged(
            model=model, splitter=name, relation=task.name, seen=seen,
            overlap=tuple(hit.overlap if hit.kept else None for hit in hits),
        )  # fmt: skip

    def _training(self, out: set[str]) -> list[Triple]:
        """Labelled sentences of all relations but those that are left out, in whatever data set they stand."""
        gone = {meaning(name) for name in out}
        found = []
        for task in (*self.tasks, *self.others):
            if meaning(task.name) not in gone:
                shots = min(self.config.heads, len(task.train))
                rows = draw_split(task, shots=shots, seed=self.config.seed).train
                found += verbalise(task, rows, seed=self.config.seed)
        return found

    def _settings(self) -> SplitterSettings:
        config = self.config
        given = {"steps": config.steps, "rate": config.rate, "batch_rows": config.batch_rows}
        return SplitterSettings.model_validate(
            {"seed": config.seed, **{name: value for name, value in given.items() if value is not None}}
        )

    def _rule_splitter(self) -> RuleSplitter:
        hints = []
        for task in self.tasks:
            shots = min(self.config.heads, len(task.train))
            rows = draw_split(task, shots=shots, seed=self.config.seed).train
            targets = tuple(row.target for row in rows)
            hints.append(Hints(task=task.name, phrases=task.phrases, fields=task.fields, targets=targets))
        return rule_splitter(hints, tagger=self.config.tagger)


def _relations(library: str, data: str | None) -> list[Task]:
    file, _ = read_task_file(task_files.get(library))
    return [load_task(f"{library}/{name}", data=data) for name in file.relations]
