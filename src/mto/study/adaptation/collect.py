"""From finished runs to the results file of the study of adaptation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mto.adapt import AdaptResult
from mto.errors import DataError
from mto.prepare.decontaminate import Guarded, LeakIndex
from mto.prepare.pairs import Pair, read_pairs
from mto.prepare.prepared import read_prepared
from mto.prepare.words import Normaliser
from mto.report import Comparison, read_results
from mto.runs import RunFolder, environment, read_json
from mto.study.adaptation.config import NONE, AdaptationStudyConfig, Arm
from mto.study.adaptation.plan import (
    adapted_folder,
    agreeing,
    agreeing_folder,
    decisions,
    grid_folder,
    pairs_folder,
    settings_of,
    sweep_folder,
    tasks_of,
)
from mto.study.adaptation.results import (
    AdaptationResults,
    AdaptedArm,
    ArmCell,
    PreparedSet,
    PreparedTask,
    Setting,
    SplitterRow,
)
from mto.study.matching.results import MatchingResults
from mto.study.splitter.results import figures, read_splitters


def collect(config: AdaptationStudyConfig, folder: RunFolder, before: MatchingResults) -> AdaptationResults:
    """The results file from finished runs.

    Raises:
        DataError: something is not finished, or the splits are not those of the study of matching.
    """
    own = _Runs(config, folder.path, before)
    cells, settings = list(own.unadapted()), list(own.settings())
    cells += own.cells()
    found = environment()
    return AdaptationResults(
        title=config.title,
        command=str(found.pop("command")),
        environment=found,
        hours=own.hours,
        config=config.fixed(),
        metric=config.metric,
        model=config.model,
        revision=next(model.revision for model in before.models if model.name == config.model),
        tasks=tuple(task for name in config.tasks for task in before.tasks if task.name == name),
        matrix=config.matrix,
        families=config.families,
        seeds=config.seeds,
        prepared=tuple(_prepared(config, folder.path, name, own.heads) for name in config.pairs),
        arms=tuple(own.arm(arm) for arm in config.arms),
        settings=tuple(settings),
        decided=decisions(config, before),
        splitters=_splitters(config.splitter),
        cells=tuple(cells),
    )


class _Runs:
    """The runs of a study, read one after the other."""

    def __init__(self, config: AdaptationStudyConfig, path: Path, before: MatchingResults) -> None:
        self._config, self._path, self._before = config, path, before
        self.heads: dict[str, tuple[str, ...]] = {}
        self.hours = 0.0

    def unadapted(self) -> Iterator[ArmCell]:
        """The checkpoint as it is, from the study of matching."""
        config = self._config
        for cell in self._before.cells:
            if (
                cell.model == config.model
                and cell.task in config.tasks
                and cell.family in config.families
                and cell.seed in config.seeds
            ):
                yield ArmCell(
                    task=cell.task, arm=NONE, family=cell.family, seed=cell.seed, scores=cell.scores
                )

    def settings(self) -> Iterator[Setting]:
        """What the sweeps chose."""
        for one in self._before.settings:
            if one.model == self._config.model and one.family in self._config.families:
                yield Setting(arm=NONE, family=one.family, rate=one.rate, steps=one.steps)
        for arm in self._config.arms:
            run = read_results(sweep_folder(self._path, arm))
            self.hours += run.hours
            yield from settings_of(run, arm)

    def cells(self) -> Iterator[ArmCell]:
        """Test scores on the adapted checkpoints."""
        config, expected = self._config, {task.name: task.heads for task in self._before.tasks}
        for arm in config.arms:
            for family in arm.families or config.families:
                for run in self._grid(arm, family):
                    yield from self._scores(run, arm, family, expected)

    def _grid(self, arm: Arm, family: str) -> Iterator[Comparison]:
        """The runs of one arm and family.

        Raises:
            DataError: a task is missing.
        """
        asked = {grid_folder(self._path, arm, family): tasks_of(self._config, self._before, arm, family)}
        own, further = agreeing(self._config, self._before, arm)
        if further and own == family:
            asked[agreeing_folder(self._path, arm, family)] = further
        for folder, tasks in asked.items():
            run = read_results(folder)
            self.hours += run.hours
            if missing := set(tasks) - {task.name for task in run.tasks}:
                raise DataError(f"{arm.name}, {family}: {min(missing)} is missing", where=str(folder))
            yield run

    def _scores(
        self, run: Comparison, arm: Arm, family: str, expected: Mapping[str, int]
    ) -> Iterator[ArmCell]:
        for task in run.tasks:
            self.heads[task.name] = task.test_heads
            if len(task.test_heads) != expected[task.name]:
                raise DataError(
                    f"{task.name} has {len(task.test_heads)} test heads here, in the study of matching {expected[task.name]}",
                    hint="give both studies the same data",
                )
        for cell in run.cells:
            if cell.stage == "tuned":
                yield ArmCell(
                    task=cell.task, arm=arm.name, family=family, seed=cell.seed, scores=cell.scores[self._config.metric],
                )  # fmt: skip

    def arm(self, arm: Arm) -> AdaptedArm:
        """What an adaptation did."""
        path = adapted_folder(self._path, arm)
        result = AdaptResult.read(path, read_json(path / "result.json"))
        self.hours += result.seconds / 3600
        revision = read_results(sweep_folder(self._path, arm)).model.revision
        return AdaptedArm(
            name=arm.name, objective=arm.objective, set=arm.set, pairs=arm.pairs, revision=revision,
            counts=dict(result.counts), objectives=dict(result.objectives), steps=result.steps, kept_step=result.kept_step,
            tokens=result.tokens, seconds=result.seconds, before=_losses(result.before), after=_losses(result.after),
        )  # fmt: skip


def _losses(values: Any) -> dict[str, float]:
    """Held-out losses in nats a token; the same in bits a byte is left out."""
    return {name: value for name, value in values.items() if "/" in name and not name.endswith("bits a byte")}


def _prepared(
    config: AdaptationStudyConfig, path: Path, name: str, heads: dict[str, tuple[str, ...]]
) -> PreparedSet:
    folder = pairs_folder(path, name)
    summary = read_prepared(folder)
    pairs: dict[str, list[Pair]] = {task: [] for task in config.tasks}
    for pair in read_pairs(folder):
        pairs[pair.task].append(pair)
    leaked = {leak.task: leak.share_found for leak in summary.leaks}
    return PreparedSet(
        name=name,
        files=tuple(file.name for file in summary.inputs),
        steps=summary.steps,
        pairs=summary.pairs,
        tasks=tuple(
            PreparedTask(
                task=task,
                pairs=len(found),
                by=dict(sorted(Counter(pair.by for pair in found).items())),
                from_phrase=sum(pair.score >= 1 for pair in found),  # see `Selector`: 1 is added for a phrase
                denoising=sum(pair.objective == "denoising" for pair in found) / max(len(found), 1),
                leaked=leaked[task],
                met=_met(heads[task], (pair.sentence for pair in found)),
            )
            for task, found in pairs.items()
        ),
    )


def _met(heads: tuple[str, ...], sentences: Iterable[str]) -> tuple[bool, ...]:
    """For each head, whether some sentence holds it, as decontamination compares words; the tail is of no account."""
    normalise = Normaliser()
    found: set[int] = set()
    texts = [normalise(sentence) for sentence in sentences]
    by_word: dict[str, list[int]] = {}
    for number, words in enumerate(texts):
        for word in set(words):
            by_word.setdefault(word, []).append(number)
    for number, head in enumerate(heads):
        index = LeakIndex([Guarded(0, head, (head,))], normalise)
        likely = [by_word.get(word, []) for word in normalise(head) if not word.startswith("person")]
        rarest = min(likely, key=len, default=[])
        if any(index.find(texts[at]) for at in rarest):
            found.add(number)
    return tuple(number in found for number in range(len(heads)))


def _splitters(path: str | None) -> tuple[SplitterRow, ...]:
    if path is None:
        return ()
    study = read_splitters(path)
    return tuple(
        SplitterRow(splitter=f"{name} ({model})" if model else name, seen=seen, figures=figures(found))
        for seen in (False, True)
        for (model, name), found in study.rows(seen=seen).items()
    )
