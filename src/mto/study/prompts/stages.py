"""The work of the study, cell by cell; each is done once and goes on where it was stopped.

Any number of processes may be given the same command: each takes the cells that no other is at.

1. *sweep*: rate and steps of every arm, on the dev data of a few tasks and one seed.
2. *encoders*: every encoder with every family on these tasks, all seeds (first checkpoint).
3. *shots*: two families at several numbers of shots, at every rate of the grid (first checkpoint).
4. *tasks*: every checkpoint, family, task and seed with the encoder that was best on dev and with the authors' choice;
   fine-tuning and LoRA beside, with the family that matching chose from the same labelled rows.
5. *collect*: the results file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mto.errors import DataError
from mto.families import LoadedModel, load_model
from mto.match.config import MatchConfig
from mto.match.rows import match_rows
from mto.match.run import draw_labelled
from mto.pipeline.config import slug
from mto.prompts.aligned import soft_family
from mto.runs import Job, RunFolder, environment, read_json, share
from mto.study.chosen import Chosen
from mto.study.prompts.cells import choose_settings, sweep_cell, test_cell
from mto.study.prompts.config import PromptStudyConfig
from mto.study.prompts.results import Arm, Part, PromptResults, Scored, Settings, Swept
from mto.tasks import Task, load_task
from mto.templates import get_family

Say = Callable[[str], None]
RESULTS = "results.json"
Work = tuple[Part, Settings, str, int, int]
"""A part, an arm with its settings, a task, a seed and shots."""


def run_prompt_study(
    config: PromptStudyConfig, out: str | Path, *, only: Sequence[str] = (), say: Say | None = None
) -> PromptResults | None:
    """Do what is left of a study.

    Args:
        config: what is studied.
        out: folder of the study.
        only: checkpoints to work on now; the others wait for the first checkpoint's sweep, which names the best encoder. The results
            file is then written by a later call without it.
        say: is told each cell in a line.

    Returns:
        The results, or None where only a part was asked for.

    Raises:
        DataError: `only` names a checkpoint that is not in the study, or one whose turn has not come.
        MtoError: as `load_task`, `load_model`, `mto.match.match_rows` and `mto.tune.run_cell` raise.
    """
    unknown = sorted(set(only) - set(config.checkpoints))
    if unknown:
        known = ", ".join(config.checkpoints)
        raise DataError(f"'{unknown[0]}' is no checkpoint of this study", hint=f"in it: {known}")
    study = _Study(config, RunFolder.create(out, {"command": "study prompts", **config.basis()}), say)
    for model in only or config.checkpoints:
        study.work(model)
    if only:
        return None
    results = study.collect()
    results.write(study.folder.path / RESULTS)
    return results


class _Study:
    """One study at work."""

    def __init__(self, config: PromptStudyConfig, folder: RunFolder, say: Say | None) -> None:
        self.config, self.folder, self._say = config, folder, say or (lambda _: None)
        names = dict.fromkeys((*config.sweep_tasks, *config.tasks))
        self._tasks: dict[str, Task] = {name: load_task(name, data=config.data) for name in names}
        self._loaded: tuple[str, LoadedModel] | None = None

    def work(self, model: str) -> None:
        """Do the cells of a checkpoint that are not done and that no other process is at."""
        config, first = self.config, model == self.config.models[0]
        if first:
            self._sweep([*self._encoder_arms(), *self._few_arms()])
        encoders = dict.fromkeys((self.best_encoder(), config.encoder))
        self._sweep(
            Arm(model=model, method="prompt", family=f, encoder=e) for e in encoders for f in config.families
        )
        draws = [(name, seed) for name in config.tasks for seed in config.seeds]
        share(self.folder, (self._match_job(model, *draw) for draw in draws))
        families = dict.fromkeys(self._matched(model, *draw)["family"] for draw in draws)
        self._sweep(Arm(model=model, method=m, family=f) for m in config.beside for f in families)
        share(self.folder, (self._score_job(*work) for work in self._waiting(model)))

    def _encoder_arms(self) -> list[Arm]:
        config = self.config
        return [
            Arm(model=config.models[0], method="prompt", family=family, encoder=encoder)
            for encoder in config.encoders
            for family in config.families
        ]

    def _few_arms(self) -> list[Arm]:
        config = self.config
        return [
            Arm(model=config.models[0], method="prompt", family=family, encoder=config.encoder)
            for family in (config.few_families if config.few else ())
        ]

    def best_encoder(self) -> str:
        """By nats a byte on dev at the chosen settings, mean over families.

        Raises:
            DataError: the first checkpoint's sweep is not finished.
        """
        nats = dict.fromkeys(self.config.encoders, 0.0)
        for arm in self._encoder_arms():
            nats[arm.encoder] += choose_settings(arm, self._tables(arm))[1]
        return min(nats, key=nats.__getitem__)

    def _waiting(self, model: str) -> Iterator[Work]:
        """Every cell of a checkpoint, in the order in which the parts are told."""
        config = self.config
        if model == config.models[0]:
            for arm in self._encoder_arms():
                for name in config.sweep_tasks:
                    for seed in config.seeds:
                        yield "encoders", self._settings(arm), name, seed, config.shots
            for arm in self._few_arms():
                own = self._settings(arm)
                for shots in config.few:
                    for rate in config.rates:
                        for name in config.sweep_tasks:
                            for seed in config.few_seeds:
                                yield "shots", own.model_copy(update={"rate": rate}), name, seed, shots
        for name in config.tasks:
            for seed in config.seeds:
                for encoder in dict.fromkeys((self.best_encoder(), config.encoder)):
                    for family in config.families:
                        arm = Arm(model=model, method="prompt", family=family, encoder=encoder)
                        yield "tasks", self._settings(arm), name, seed, config.shots
                chosen = self._matched(model, name, seed)["family"]
                for method in config.beside:
                    arm = Arm(model=model, method=method, family=chosen)
                    yield "tasks", self._settings(arm), name, seed, config.shots

    def _sweep(self, arms: Iterable[Arm]) -> None:
        share(self.folder, [self._sweep_job(arm, name) for arm in arms for name in self.config.sweep_tasks])

    def _sweep_job(self, arm: Arm, name: str) -> Job:
        def work() -> dict[str, Any]:
            points = sweep_cell(self.config, self._model(arm.model), self._tasks[name], arm)
            self._tell(arm, f"{name}: swept")
            return {"points": points}

        return Job(self._step("sweep", arm, name), self._key(arm, name), work)

    def _tables(self, arm: Arm) -> list[list[list[float]]]:
        found = []
        for name in self.config.sweep_tasks:
            stored = self.folder.done(self._step("sweep", arm, name), self._key(arm, name))
            if stored is None:
                raise DataError(
                    f"the sweep of {arm.family} ({arm.encoder or arm.method}) with {arm.model} is not finished",
                    where=str(self.folder.path),
                    hint=f"work on {self.config.models[0]} first: --only {self.config.models[0]}",
                )
            found.append(stored["points"])
        return found

    def _settings(self, arm: Arm) -> Settings:
        return choose_settings(arm, self._tables(arm))[0]

    def _score_job(self, part: Part, settings: Settings, name: str, seed: int, shots: int) -> Job:
        def work() -> dict[str, Any]:
            loaded = self._model(settings.model)
            found = test_cell(self.config, loaded, self._tasks[name], settings, seed, shots)
            mean = sum(found["scores"]) / len(found["scores"])
            self._tell(settings, f"{name}, seed {seed}, {shots} shots: {mean:.1f}, {found['seconds']:.0f} s")
            return found

        return Job(*self._place(part, settings, name, seed, shots), work)

    def _place(self, part: Part, settings: Settings, name: str, seed: int, shots: int) -> tuple[str, str]:
        # A cell of two parts, such as the authors' encoder on a task of the sweep, is computed once.
        where = self._step("cells", settings, f"{name}-{seed}-{shots}-{settings.rate:g}-{settings.steps}")
        return where, self._key(settings, name, seed, shots)

    def _match_job(self, model: str, name: str, seed: int) -> Job:
        def work() -> dict[str, Any]:
            task = self._tasks[name]
            split = draw_labelled(task, self.config.shots, seed)
            match = match_rows(
                self._model(model), task, split.train, dev=split.dev, data_seed=seed, config=MatchConfig(denoiser=False)
            )  # fmt: skip
            self._say(f"{model}: {name}, seed {seed}: {match.family}")
            return {"family": match.family, "soft": soft_family(get_family(match.family))}

        step = f"match/{slug(model)}/{slug(name)}-{seed}"
        return Job(step, self._key(Arm(model=model, method="finetune", family=""), name, seed), work)

    def _matched(self, model: str, name: str, seed: int) -> dict[str, Any]:
        """The family that matching chooses from the labelled rows of one split: by its quick signals.

        Raises:
            DataError: matching was not asked yet.
        """
        job = self._match_job(model, name, seed)
        found = self.folder.done(job.step, job.key)
        if found is None:
            raise DataError(
                f"{name}, seed {seed}, is not matched with {model} yet", where=str(self.folder.path)
            )
        return dict(found)

    def _model(self, name: str) -> LoadedModel:
        if self._loaded is None or self._loaded[0] != name:
            loaded = load_model(name)
            told = {"revision": loaded.revision, "objectives": dict(loaded.metadata.objectives)}
            known = self._revision(name)
            if known is not None and known["revision"] != loaded.revision:
                raise DataError(
                    f"the weights of {name} are not those that this study began with",
                    where=str(self.folder.path),
                    hint="put the old checkpoint back, or choose another folder with --out",
                )
            self.folder.finish(f"models/{slug(name)}", "", told)
            self._loaded = (name, loaded)
        return self._loaded[1]

    def _revision(self, model: str) -> dict[str, Any] | None:
        found = self.folder.done(f"models/{slug(model)}", "")
        return None if found is None else dict(found)

    def _step(self, kind: str, arm: Arm, name: str) -> str:
        return f"{kind}/{slug(arm.model)}/{arm.method}/{arm.family}-{arm.encoder or 'none'}/{slug(name)}"

    def _key(self, *parts: Any) -> str:
        values = [part.model_dump() if isinstance(part, Arm) else part for part in parts]
        text = json.dumps([self.config.basis(), values], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def _tell(self, arm: Arm, text: str) -> None:
        self._say(f"{arm.model}, {arm.encoder or arm.method}, {arm.family}: {text}")

    def collect(self) -> PromptResults:
        """The results file from finished cells.

        Raises:
            DataError: something is not finished.
        """
        config = self.config
        tuned: list[Scored] = []
        settings: dict[str, Settings] = {}
        for model in config.checkpoints:
            for part, one, name, seed, shots in self._waiting(model):
                found = self.folder.done(*self._place(part, one, name, seed, shots))
                if found is None:
                    raise DataError(
                        f"{one.family} on {name}, seed {seed}, with {model} is not finished",
                        where=str(self.folder.path),
                    )
                told = one.model_dump()
                tuned.append(
                    Scored.model_validate({**told, **found, "part": part, "task": name, "seed": seed, "shots": shots})
                )  # fmt: skip
                if part != "shots":
                    settings.setdefault(json.dumps(told), one)
        for arm in self._few_arms():
            one = self._settings(arm)
            settings.setdefault(json.dumps(one.model_dump()), one)
        swept = [
            Swept(**arm.model_dump(), task=name, points=tuple(map(tuple, table)))  # type: ignore[arg-type]
            for arm in (
                Arm(**one.model_dump(include=set(Arm.model_fields))) for one in settings.values()
            )
            for name, table in zip(config.sweep_tasks, self._tables(arm), strict=True)
        ]  # fmt: skip
        stored = {model: self._revision(model) or {} for model in config.checkpoints}
        chosen = [
            Chosen(model=model, task=name, seed=seed, **self._matched(model, name, seed))
            for model in config.checkpoints
            for name in config.tasks
            for seed in config.seeds
        ]
        told = read_json(self.folder.path / "environment.json") or environment()
        return PromptResults(
            title=config.title,
            command=str(told.pop("command", "")),
            environment=told,
            hours=sum(cell.seconds for cell in tuned) / 3600,
            config=config.fixed(),
            metric=config.metric,
            best_encoder=self.best_encoder(),
            revisions={model: str(one["revision"]) for model, one in stored.items()},
            objectives={model: one["objectives"] for model, one in stored.items()},
            swept=tuple(swept),
            settings=tuple(settings.values()),
            chosen=tuple(chosen),
            tuned=tuple(tuned),
        )
