"""Everything that is read and checked before a comparison writes its first file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import DataError, MtoError, RunError
from mto.pipeline.aligned import can_match, match_all, planned, with_matches
from mto.pipeline.cells import CellId, all_cells, cell_key
from mto.pipeline.clock import Clock
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import (
    Inputs,
    check_phrase,
    check_unchanged,
    describe_task,
    draw_splits,
    find_families,
    load_tasks,
    without_phrase,
)
from mto.pipeline.kinds import usual_families
from mto.pipeline.progress import RunCallback
from mto.runs import RunFolder, read_json
from mto.tasks import Task

if TYPE_CHECKING:
    from mto.families import LoadedModel
    from mto.pipeline.planning import Plan, Speed

SPEED = "speed.json"


@dataclass(frozen=True)
class Request:
    """What was asked for: the configuration, with the tasks (by name) and the model that are in memory already."""

    config: CompareConfig
    tasks: Mapping[str, Task]
    model: LoadedModel | None
    path: Path


@dataclass
class Work:
    """A comparison under way."""

    config: CompareConfig
    path: Path
    inputs: Inputs
    cells: list[CellId]
    keys: dict[CellId, str]
    results: dict[CellId, Mapping[str, Any]]
    loaded: LoadedModel | None
    plan: Plan
    clock: Clock

    @property
    def waiting(self) -> list[CellId]:
        """Cells that are not done."""
        return [cell for cell in self.cells if cell not in self.results]

    @property
    def folder(self) -> RunFolder:
        """The run folder."""
        return RunFolder(self.path)


def prepare(request: Request, told: RunCallback, *, only_plan: bool = False) -> Work:
    """Read and check tasks, splits, families, checkpoint and templates; match; measure the model; find what is done.

    With `only_plan` nothing is matched: the families are those that a run most likely has.

    Raises:
        RunError: the data or the checkpoint are not those that the run began with.
        MtoError: as the parts raise them.
    """
    config, path, loaded = request.config, request.path, request.model
    kept = Inputs.read(path, config.seeds)
    tasks = current_tasks(request, kept, told)
    stands_for = None
    if kept is not None:
        inputs = kept
    else:
        check_families(config, tasks or ())
        if loaded is None:
            told.on_event("loading", f"loading {config.model}")
            loaded = load(config)
        inputs = _describe(config, tasks or (), loaded)
        for message in _unused(tasks or (), inputs):
            told.on_event("rows-unused", message)
        if config.families is None and len(inputs.families) < len(
            usual_families(inputs.tasks, soft=config.soft)
        ):
            names = [task.name for task in inputs.tasks if not task.phrase]
            told.on_event("no-phrase", without_phrase(names, inputs.families, inputs.tasks[0].form.kind))
        if can_match(config, inputs):
            if only_plan:
                inputs, stands_for = planned(inputs, config)
            else:
                inputs = with_matches(inputs, config, match_all(loaded, tasks or (), config, inputs, told))
    cells = all_cells(config, inputs)
    keys = {cell: cell_key(cell, config, inputs) for cell in cells}
    results = _results(RunFolder(path), cells, keys, config, told)
    waiting = [cell for cell in cells if cell not in results]
    speed = _known_speed(path)
    if waiting and (speed is None or loaded is not None):
        from mto.pipeline.planning import measure
        from mto.pipeline.team import thread_count
        from mto.pipeline.worker import check_revision

        loaded = loaded or load(config, inputs.device)
        check_revision(loaded.revision, inputs, path)
        if speed is None:
            with thread_count(config.threads):
                speed = measure(loaded, inputs)
    from mto.pipeline.machine import free_disk
    from mto.pipeline.planning import Speed, make_plan

    workers = 1 if request.model is not None else _workers(config, inputs, len(waiting))
    plan = make_plan(
        config, inputs, cells, waiting, speed or Speed(0.0, 0.0, 0.0), workers=workers, out=str(path),
        stands_for=stands_for,
    )  # fmt: skip
    told.on_plan(plan)
    free = free_disk(path)
    if waiting and plan.disk_bytes > free:
        told.on_event(
            "disk-small",
            f"about {plan.disk_bytes / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free; --keep none needs least",
        )
    return Work(config, path, inputs, cells, keys, results, loaded, plan, Clock(plan, cells, waiting))


def check_families(config: CompareConfig, tasks: Sequence[Task]) -> None:
    """Look at the names of families and at phrases, before a checkpoint is loaded, which takes seconds.

    Raises:
        MtoError: as `find_families` and `check_phrase` raise it.
    """
    described = [describe_task(task, config) for task in tasks]
    families = find_families(config, described)
    for task in described:
        check_phrase(task.name, task.phrase, families, task.form.kind)


def _unused(tasks: Sequence[Task], inputs: Inputs) -> Iterator[str]:
    """Rows that nothing is done with: those over the shots, where no test data are there to score on."""
    for task in tasks:
        drawn = next(split for (name, _), split in inputs.splits.items() if name == task.name)
        left = len(task.train) - len({row.id for row in drawn.train})
        if left > 0 and not task.test:
            yield (
                f"{left} of {len(task.train)} rows of {task.name} are neither learned from nor scored on, because it has no test data: "
                "leave --shots out, or name a part for testing (data.hold_out in a task file)"
            )


def current_tasks(request: Request, kept: Inputs | None, told: RunCallback) -> tuple[Task, ...] | None:
    """The tasks as they are now; None where their data are gone and the run holds its splits.

    Raises:
        RunError: the data are not those that the run was made with.
        MtoError: as `load_task` raises it.
    """
    try:
        tasks = load_tasks(request.config, request.tasks)
    except DataError as error:
        if kept is None:
            raise
        where = f"{error.where}: " if error.where else ""
        told.on_event("data-gone", f"{where}{error.message}; the run goes on with the splits that it holds")
        return None
    if kept is not None:
        check_unchanged(kept, tasks, request.path)
    return tasks


def _workers(config: CompareConfig, inputs: Inputs, cells: int) -> int:
    from mto.pipeline.machine import default_workers

    if config.workers is not None:
        return max(1, min(config.workers, cells))
    parameters = int(inputs.model["parameters"] or 0)
    return default_workers(cells, parameters, threads=config.threads, device=inputs.device)


def load(config: CompareConfig, device: str | None = None) -> LoadedModel:
    """The configured checkpoint, on its device.

    Raises:
        RunError: a GPU is asked for, or the run was begun on one, and there is none.
    """
    from mto.pipeline.checkpoint import load_checkpoint

    wanted = device or _device(config)
    if wanted == "cuda":
        import torch

        if not torch.cuda.is_available():
            asked = config.device == "cuda"
            raise RunError(
                "a GPU is asked for, but torch finds none"
                if asked
                else "this run was begun on a GPU, but torch finds none",
                hint="leave --device out"
                if asked
                else "go on where there is one, or choose another folder with --out",
            )
    return load_checkpoint(config, wanted)


def _device(config: CompareConfig) -> str:
    if config.device != "auto":
        return config.device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _describe(config: CompareConfig, tasks: Sequence[Task], loaded: LoadedModel) -> Inputs:
    """Draw the splits, and compile every template once: what cannot be written is known before anything is trained."""
    from mto.tune.cell import check_metrics

    for given in tasks:
        names = (*config.metrics, config.tune.metric)
        check_metrics(given, names, ranked=config.rank_tails is not None)
    described = tuple(describe_task(task, config) for task in tasks)
    families = find_families(config, described)
    for task in described:
        for family in families:
            task.form.template(family, phrase=task.phrase, fields=task.fields, adapter=loaded.adapter)
    splits = {(task.name, seed): split for task in tasks for seed, split in draw_splits(task, config).items()}
    metadata = loaded.metadata
    return Inputs(
        tasks=described,
        splits=splits,
        families=families,
        settings=config.tune.resolve(loaded.adapter.name).model_dump(mode="json"),
        model={
            "ref": loaded.ref,
            "revision": loaded.revision,
            "parameters": sum(p.numel() for p in loaded.model.parameters()),
            "width": int(loaded.model.get_input_embeddings().weight.shape[1]),
            "tokens_seen": metadata.tokens_seen or None,
            "objectives": dict(metadata.objectives),
            "latest": dict(metadata.latest),
        },
        kind=loaded.adapter.name,
        device=str(loaded.model.device.type),
    )


def _results(
    folder: RunFolder,
    cells: Sequence[CellId],
    keys: Mapping[CellId, str],
    config: CompareConfig,
    told: RunCallback,
) -> dict[CellId, Mapping[str, Any]]:
    """Results of the cells that are finished. A damaged step, or one whose model went missing, is done again."""
    found = {}
    for cell in cells:
        try:
            result = folder.done(cell.step, keys[cell])
        except (RunError, AttributeError, KeyError, TypeError):
            told.on_event("step-damaged", f"the result of {cell} is damaged, so it is done again")
            continue
        if result is None:
            continue
        if config.keep == "all" and result["tuned"] and not (folder.path / cell.model).is_dir():
            told.on_event("step-damaged", f"the model of {cell} is missing, so it is tuned again")
            continue
        found[cell] = result
    return found


def _known_speed(path: Path) -> Speed | None:
    from mto.pipeline.planning import Speed

    try:
        return Speed(**read_json(path / SPEED))
    except (MtoError, TypeError):
        return None
