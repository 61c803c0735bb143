"""`compare`: from tasks to a run folder with a report. Every cell is a step: done once, skipped ever after."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mto.errors import Interrupted, MtoError, TrainingError
from mto.pipeline.cells import CellId
from mto.pipeline.config import CompareConfig, default_out, read_compare_config
from mto.pipeline.finish import FINISHED, finished_key, is_finished, settle_models, write_all_results
from mto.pipeline.guard import Lock, clear_leftovers, existing_run
from mto.pipeline.inputs import FILE, Inputs
from mto.pipeline.kinds import with_kind
from mto.pipeline.prepare import SPEED, Request, Work, current_tasks, load, prepare
from mto.pipeline.progress import RunCallback, asked_to_stop
from mto.pipeline.stopping import Wish, noted_interrupts
from mto.runs import environment, write_json, write_text
from mto.runs.folder import CONFIG, ENVIRONMENT
from mto.tasks import Task

if TYPE_CHECKING:
    from mto.families import LoadedModel
    from mto.pipeline.planning import Plan
    from mto.report import Comparison

TaskLike = str | Path | Task


@dataclass(frozen=True)
class Run:
    """A finished comparison.

    Attributes:
        path: the run folder.
        comparison: everything that was found out, as in ``results.json``.
        worked: whether anything was computed; False where the run was finished before.
    """

    path: Path
    comparison: Comparison
    worked: bool = True


def compare(
    tasks: TaskLike | Sequence[TaskLike] | CompareConfig,
    *,
    out: str | Path | None = None,
    model: str | Path | LoadedModel | None = None,
    progress: RunCallback | None = None,
    **settings: Any,
) -> Run:
    """Tune a checkpoint on each task with each template family, and report which one wins and how sure that is.

    Finished cells are never computed again: the same call goes on where an interrupted one stopped, and does nothing
    where all is done. Results do not depend on the number of workers.

    Args:
        tasks: a name (``household/ObjectUse``), task file, file of rows or `Task`, or several; or a `CompareConfig`.
        out: run folder; default: ``runs/`` and a name made of tasks, model and shots.
        model: embedded name, folder, hub name or loaded checkpoint (then with one worker); default ``mini``.
        progress: is told what will be done, how long it takes, and where the work stands.
        settings: fields of `CompareConfig`, such as ``shots=16, seeds=3, families=("mapping", "prompting")``.

    Raises:
        Interrupted: after Ctrl-C; finished cells stay finished.
        RunError: the folder holds something else or another run, its data or checkpoint changed, the disk is full.
        TrainingError: a cell's training diverges at every rate; all other cells are done and reported first.
        MtoError: see `load_task`, `load_model`, `compile_template`.
    """
    told = progress or RunCallback()
    request = resolve(tasks, out, model, settings)
    path = request.path
    before = existing_run(path, request.config)
    if before is not None and is_finished(before, request.config):
        from mto.report import read_results

        current_tasks(request, Inputs.read(path, request.config.seeds), told)
        told.on_event("finished-before", f"{path} is finished; nothing to do")
        return Run(path, read_results(path), worked=False)
    work: Work | None = None
    with noted_interrupts() as wish:
        try:
            with Lock() as lock:
                if before is not None:
                    lock.take(path)
                    clear_leftovers(path)
                work = prepare(request, told)
                _set_up(work, lock)
                _compute(work, told, wish)
                finished = _finish(work)
            wish.check()
            return finished
        except BaseException as error:
            # An interrupt in the middle of anything may come out as another error.
            if not (wish.heard or asked_to_stop(error)):
                raise
            raise _interrupted(work, path) from error


def plan(
    tasks: TaskLike | Sequence[TaskLike] | CompareConfig,
    *,
    out: str | Path | None = None,
    model: str | Path | LoadedModel | None = None,
    progress: RunCallback | None = None,
    **settings: Any,
) -> Plan:
    """What `compare` would do with these arguments, and the time and disk that it would take. Writes nothing."""
    request = resolve(tasks, out, model, settings)
    existing_run(request.path, request.config)
    return prepare(request, progress or RunCallback(), only_plan=True).plan


def resolve(tasks: Any, out: str | Path | None, model: Any, settings: dict[str, Any]) -> Request:
    """One request out of what was given.

    Raises:
        ConfigError: all problems at once.
    """
    loaded: LoadedModel | None = None
    if model is not None and not isinstance(model, str | Path):
        loaded, model = model, model.ref
    options = dict(settings) if model is None else {**settings, "model": str(model)}
    if hasattr(options.get("tune"), "model_dump"):
        options["tune"] = options["tune"].model_dump(exclude_unset=True)
    given: dict[str, Task] = {}
    if isinstance(tasks, CompareConfig):
        options = {**tasks.model_dump(exclude_unset=True), **options}
    else:
        several = [tasks] if isinstance(tasks, str | Path | Task) else list(tasks)
        given = {task.name: task for task in several if isinstance(task, Task)}
        options["tasks"] = [task.name if isinstance(task, Task) else str(task) for task in several]
    config = with_kind(read_compare_config(None, (), **options), given)
    return Request(config, given, loaded, Path(out) if out is not None else default_out(config))


def _set_up(work: Work, lock: Lock) -> None:
    """Make the folder: configuration, splits, inputs, what was measured. Nothing that stands there is touched."""
    path = work.path
    path.mkdir(parents=True, exist_ok=True)
    lock.take(path)
    if not (path / CONFIG).exists():
        write_json(path / ENVIRONMENT, environment())
        config = work.config.model_dump(mode="json")
        write_text(path / CONFIG, yaml.safe_dump(config, sort_keys=True, allow_unicode=True))
    if not (path / FILE).exists():
        work.inputs.write(path)
        # Read back, like the results of the cells: what goes on later reads the same.
        work.inputs = Inputs.read(path, work.config.seeds) or work.inputs
    if not (path / SPEED).exists():
        write_json(path / SPEED, vars(work.plan.speed))


def _compute(work: Work, told: RunCallback, wish: Wish) -> None:
    """Do the cells that wait; each is marked as done when it is written, and none is begun once the user asked to stop.

    Raises:
        TrainingError: some cells could not be tuned; raised when all others are done and reported.
    """
    from mto.pipeline.worker import check_revision
    from mto.pipeline.workers import run_beside, run_here

    folder, waiting = work.folder, work.waiting
    if not waiting:
        return
    failed: list[tuple[CellId, TrainingError]] = []

    def moved(step: str, share: float, what: str) -> None:
        told.on_status(work.clock.moved(step, share, what))

    folder.event("start", cells=len(work.cells), waiting=len(waiting), workers=work.plan.workers)
    if work.plan.workers > 1:
        work.loaded = None  # the workers need its memory
        outcomes = run_beside(work.plan.workers, waiting, work.config, work.inputs, work.path, moved)
    else:
        model = work.loaded or load(work.config, work.inputs.device)
        check_revision(model.revision, work.inputs, work.path)
        outcomes = run_here(model, waiting, work.config, work.inputs, work.path, moved)
    with contextlib.closing(outcomes):
        for cell, outcome in outcomes:
            if isinstance(outcome, TrainingError):
                failed.append((cell, outcome))
                folder.event("cell-failed", cell=str(cell), message=outcome.message)
                told.on_event("cell-failed", f"{cell}: {outcome.message}")
                continue
            if isinstance(outcome, MtoError):
                raise outcome
            folder.finish(cell.step, work.keys[cell], outcome)
            folder.event("cell", cell=str(cell), seconds=outcome["seconds"])
            # Read back: a run that was stopped and one that was not work on the very same values.
            work.results[cell] = folder.done(cell.step, work.keys[cell]) or outcome
            settle_models(work, cell.task)
            told.on_status(work.clock.finished(cell.step))
            wish.check()
    if failed:
        cell, error = failed[0]
        if work.results:
            write_all_results(work)
        raise TrainingError(
            f"{len(failed)} of {len(work.cells)} cells could not be tuned; {cell}: {error.message}",
            where=str(work.path),
            hint="the other cells are done and in the report; try lower rates in another folder (--rates, --out)",
        )


def _interrupted(work: Work | None, path: Path) -> Interrupted:
    if work is None or not (path / CONFIG).exists():
        return Interrupted("stopped before the first cell", hint="run the same command again")
    work.folder.event("interrupted", done=len(work.results))
    return Interrupted(
        f"{len(work.results)} of {len(work.cells)} cells are done and kept",
        where=str(path),
        hint="run the same command again to go on from there",
    )


def _finish(work: Work) -> Run:
    for task in work.inputs.tasks:
        settle_models(work, task.name)
    comparison = write_all_results(work)
    work.folder.event("finished", cells=len(work.cells))
    work.folder.finish(FINISHED, finished_key(work.config), {"cells": len(work.cells)})
    return Run(work.path, comparison)
