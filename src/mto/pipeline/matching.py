"""One matching as a command runs it: names and changes in, the answer out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.config import override, parse
from mto.match.config import MatchConfig
from mto.pipeline.config import SHOTS
from mto.pipeline.inputs import choose_phrase
from mto.tasks import load_task

if TYPE_CHECKING:
    from mto.match import Match
    from mto.match.rows import Told


def match_task(
    task: str | Path,
    *,
    models: Sequence[str] = ("mini",),
    shots: int | None = None,
    seed: int = 0,
    changes: Sequence[str] = (),
    phrase: int | str | None = None,
    relation: str | None = None,
    data: str | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    probe: Mapping[str, Any] | None = None,
    progress: Told | None = None,
    **settings: Any,
) -> Match:
    """Match a task by its name.

    Args:
        shots: None: 30, or every row of a task of one file.
        changes: ``key=value`` changes of `MatchConfig`; `settings` and `probe` are such values as well.
        phrase: number of the task's phrase, or a phrase.
        relation, data, columns, delimiter: as for `mto.tasks.load_task`.

    Raises:
        MtoError: as `mto.match.match` raises it.
    """
    from mto.match.run import match

    given = {**settings, **({"probe": dict(probe)} if probe else {})}
    config = parse(MatchConfig, override(given, changes), source="the settings of matching")
    own = (phrase,) if isinstance(phrase, str) else ()
    loaded = load_task(task, data=data, relation=relation, phrases=own, columns=columns, delimiter=delimiter)
    return match(
        loaded, list(models), shots=SHOTS if shots is None else shots, seed=seed, config=config,
        phrase=choose_phrase(loaded, phrase if isinstance(phrase, int) else 0), progress=progress,
    )  # fmt: skip
