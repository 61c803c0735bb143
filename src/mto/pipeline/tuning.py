"""One tuning as a command runs it: a task in, the folder of a tuned model out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.config import override, parse
from mto.errors import RunError
from mto.pipeline.config import SHOTS, slug
from mto.pipeline.inputs import choose_phrase
from mto.pipeline.loaded_run import TUNED
from mto.tasks import load_task
from mto.tune.config import TuneConfig

if TYPE_CHECKING:
    from mto.tune import TuneCallback, TunedModel


def tune_to_folder(
    task: str | Path,
    *,
    family: str | Path = "masked-prompting",
    model: str = "mini",
    shots: int | None = None,
    seed: int = 0,
    changes: Sequence[str] = (),
    out: str | Path | None = None,
    overwrite: bool = False,
    phrase: int | str | None = None,
    relation: str | None = None,
    data: str | None = None,
    progress: TuneCallback | None = None,
    **settings: Any,
) -> tuple[TunedModel, Path]:
    """Tune, and save the tuned model.

    Args:
        shots: None: 30, or every row of a task of one file.
        changes: ``key=value`` changes of the sweep's configuration; `settings` are such values as well.
        phrase: number of the task's phrase, or a phrase.

    Raises:
        RunError: `out` holds a tuned model already, or something else. Known before the work begins.
        MtoError: as `mto.tune.tune` raises it.
    """
    from mto.tune.fit import tune

    config = parse(TuneConfig, override(settings, changes), source="the settings of the sweep")
    own = (phrase,) if isinstance(phrase, str) else ()
    loaded = load_task(task, data=data, relation=relation, phrases=own)
    folder = Path(out) if out else Path("runs") / f"tuned-{slug(loaded.name)}-{slug(Path(model).name)}"
    _check_free(folder, overwrite)
    if shots is None and (loaded.dev or loaded.test):
        shots = min(SHOTS, len(loaded.train))
    tuned = tune(
        model, loaded, family=family, shots=shots, seed=seed, config=config,
        phrase=choose_phrase(loaded, phrase if isinstance(phrase, int) else 0), progress=progress,
    )  # fmt: skip
    tuned.save(folder)
    return tuned, folder


def _check_free(folder: Path, overwrite: bool) -> None:
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
