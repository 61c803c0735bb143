"""k-fold over the labelled rows, with the whole sweep inside each fold: the score where there is no test file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from torch import Tensor

from mto.errors import ConfigError, DataError
from mto.evaluate.scores import Scores
from mto.families import LoadedModel
from mto.tasks import Split, Task, folds
from mto.templates import TemplateFamily
from mto.tune.cell import CellResult, cell_template, learners, run_cell, settle, trial_of
from mto.tune.config import TuneConfig
from mto.tune.ladder import fit
from mto.tune.progress import TuneCallback
from mto.tune.rows import encode_cell
from mto.tune.select import choose_point
from mto.tune.sweep import PromptTrial, SweepPoint
from mto.tune.weights import Weights

FOLDS = 5


@dataclass(frozen=True, eq=False)
class CrossResult:
    """What a cross-validation gave.

    Attributes:
        task, family: names.
        seed: the data seed of the split.
        folds: the cells, each tuned without its test part; a quarter of its other heads chose its settings.
        test: scores of every head, each by the model that did not see it, in the order of the split.
        zero_shot: scores of the untuned model on the same heads; None where not asked for.
        chosen: (rate, steps) for the final model: the best on the dev rows of all folds together.
        max_new_tokens: for the final model, from all labelled rows.
        words_lost: words that over-long sources lost, over all labelled rows.
        seconds: of all this.
        weights: of the final model, trained on all labelled rows with `chosen`; where asked for.
        trained: as in `CellResult`.
        prompt: the prompt encoder and number of vectors of the final model; None for fine-tuning.
    """

    task: str
    family: str
    seed: int
    folds: tuple[CellResult, ...]
    test: Scores
    zero_shot: Scores | None
    chosen: SweepPoint
    max_new_tokens: int
    words_lost: int
    seconds: float
    weights: Mapping[str, Tensor] | None = None
    trained: int | None = None
    prompt: PromptTrial | None = None


def cross_validate(
    loaded: LoadedModel,
    task: Task,
    split: Split,
    family: str | Path | TemplateFamily,
    config: TuneConfig | None = None,
    *,
    k: int = FOLDS,
    phrase: str | None = None,
    metrics: Sequence[str] | None = None,
    with_zero_shot: bool = True,
    keep_weights: bool = False,
    progress: TuneCallback | None = None,
) -> CrossResult:
    """Score a family on the labelled rows themselves, and choose settings for a model of all of them.

    Each of `k` parts of the heads is answered by a model that was tuned on the others: there a quarter of the heads
    is dev for the sweep, and the chosen (rate, steps) is trained on all of them. `split.dev` and `split.test` are
    not looked at. The final settings are those that are best when the dev values of all folds are averaged, among
    the points that every fold measured.

    Args:
        k: number of folds; fewer where there are fewer heads.
        keep_weights: also train the final model and keep its weights.

    Others, and what is raised: as `run_cell`.

    Raises:
        DataError: fewer than three labelled heads.
        ConfigError: several numbers of vectors or prompt encoders: folds choose one rate and number of steps.
    """
    started = time.perf_counter()
    settled = settle(loaded, config, task)
    options = settled.prompt
    if options is not None and len(options.vectors or (0,)) * len(options.encoders) > 1:
        raise ConfigError(
            "several numbers of vectors or prompt encoders, and no dev rows to choose among them",
            hint="give one of each, or dev rows",
        )
    heads = list(dict.fromkeys(row.id for row in split.train))
    if len(heads) < 3:
        raise DataError(
            f"{len(heads)} labelled {'head is' if len(heads) == 1 else 'heads are'} too few for folds with dev rows inside",
            where=task.source.path or split.task,
            hint="give three heads or more, or a test file",
        )
    parts = folds(split, min(k, len(heads)))
    cells = tuple(
        run_cell(
            loaded, task, part, family, settled,
            phrase=phrase, metrics=metrics, with_zero_shot=with_zero_shot, progress=progress,
        )
        for part in parts
    )  # fmt: skip
    ids = [example.id for part in parts for example in part.test]
    order = sorted(range(len(ids)), key=lambda place: heads.index(ids[place]))
    chosen = choose_point(pooled_points(cells), settled.select)
    template = cell_template(loaded, task, family, phrase, settled.method)
    learner, template = next(learners(loaded, template, task, split, settled, phrase))
    rows = encode_cell(learner, template, split, settled, test=(), form=task.form)
    weights = None
    if keep_weights:
        start = Weights(learner.weights)
        try:
            if chosen.steps:
                fit(learner, rows, settled, chosen.rate, chosen.steps)
            weights = learner.taken()
        finally:
            start.restore()
    return CrossResult(
        task=task.name,
        family=template.family.name,
        seed=split.seed,
        folds=cells,
        test=_joined([cell.test for cell in cells], order),
        zero_shot=_joined([cell.zero_shot for cell in cells], order) if with_zero_shot else None,
        chosen=chosen,
        max_new_tokens=rows.max_new_tokens,
        words_lost=rows.words_lost,
        seconds=time.perf_counter() - started,
        weights=weights,
        trained=learner.trained,
        prompt=trial_of(learner, template.vectors, chosen),
    )


def pooled_points(cells: Sequence[CellResult]) -> list[SweepPoint]:
    """Points that every fold measured, with the means of their values over the folds; the untuned one is among them
    unless the ladder has no 0.

    Raises:
        DataError: the folds share no point.
    """
    maps = [{(p.rate, p.steps): p for p in cell.sweep.points} for cell in cells if cell.sweep is not None]
    shared = [key for key in maps[0] if all(key in found for found in maps)] if maps else []
    if not shared:
        raise DataError("the folds share no point of the sweep", hint="put 0 into the ladder")
    return [
        SweepPoint(
            rate,
            steps,
            float(np.mean([found[rate, steps].nats_per_byte for found in maps])),
            float(np.mean([found[rate, steps].metric for found in maps])),
            float(np.sum([found[rate, steps].seconds for found in maps])),
        )
        for rate, steps in shared
    ]


def _joined(parts: Sequence[Scores | None], order: Sequence[int]) -> Scores:
    """The scores of all folds as one, in the order given."""
    some = [part for part in parts if part is not None]
    texts = {
        name: [item for part in some for item in getattr(part, name)]
        for name in ("heads", "predictions", "references")
    }
    options = [part.options for part in some if part.options is not None]
    together = reduce(lambda a, b: a.joined(b), options).taken(order) if options else None
    return Scores(
        options=together,
        **{name: tuple(items[place] for place in order) for name, items in texts.items()},
        values={name: np.concatenate([part.values[name] for part in some])[order] for name in some[0].values},
        empty=np.concatenate([part.empty for part in some])[order],
        unasked_sentinel=np.concatenate([part.unasked_sentinel for part in some])[order],
    )
