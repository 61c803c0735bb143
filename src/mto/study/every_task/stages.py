"""The work of the study, cell by cell; each is done once and goes on where it was stopped.

Any number of processes may be given the same command: each takes the cells that no other is at. For each part (`EveryTaskConfig.parts`):

1. *match*: what matching chooses from the labelled rows of each task and seed (in *families* at the end).
2. *sweep*: rate and steps of every checkpoint, family and task, on the dev rows of one seed.
3. *untuned*: what the checkpoint says under each family before any tuning; the same for all seeds.
4. *tuned*: every seed.

Then *collect* writes the results file of the parts that were asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mto.errors import DataError
from mto.families import LoadedModel, load_model
from mto.match.config import MatchConfig
from mto.match.rows import match_rows
from mto.pipeline.config import slug
from mto.prompts.aligned import soft_family
from mto.runs import Job, RunFolder, share
from mto.study.every_task.cells import split_of, sweep_cell, tuned_cell, untuned_cell
from mto.study.every_task.choosing import best_by_dev
from mto.study.every_task.config import EveryTaskConfig, Part
from mto.study.every_task.facts import families_of
from mto.study.every_task.results import Arm, EveryTaskResults
from mto.tasks import Split, Task, load_task
from mto.templates import get_family

Say = Callable[[str], None]
RESULTS = "results.json"
CONVENTIONAL = "mapping"


def run_every_task(
    config: EveryTaskConfig, out: str | Path, *, only: Sequence[str] = (), say: Say | None = None
) -> EveryTaskResults | None:
    """Do what is left of a study.

    Args:
        config: what is studied; its parts are done in their order.
        out: folder of the study.
        only: checkpoints to work on now; others than the first wait for its part *families*, which names the best families. The results
            file is then written by a later call without it.
        say: is told each cell in a line.

    Returns:
        The results, or None where only some checkpoints were asked for.

    Raises:
        DataError: `only` names a checkpoint that is not in the study, or one whose turn has not come.
        MtoError: as `load_task`, `load_model`, `mto.match.match_rows` and `mto.tune.run_cell` raise.
    """
    from mto.study.every_task.collect import collect

    unknown = sorted({*only, *(config.soft_models or ())} - set(config.checkpoints))
    if unknown:
        known = ", ".join(config.checkpoints)
        raise DataError(f"'{unknown[0]}' is no checkpoint of this study", hint=f"in it: {known}")
    study = Study(config, RunFolder.create(out, {"command": "study every", **config.basis()}), say)
    for part in config.parts:
        for model in config.models_of(part):
            if not only or model in only:
                study.work(part, model)
    if only:
        return None
    results = collect(study)
    results.write(study.folder.path / RESULTS)
    return results


def match_family(loaded: LoadedModel, task: Task, split: Split) -> str:
    """The family that matching chooses from the labelled rows of a split."""
    quick = MatchConfig(denoiser=False)
    return match_rows(
        loaded, task, split.train, dev=split.dev, data_seed=split.seed, config=quick
    ).family  # fmt: skip


def soft_of(family: str, task: Task) -> str:
    """The family with soft prompts that stands for a family on a task."""
    if task.kind == "multiple-choice" and family == "masked-mapping":
        # Without Mapping's name before it, it is the family of the answer behind a mask: one family, not two that write the same.
        family = "masked-answer-prompting"
    return soft_family(get_family(family))


class Study:
    """One study at work, and what of it is done."""

    def __init__(self, config: EveryTaskConfig, folder: RunFolder, say: Say | None) -> None:
        self.config, self.folder, self._say = config, folder, say or (lambda _: None)
        self.tasks: dict[str, Task] = {
            name: load_task(name, data=config.data_of(name)) for name in config.tasks
        }
        self._loaded: tuple[str, LoadedModel] | None = None

    def work(self, part: Part, model: str) -> None:
        """Do the cells of a part and checkpoint that are not done and that no other process is at."""
        names = self.config.tasks_for(part)
        matching = [self._match(model, name, seed) for seed in self.config.seeds for name in names]
        if part != "families":
            share(self.folder, matching)
        wanted = list(self.wanted(part, model))
        arms = list({arm.step: arm for arm, _ in wanted}.values())
        share(self.folder, [self._sweep(arm) for arm in arms])
        if part != "soft":
            share(self.folder, [self._untuned(arm) for arm in arms])
        share(self.folder, [self._tuned(arm, seed) for arm, seed in wanted])
        # The part families needs no matching, so what is slow begins at once.
        share(self.folder, matching)

    def wanted(self, part: Part, model: str) -> Iterator[tuple[Arm, int]]:
        """Every cell of a part and checkpoint: the first seed of all tasks first.

        Raises:
            DataError: something that says what is wanted is not done: matching, or the part *families*.
        """
        for seed in self.config.seeds:
            for name in self.config.tasks_for(part):
                task = self.tasks[name]
                if part == "families":
                    families: tuple[str, ...] = families_of(self.config, task)
                else:
                    families = (CONVENTIONAL, self.matched(model, name, seed)["family"], *self.best(name))
                method = "prompt" if part == "soft" else "finetune"
                if part == "soft":
                    families = tuple(soft_of(family, task) for family in families)
                for family in dict.fromkeys(families):
                    yield Arm(model=model, method=method, family=family, task=name), seed  # type: ignore[arg-type]

    def best(self, name: str) -> tuple[str, ...]:
        """The best families of a task by dev data of the part *families*.

        Raises:
            DataError: that is not finished.
        """
        if not self.config.best:
            return ()
        first, dev = self.config.models[0], {}
        for family in families_of(self.config, self.tasks[name]):
            arm = Arm(model=first, method="finetune", family=family, task=name)
            cells = [self.tuned(arm, seed) for seed in self.config.seeds]
            dev[family] = [(cell["dev_bits"], cell["dev_metric"]) for cell in cells]
        return best_by_dev(dev, self.config.best)

    def matched(self, model: str, name: str, seed: int) -> dict[str, str]:
        """What matching chose. Raises `DataError` where it was not asked yet."""
        return dict(
            self._done(
                self._match(model, name, seed), f"{name}, seed {seed}, is not matched with {model} yet"
            )
        )

    def swept(self, arm: Arm) -> dict[str, Any]:
        """The sweep of an arm. Raises `DataError` where it is not finished."""
        return dict(
            self._done(
                self._sweep(arm), f"the sweep of {arm.family} on {arm.task} with {arm.model} is not finished"
            )
        )

    def untuned(self, arm: Arm) -> dict[str, Any]:
        """The checkpoint before tuning. Raises `DataError` where it was not measured."""
        return dict(
            self._done(
                self._untuned(arm), f"{arm.family} on {arm.task} with {arm.model} is not measured untuned"
            )
        )

    def tuned(self, arm: Arm, seed: int) -> dict[str, Any]:
        """A cell with its rate and steps. Raises `DataError` where it is not finished."""
        said = f"{arm.family} on {arm.task}, seed {seed}, with {arm.model} is not finished"
        at = self.swept(arm)
        return {**self._done(self._tuned(arm, seed), said), "rate": at["rate"], "steps": at["steps"]}

    def revision(self, model: str) -> dict[str, Any] | None:
        """Hash of the weights and objectives of a checkpoint, where it was loaded."""
        found = self.folder.done(f"models/{slug(model)}", "")
        return None if found is None else dict(found)

    def _done(self, job: Job, said: str) -> Any:
        found = self.folder.done(job.step, job.key)
        if found is None:
            first = self.config.models[0]
            raise DataError(
                said,
                where=str(self.folder.path),
                hint=f"do the part families first, with {first}: parts=[families] --only {first}",
            )
        return found

    def _match(self, model: str, name: str, seed: int) -> Job:
        def work() -> dict[str, str]:
            task = self.tasks[name]
            split = split_of(self.config, task, name, seed)
            family = match_family(self._model(model), task, split)
            self._say(f"{model}: {name}, seed {seed}: matching chooses {family}")
            return {"family": family, "soft": soft_of(family, task)}

        return Job(f"match/{slug(model)}/{slug(name)}-{seed}", self._key(name, model, seed), work)

    def _sweep(self, arm: Arm) -> Job:
        def work() -> dict[str, Any]:
            found = sweep_cell(self.config, self._model(arm.model), self.tasks[arm.task], arm)
            self._tell(arm, f"{found['steps']} steps at {found['rate']:g}, {found['seconds']:.0f} s")
            return found

        return Job(f"sweep/{arm.step}", self._key(arm.task, arm.model_dump()), work)

    def _untuned(self, arm: Arm) -> Job:
        def work() -> dict[str, Any]:
            task = self.tasks[arm.task]
            found = untuned_cell(self.config, self._model(arm.model), task, arm.task, arm.family)
            self._tell(arm, f"untuned, {found['seconds']:.0f} s")
            return found

        return Job(f"untuned/{arm.step}", self._key(arm.task, arm.model_dump()), work)

    def _tuned(self, arm: Arm, seed: int) -> Job:
        at = self.folder.done(f"sweep/{arm.step}", self._key(arm.task, arm.model_dump())) or {}
        rate, steps = at.get("rate", 0.0), at.get("steps", 0)

        def work() -> dict[str, Any]:
            loaded = self._model(arm.model)
            found = tuned_cell(self.config, loaded, self.tasks[arm.task], arm, rate, steps, seed)
            self._tell(arm, f"seed {seed}: dev {found['dev_metric']:.1f}, {found['seconds']:.0f} s")
            return found

        return Job(f"tuned/{arm.step}/{seed}", self._key(arm.task, arm.model_dump(), seed, rate, steps), work)

    def _key(self, name: str, *parts: Any) -> str:
        rows = [self.config.shots_for(name), dict(self.tasks[name].source.files)]
        text = json.dumps([self.config.basis(), name, rows, parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def _model(self, name: str) -> LoadedModel:
        if self._loaded is None or self._loaded[0] != name:
            loaded = load_model(name)
            known = self.revision(name)
            if known is not None and known["revision"] != loaded.revision:
                raise DataError(
                    f"the weights of {name} are not those that this study began with",
                    where=str(self.folder.path),
                    hint="put the old checkpoint back, or choose another folder with --out",
                )
            told = {"revision": loaded.revision, "objectives": dict(loaded.metadata.objectives)}
            self.folder.finish(f"models/{slug(name)}", "", told)
            self._loaded = (name, loaded)
        return self._loaded[1]

    def _tell(self, arm: Arm, text: str) -> None:
        self._say(f"{arm.model}, {arm.family}, {arm.task}: {text}")
