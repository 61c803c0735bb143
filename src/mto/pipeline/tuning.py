"""One tuning as a command runs it: a task in, the folder of a tuned model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mto.config import override, parse
from mto.errors import DataError, RunError
from mto.pipeline.config import slug
from mto.pipeline.inputs import check_phrase, choose_phrase, give_phrase
from mto.pipeline.loaded_run import TUNED
from mto.prompts.aligned import soft_family
from mto.tasks import load_task
from mto.templates import get_family
from mto.tune.config import TuneConfig

if TYPE_CHECKING:
    from mto.match import Match
    from mto.match.rows import Told
    from mto.tasks import Task
    from mto.tune import TuneCallback, TunedModel

FAMILY, BARE = "masked-prompting", "masked-mapping"
"""Tuned where nobody names a family: with a natural phrase, and without one."""
AUTO = "auto"
"""As the name of a template family: the one that matching chooses."""


class Tuning(NamedTuple):
    """A tuned model, where it lies, and the answer of matching where that chose the family."""

    tuned: TunedModel
    folder: Path
    match: Match | None


def tune_to_folder(
    task: str | Path,
    *,
    family: str | Path | None = None,
    model: str = "mini",
    shots: int | None = None,
    seed: int = 0,
    changes: Sequence[str] = (),
    out: str | Path | None = None,
    overwrite: bool = False,
    phrase: int | str | None = None,
    relation: str | None = None,
    data: str | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    match: str | Path | None = None,
    progress: TuneCallback | None = None,
    told: Told | None = None,
    noted: Callable[[str], None] | None = None,
    odd_rows: Callable[[Task], None] | None = None,
    **settings: Any,
) -> Tuning:
    """Tune, and save the tuned model.

    Args:
        family: None: masked-prompting, or masked-mapping where the task has no phrase; for a soft prompt masked-post-pt. ``auto``:
            what matching chooses on the labelled rows, or where a soft prompt is tuned the family that stands for it
            (`mto.prompts.aligned`). Its answer is kept beside the model (match.json).
        match: with ``auto``, an answer of matching that is there already, so that nothing is matched again.
        shots: None: what the task file says, else 30; every row of a task of one file.
        changes: ``key=value`` changes of the sweep's configuration; `settings` are such values as well.
        phrase: number of the task's phrase, or a phrase.
        relation, data, columns, delimiter: as for `mto.tasks.load_task`.
        told: is told what matching does.
        odd_rows: is given the task where rows of it were mended or left out (its `warnings`).
        noted: is told in a sentence what the user should know before the work begins.

    Raises:
        DataError: `match` is about another task or checkpoint, or `family` is not ``auto``.
        TemplateError: `family` needs a phrase and the task has none.
        RunError: `out` holds a tuned model already, or something else. Known before the work begins.
        MtoError: as `mto.tune.tune` raises it.
    """
    config = parse(TuneConfig, override(settings, changes), source="the settings of the sweep")
    own = (phrase,) if isinstance(phrase, str) else ()
    loaded = load_task(task, data=data, relation=relation, phrases=own, columns=columns, delimiter=delimiter)
    if loaded.warnings and odd_rows is not None:
        odd_rows(loaded)
    folder = Path(out) if out else Path("runs") / f"tuned-{slug(loaded.name)}-{slug(Path(model).name)}"
    check_free(folder, overwrite)
    shots = loaded.tuned_shots if shots is None else shots
    natural = choose_phrase(loaded, phrase if isinstance(phrase, int) else 0)
    say = noted or (lambda text: None)
    if family is None and config.method != "prompt" and loaded.kind != "multiple-choice":
        family = FAMILY if natural is not None else BARE
        if natural is None:
            say(
                f"{loaded.name} has no natural phrase, so {BARE} is tuned; with {give_phrase(loaded.kind)} it would be {FAMILY}"
            )
    elif family is not None and str(family) != AUTO:
        check_phrase(loaded.name, natural, [get_family(family)], loaded.kind)
    answer = None
    if str(family) == AUTO:
        answer = _matched(match, loaded, model, shots, seed, natural, told)
        family = answer.model(model).family.family
        if config.method == "prompt":
            family = soft_family(get_family(family), choices=loaded.form.has_choices)
    elif match is not None:
        raise DataError(
            f"the family is '{family or 'not named'}', so there is nothing to match",
            hint="give --family auto",
        )
    from mto.tune.fit import tune  # takes seconds; names and rows are checked by now

    tuned = tune(
        model, loaded, family=family, shots=shots, seed=seed, config=config, phrase=natural, progress=progress
    )
    tuned.save(folder)
    if answer is not None:
        from mto.tune.tuned import MATCH

        answer.write(folder / MATCH)
    return Tuning(tuned, folder, answer)


def _matched(
    file: str | Path | None,
    task: Task,
    model: str,
    shots: int | None,
    seed: int,
    phrase: str | None,
    told: Told | None,
) -> Match:
    """The answer of a file, if it is about this task and checkpoint, or a new one on the rows that will be tuned on."""
    from mto.match import match, read_match

    if file is None:
        return match(task, model, shots=shots, seed=seed, phrase=phrase, progress=told)
    try:
        found = read_match(file)
    except RunError as error:
        if not Path(file).is_file():
            raise
        hint = "give the file that mto match --out wrote, or leave --match away to match anew"
        raise DataError("is no answer of mto match", where=str(file), hint=hint) from error
    if found.task != task.name:
        raise DataError(
            f"is about {found.task}, not {task.name}",
            where=str(file),
            hint="leave --match away to match anew",
        )
    found.model(model)  # raises where this checkpoint is not among them
    return found


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something. Raises `RunError`."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / TUNED).exists():
        raise RunError("holds something else", where=str(folder), hint="choose another folder with --out")
    if not overwrite:
        raise RunError(
            "holds a tuned model already",
            where=str(folder),
            hint="choose another folder with --out, or replace it with --overwrite",
        )
