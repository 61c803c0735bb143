"""One matching as a command runs it: names and changes in, the answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.config import override, parse
from mto.errors import DataError
from mto.match.config import MatchConfig
from mto.pipeline.inputs import check_phrase, choose_phrase, needs_phrase, without_phrase
from mto.tasks import load_task
from mto.templates import get_family

if TYPE_CHECKING:
    from mto.match import Match
    from mto.match.guidelines import Guidelines
    from mto.match.probe.tournament import Progress
    from mto.match.rows import Told
    from mto.tasks import Task


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
    probing: Progress | None = None,
    noted: Callable[[str], None] | None = None,
    odd_rows: Callable[[Task], None] | None = None,
    **settings: Any,
) -> Match:
    """Match a task by its name.

    Args:
        shots: None: what the task file says, else 30.
        changes: ``key=value`` changes of `MatchConfig`; `settings` and `probe` are such values as well.
        phrase: number of the task's phrase, or a phrase.
        relation, data, columns, delimiter: as for `mto.tasks.load_task`.
        odd_rows: is given the task where rows of it were mended or left out (its `warnings`).
        noted: is told in a sentence what the user should know before the work begins.

    Raises:
        TemplateError: every family asked for needs a phrase and the task has none.
        MtoError: as `mto.match.match` raises it.
    """
    given = {**settings, **({"probe": dict(probe)} if probe else {})}
    config = parse(MatchConfig, override(given, changes), source="the settings of matching")
    own = (phrase,) if isinstance(phrase, str) else ()
    loaded = load_task(task, data=data, relation=relation, phrases=own, columns=columns, delimiter=delimiter)
    if loaded.warnings and odd_rows is not None:
        odd_rows(loaded)
    natural = choose_phrase(loaded, phrase if isinstance(phrase, int) else 0)
    families = [get_family(ref) for ref in config.families or loaded.form.families]
    left = [family for family in families if natural is not None or not needs_phrase(family)]
    if not left:
        check_phrase(loaded.name, natural, families, loaded.kind)
    if len(left) < len(families) and noted is not None:
        noted(without_phrase([loaded.name], left, loaded.kind))
    from mto.match.run import match  # takes seconds; names and rows are checked by now

    return match(
        loaded, list(models), shots="usual" if shots is None else shots, seed=seed, config=config,
        phrase=natural, progress=progress, probing=probing,
    )  # fmt: skip


def guidelines_of(
    task: str | Path,
    *,
    shots: int | None = None,
    seed: int = 0,
    changes: Sequence[str] = (),
    phrase: int | str | None = None,
    relation: str | None = None,
    data: str | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    odd_rows: Callable[[Task], None] | None = None,
) -> Guidelines:
    """What the guidelines alone say of a task's few-shot and dev rows: no checkpoint is read.

    Args:
        shots, changes, phrase, columns, delimiter, odd_rows: as for `match_task`.

    Raises:
        DataError: the changes ask for another signal.
        MtoError: as `load_task`, `draw_split` and `mto.match.guidelines.guidelines` raise it.
    """
    from mto.match.guidelines import guidelines
    from mto.match.run import draw_labelled

    given = override({"signals": ["guidelines"]}, changes)
    config = parse(MatchConfig, given, source="the settings of matching")
    if config.signals != ("guidelines",):
        raise DataError("the changes ask for other signals too", hint="name all of them in --signals")
    own = (phrase,) if isinstance(phrase, str) else ()
    loaded = load_task(task, data=data, relation=relation, phrases=own, columns=columns, delimiter=delimiter)
    if loaded.warnings and odd_rows is not None:
        odd_rows(loaded)
    split = draw_labelled(loaded, loaded.usual_shots if shots is None else shots, seed)
    return guidelines(
        (*split.train, *split.dev), relation=loaded.relation, tagger=config.tagger, form=loaded.form,
        phrase=choose_phrase(loaded, phrase if isinstance(phrase, int) else 0),
    )  # fmt: skip
