"""`probe`: which template family, and which checkpoint, learns a task best from its few labelled rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mto.errors import Interrupted
from mto.evaluate.metrics import metrics as known_metrics
from mto.families import LoadedModel
from mto.match.probe.arms import arrange_rows, find_contestants
from mto.match.probe.bench import RealBench
from mto.match.probe.budget import Purse
from mto.match.probe.checkpoints import Checkpoints, Loader
from mto.match.probe.config import ProbeConfig
from mto.match.probe.halving import Stopped
from mto.match.probe.judge import Judge
from mto.match.probe.result import Probe
from mto.match.probe.telling import tell
from mto.match.probe.tournament import Progress, Tournament
from mto.tasks import Row, Task
from mto.templates import TemplateFamily


def probe(
    models: LoadedModel | Mapping[str, LoadedModel | Loader],
    task: Task,
    rows: Sequence[Row],
    *,
    dev: Sequence[Row] = (),
    families: Sequence[str | Path | TemplateFamily] | None = None,
    config: ProbeConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Probe:
    """A small tournament of template families on the labelled rows alone (docs/method.md 5, signal 4).

    Successive halving (Jamieson and Talwalkar 2016; `successive_halving`) with cross-validation, since there are only
    n rows: at each rung every arm that is left trains anew in each of k head-disjoint folds, ever longer, and is scored
    on what the fold holds out by bits per target byte, which can be compared between families, tokenizers and
    checkpoints. The worse half is dropped. Rung 0 is the untrained model.

    Args:
        models: a checkpoint, or several by name; a function that gives one is called when it is first needed. Their
            weights are the same afterwards, also after an error.
        task: gives the relation's name, fields and phrases; its examples are not looked at.
        rows: labelled rows, of two heads or more.
        dev: further held-out rows, never learned from; rows whose head is labelled too are left out.
        families: names, files or families; None: the four of docs/method.md 3.
        config: budget and shape; see `ProbeConfig`.
        seed: of folds, order of batches, dropout and resampling. Same seed, same answer, where the budget is in steps.
        progress: is told of every training.
        stop: asked before and during every training; True ends the probe with its best answer so far. Ctrl-C
            (`KeyboardInterrupt`) does the same.

    Raises:
        DataError: fewer than two labelled heads, an empty target, or no checkpoint or family.
        TemplateError: no family can be written for any checkpoint.
        UnknownNameError: no such family or metric.
        TrainingError: not one untrained arm can be scored, such as with broken weights.
        Interrupted, KeyboardInterrupt: stopped before every arm had its zero-shot score, when there is no answer.
    """
    config = config or ProbeConfig()
    purse = Purse(config)
    if config.metric is not None:
        known_metrics.get(config.metric)
    table = arrange_rows(task, rows, dev, config.folds, seed)
    checkpoints = Checkpoints(models)
    contestants, left_out = find_contestants(checkpoints, task, table, families, config, seed)
    by_name = {contestant.arm.name: contestant for contestant in contestants}
    judge = Judge(table.heads, table.bytes, seed)
    tournament = Tournament(
        {name: contestant.arm for name, contestant in by_name.items()},
        {name: contestant.rates for name, contestant in by_name.items()},
        RealBench(checkpoints, by_name, config.metric),
        judge,
        purse,
        config,
        folds=table.folds,
        batch_rows=max(contestant.settled.batch_rows for contestant in contestants),
        progress=progress,
        stop=stop,
    )
    try:
        race = tournament.run()
    except Stopped:
        raise Interrupted(
            "stopped before every arm had its zero-shot score, so there is no answer yet"
        ) from None
    told = tell(tournament, race, judge)
    return Probe(
        task=task.name,
        seed=seed,
        folds=table.folds,
        rows=table.labelled,
        heads=len({row.id for row in rows}),
        dev_rows=len(table.all) - table.labelled,
        left_out=(*left_out, *tournament.left_out),
        steps=purse.steps,
        seconds=purse.seconds,
        row_ids=tuple(row.id for row in table.all),
        row_bytes=tuple(int(count) for count in table.bytes),
        notes=(*table.notes, *told.notes),
        arms=told.arms,
        rungs=told.rungs,
        ranking=race.ranking,
        difference=told.difference,
        clear=told.difference is not None and told.difference.low > 0,
        lean=told.lean,
        ended=race.ended,
    )
