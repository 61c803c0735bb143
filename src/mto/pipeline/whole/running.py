"""`run_whole`: from tasks, a checkpoint and raw text to a report on what the whole way is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import RunError
from mto.pipeline.guard import Lock
from mto.pipeline.kinds import with_kind
from mto.pipeline.whole.aligned import Aligned
from mto.pipeline.whole.asked import Asked, read_asked
from mto.pipeline.whole.config import WholeConfig, read_whole_config, whole_out
from mto.pipeline.whole.guard import check_folder, set_up
from mto.pipeline.whole.nodes import Done, Nodes, key_of
from mto.pipeline.whole.progress import StageStatus, WholeCallback
from mto.pipeline.whole.stages import Way
from mto.pipeline.whole.systems import Unit, all_units

if TYPE_CHECKING:
    from mto.match import Match
    from mto.report.whole import WholeResults

FINISHED = "finished"
REPORT = "report"


@dataclass(frozen=True)
class WholeRun:
    """A finished whole run.

    Attributes:
        path: the run folder.
        results: everything that was found out, as in ``results.json``.
        worked: the stages that this call did; empty where the run was finished before.
    """

    path: Path
    results: WholeResults
    worked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ways:
    """What all stages before the report gave.

    Attributes:
        match: None where matching could not be asked.
        units: each adaptation with its two stages.
    """

    asked: Asked
    match: Done | None
    matches: dict[str, Match]
    aligned: dict[str, Aligned]
    base: Done
    pairs: Done
    units: tuple[tuple[Unit, Done, Done], ...]

    @property
    def stages(self) -> list[Done]:
        """All of them, in order."""
        first = [self.match] if self.match else []
        return [*first, self.base, self.pairs, *(done for _, *two in self.units for done in two)]


def run_whole(
    tasks: str | Path | Sequence[str | Path] | WholeConfig,
    *,
    corpus: str | Path | Sequence[str | Path] | None = None,
    out: str | Path | None = None,
    progress: WholeCallback | None = None,
    **settings: Any,
) -> WholeRun:
    """Match, prepare, adapt, tune and evaluate, and report what each is worth against the conventional way.

    Stages whose inputs have not changed are skipped, in this call and in any later one with the same folder: with other settings
    only what depends on them is done again.

    Args:
        tasks: a name (``household/ObjectUse``), task file or file of rows, or several; or a `WholeConfig`.
        corpus: raw text without labels: files, folders, globs, ``hf:NAME``, or ``mto:household`` for the text of the package.
        out: run folder; default: ``runs/`` and a name made of tasks and model.
        progress: is told which stage begins, and where it stands.
        settings: fields of `WholeConfig`, such as ``shots=16, model="mini", adapt={"epochs": 5}, controls=()``.

    Raises:
        Interrupted: after Ctrl-C; finished work is kept.
        RunError: the folder holds something else, the disk is full, or the checkpoint changed under the run.
        DataError: no sentence of the text fits a task.
        MtoError: as the stages raise it.
    """
    told = progress or WholeCallback()
    config = whole_config(tasks, corpus, settings)
    path = Path(out) if out is not None else whole_out(config)
    check_folder(path, config)
    asked = read_asked(config)
    for task in asked.tasks:
        if not task.test:
            told.on_event(
                "no-test-data",
                f"{task.name} has no test data, so its rows are scored by cross-validation; text is chosen near all of them, and "
                "sentences that hold head and tail of a row are left out",
            )
    path.mkdir(parents=True, exist_ok=True)
    with Lock() as lock:
        lock.take(path)
        set_up(path, config)
        units = all_units(config, asked.names)
        nodes = Nodes(path, 3 + asked.can_match + 2 * len(units), told)
        way = Way(asked, nodes, told)
        way.check_packages()
        found = go(way, asked, units)
        return _finish(path, found, nodes, told)


def whole_config(tasks: Any, corpus: Any, settings: dict[str, Any]) -> WholeConfig:
    """One configuration out of what was given, with what is usual for the kind of its tasks.

    Raises:
        ConfigError: all problems at once.
        DataError: the tasks are of several kinds.
    """
    options = dict(settings)
    if isinstance(tasks, WholeConfig):
        options = {**tasks.model_dump(exclude_unset=True), **options}
    else:
        several = [tasks] if isinstance(tasks, str | Path) else list(tasks)
        options["tasks"] = [str(task) for task in several]
    if corpus is not None:
        texts = [corpus] if isinstance(corpus, str | Path) else list(corpus)
        options["corpus"] = [str(text) for text in texts]
    for name in ("tune", "prepare", "adapt"):
        if hasattr(options.get(name), "model_dump"):
            options[name] = options[name].model_dump(exclude_unset=True)
    return with_kind(read_whole_config(None, (), **options), {})


def go(way: Way, asked: Asked, units: Sequence[Unit]) -> Ways:
    """All stages before the report, each done now or before."""
    match, matches, aligned = None, {}, None
    if asked.can_match:
        match = way.match()
        matches = way.matches(match)
        aligned = way.aligned(matches)
    base = way.base(aligned)
    aligned = aligned if aligned is not None else way.aligned_by_dev(base)
    pairs = way.pairs()
    files = [match.folder / name for name in match.result.values()] if match else []
    done = []
    for unit in units:
        adapted = way.adapted(unit, aligned, pairs, files)
        if adapted is not None:
            done.append((unit, adapted, way.tuned(unit, aligned, adapted)))
    return Ways(asked, match, matches, aligned, base, pairs, tuple(done))


def _reported(nodes: Nodes, key: str) -> bool:
    """Whether the reports that stand there are made from these stages."""
    try:
        return nodes.folder.done(FINISHED, key) is not None
    except (RunError, AttributeError):
        return False


def _finish(path: Path, found: Ways, nodes: Nodes, told: WholeCallback) -> WholeRun:
    """The results and the reports, where they are not those that stand there."""
    from mto.pipeline.whole.collecting import build_results, write_predictions_of
    from mto.report.whole import is_whole_results, read_whole_results, write_whole_report

    worked = tuple(done.name for done in found.stages if done.worked)
    key = key_of(REPORT, {"stages": [done.key for done in found.stages], "title": found.asked.config.title})
    number = len(nodes.finished) + 1
    if not worked and _reported(nodes, key) and is_whole_results(path):
        told.on_stage(StageStatus(REPORT, number, nodes.count, "kept"))
        told.on_event("finished-before", f"{path} is finished; nothing to do")
        return WholeRun(path, read_whole_results(path))
    told.on_stage(StageStatus(REPORT, number, nodes.count, "begins"))
    results = build_results(found, path)
    write_predictions_of(found, path)
    write_whole_report(results, path)
    nodes.folder.event("finished", stages=len(found.stages))
    nodes.folder.finish(FINISHED, key, {"stages": len(found.stages)})
    told.on_stage(StageStatus(REPORT, number, nodes.count, "done"))
    return WholeRun(path, results, (*worked, REPORT))
