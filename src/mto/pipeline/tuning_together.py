"""Several tasks tuned together as a command runs it: tasks in, one folder of a tuned prompt a task out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.config import override, parse
from mto.errors import ConfigError, DataError
from mto.pipeline.config import slug
from mto.pipeline.inputs import check_phrase
from mto.pipeline.tuning import AUTO, check_free
from mto.tasks import load_task
from mto.templates import get_family
from mto.tune.config import TuneConfig, check_method

if TYPE_CHECKING:
    from mto.tasks import Task
    from mto.tune import TuneCallback, TunedPrompt

FAMILY, BARE = "pre-pt", "post-pt"
"""Tuned where nobody names a family: with natural phrases, and where a task has none."""
VECTORS = 10
"""Shared vectors where the family has none and nobody says how many."""


def tune_tasks_to_folders(
    tasks: Sequence[str],
    *,
    family: str | None = None,
    model: str = "mini",
    shots: int | None = None,
    seed: int = 0,
    shared: int | None = None,
    changes: Sequence[str] = (),
    out: str | Path | None = None,
    overwrite: bool = False,
    data: str | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    progress: TuneCallback | None = None,
    odd_rows: Callable[[Task], None] | None = None,
    **settings: Any,
) -> dict[Path, TunedPrompt]:
    """Tune soft prompts of several tasks together (`mto.tune.tune_tasks`), and save each in a folder of its own under `out`.

    Args:
        family: None: pre-pt, or post-pt where a task has no phrase.
        shared: vectors that all tasks share, before everything else; None: 10, unless the family has named ones.
        shots: None: what the task file says, else 30; every row of a task of one file.
        others: as for `tune_to_folder`.

    Raises:
        ConfigError: another method than ``prompt``, or family ``auto``.
        RunError: a folder holds a tuned model already, or something else. Known before the work begins.
        MtoError: as `tune_tasks` raises it.
    """
    config = parse(TuneConfig, override(settings, changes), source="the settings of the sweep")
    if config.method != "prompt":
        raise ConfigError(
            f"{len(tasks)} tasks are tuned together by soft prompts alone",
            hint="give --method prompt, or one task",
        )
    if family == AUTO:
        raise ConfigError("tasks that are tuned together have one family", hint="name it with --family")
    about = {"columns": columns, "delimiter": delimiter}
    loaded = [load_task(name, data=data, **about) for name in tasks]  # type: ignore[arg-type]
    for task in loaded:
        if task.warnings and odd_rows is not None:
            odd_rows(task)
    phrased = all(task.phrases for task in loaded)
    chosen = get_family(family or (FAMILY if phrased else BARE))
    check_method(chosen, config.method)
    for task in loaded:
        check_phrase(task.name, task.phrases[0] if task.phrases else None, [chosen])
    if shared is not None or "name" not in chosen.source:
        from mto.tune.several import shared_family

        chosen = shared_family(chosen, VECTORS if shared is None else shared)
    base = Path(out) if out else Path("runs") / f"tuned-{slug(loaded[0].name)}-and-{len(loaded) - 1}-more"
    folders = {task.name: base / slug(task.name) for task in loaded}
    if len(set(folders.values())) < len(loaded):
        raise DataError("two tasks have one name", hint="give one of them another name in a task file")
    for folder in folders.values():
        check_free(folder, overwrite)
    from mto.tune.several import tune_tasks  # takes seconds; names and rows are checked by now

    done = tune_tasks(
        model,
        loaded,
        family=chosen,
        shots="usual" if shots is None else shots,
        seed=seed,
        config=config,
        progress=progress,
    )
    return {tuned.save(folders[name]): tuned for name, tuned in done.items()}
