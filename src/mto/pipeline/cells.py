"""One cell of a comparison: its place, its key, what it gives, and how it is computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import RunError
from mto.pipeline.config import CompareConfig, slug
from mto.pipeline.inputs import Inputs
from mto.tasks import Split

if TYPE_CHECKING:
    from mto.evaluate.scores import Scores
    from mto.families import LoadedModel
    from mto.tune import CellResult, CrossResult, SweepPoint, TuneCallback

VERSION = 1
MODELS = "models"


@dataclass(frozen=True, order=True)
class CellId:
    """One (task, seed, family). Cells are done in this order: the first seed of all tasks first."""

    seed_number: int
    task_number: int
    family_number: int
    task: str
    seed: int
    family: str

    @property
    def step(self) -> str:
        """Its name among the steps of the run folder."""
        return f"cells/{slug(self.task)}/seed-{self.seed}/{slug(self.family)}"

    @property
    def model(self) -> str:
        """Where its tuned model lies in the run folder, if it is kept."""
        return f"{MODELS}/{slug(self.task)}/seed-{self.seed}/{slug(self.family)}"

    def __str__(self) -> str:
        return f"{self.task}, seed {self.seed}, {self.family}"


def all_cells(config: CompareConfig, inputs: Inputs) -> list[CellId]:
    """Every cell, in the order in which they are done."""
    return [
        CellId(s, t, f, task.name, seed, family.name)
        for s, seed in enumerate(config.seeds)
        for t, task in enumerate(inputs.tasks)
        for f, family in enumerate(inputs.families)
    ]


def cell_key(cell: CellId, config: CompareConfig, inputs: Inputs) -> str:
    """Hash of everything that the cell's result depends on."""
    family, task = inputs.family(cell.family), inputs.task(cell.task)
    parts = {
        "version": VERSION,
        "split": inputs.splits[cell.task, cell.seed].digest,
        "family": [family.source, family.target, *filter(None, [family.layout.model_dump()])],
        "phrase": task.phrase,
        "folds": task.folds,
        "settings": dict(inputs.settings),
        "metrics": list(config.metrics),
        "revision": inputs.model["revision"],
        "threads": config.threads,
        "device": inputs.device,
        "keeps": keeps_weights(cell, config),
    }
    if (start := _start(inputs)) is not None:
        parts["start"] = start
    if not task.form.is_plain:
        parts["form"] = task.form.to_json()
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _start(inputs: Inputs) -> str | None:
    """Hash of the vectors that soft prompts go on from; None where they begin anew."""
    folder = (inputs.settings.get("prompt") or {}).get("start")
    if folder is None:
        return None
    from mto.prompts.saving import VECTORS

    try:
        return hashlib.sha256((Path(folder) / VECTORS).read_bytes()).hexdigest()[:24]
    except OSError as error:
        raise RunError(f"the soft prompt to go on from cannot be read: {error}", where=folder) from error


def keeps_weights(cell: CellId, config: CompareConfig) -> bool:
    """Whether its tuned model is written; which of those stay is decided when all families of the task are done."""
    return config.keep == "all" or (config.keep == "chosen" and cell.seed_number == 0)


def run_one(
    loaded: LoadedModel,
    cell: CellId,
    config: CompareConfig,
    inputs: Inputs,
    folder: Path,
    progress: TuneCallback | None = None,
) -> dict[str, Any]:
    """Compute a cell, write its model if it is to be kept, and give its result as JSON."""
    from mto.tune import cross_validate, run_cell
    from mto.tune.config import Settled

    task, split = inputs.task(cell.task), inputs.splits[cell.task, cell.seed]
    settings = Settled(**inputs.settings)
    keep = keeps_weights(cell, config) and bool(split.train)
    asked: dict[str, Any] = {
        "metrics": config.metrics, "phrase": task.phrase, "keep_weights": keep, "progress": progress,
    }  # fmt: skip
    if config.soft:
        asked["with_zero_shot"] = False
    family = inputs.family(cell.family)
    result: CellResult | CrossResult
    if task.folds and not split.test:
        result = cross_validate(loaded, task.task(), split, family, settings, k=task.folds, **asked)
    else:
        result = run_cell(
            loaded, task.task(), split, family, settings, **{"with_zero_shot": config.zero_shot, **asked}
        )
    if keep:
        _save(loaded, result, split, cell, inputs, folder / cell.model)
    return to_json(result, split)


def to_json(result: CellResult | CrossResult, split: Split) -> dict[str, Any]:
    """What a step of the run folder keeps of a cell."""
    from mto.tune import CrossResult

    shared = {
        "zero_shot": scores_json(result.zero_shot),
        "tuned": scores_json(result.test) if split.train else None,
        "max_new_tokens": result.max_new_tokens,
        "words_lost": result.words_lost,
        "seconds": round(result.seconds, 3),
    }
    dev: dict[str, float] | None
    chosen: SweepPoint | None
    if isinstance(result, CrossResult):
        sweeps = [fold.sweep for fold in result.folds]
        chosen = result.chosen
        metric = next(sweep.metric for sweep in sweeps if sweep)
        dev = {"nats_per_byte": chosen.nats_per_byte, metric: chosen.metric}
        rows = sum(fold.dev_rows for fold in result.folds)
    else:
        sweeps, dev, rows = [result.sweep], result.dev, result.dev_rows
        chosen = result.sweep.chosen if result.sweep else None
    return {
        **shared,
        "dev": dev,
        "dev_rows": rows,
        "chosen": vars(chosen) if chosen else None,
        "sweeps": [sweep.to_json() for sweep in sweeps if sweep],
        **({} if result.trained is None else {"trained": result.trained}),
        **({} if result.prompt is None else {"prompt": result.prompt.to_json()}),
    }


def scores_json(scores: Scores | None) -> dict[str, Any] | None:
    """Scores as JSON."""
    if scores is None:
        return None
    options = {} if scores.options is None else {"options": scores.options.to_json()}
    return {
        **options,
        "heads": list(scores.heads),
        "predictions": list(scores.predictions),
        "references": [list(several) for several in scores.references],
        "values": {name: values.tolist() for name, values in scores.values.items()},
        "empty": scores.empty.tolist(),
        "unasked": scores.unasked_sentinel.tolist(),
    }


def scores_from_json(value: Mapping[str, Any], metrics: Sequence[str]) -> Scores:
    """What `scores_json` gave, with the metrics in this order."""
    import numpy as np

    from mto.evaluate.options import Options
    from mto.evaluate.scores import Scores

    return Scores(
        options=Options.from_json(value["options"]) if "options" in value else None,
        heads=tuple(value["heads"]),
        predictions=tuple(value["predictions"]),
        references=tuple(map(tuple, value["references"])),
        values={name: np.asarray(value["values"][name], dtype=np.float64) for name in metrics},
        empty=np.asarray(value["empty"], dtype=bool),
        unasked_sentinel=np.asarray(value["unasked"], dtype=bool),
    )


def _save(
    loaded: LoadedModel,
    result: CellResult | CrossResult,
    split: Split,
    cell: CellId,
    inputs: Inputs,
    path: Path,
) -> None:
    from mto.tune.cell import cell_template
    from mto.tune.config import Settled
    from mto.tune.finished import finished_model
    from mto.tune.weights import Weights, put_weights

    described, settings = inputs.task(cell.task), Settled(**inputs.settings)
    task, phrase = described.task(), described.phrase
    template = cell_template(loaded, task, inputs.family(cell.family), phrase, settings.method)
    if settings.method == "prompt":
        finished_model(result, loaded, task, split, template, settings, phrase=phrase).save(path)
        return
    start = Weights(loaded.model)
    try:
        if result.weights is not None:
            put_weights(loaded.model, result.weights)
        finished_model(result, loaded, task, split, template, settings, phrase=phrase).save(path)
    finally:
        start.restore()


def chosen_family(
    results: Mapping[str, Mapping[str, Any]], families: Sequence[str], select: str
) -> tuple[str, str] | None:
    """The family that dev data choose among cells of one task and seed, with the reason; None with zero shots."""
    from mto.tune import SweepPoint, choose_family

    points = {
        name: SweepPoint(**results[name]["chosen"])
        for name in families
        if name in results and results[name]["chosen"] is not None
    }
    if len(points) < len(families):
        return None
    best = choose_family(points, select)  # type: ignore[arg-type]
    point = points[best]
    rule = {"both": "mean rank by likelihood and metric", "likelihood": "likelihood", "metric": "metric"}
    reason = f"best {rule[select]} on dev: {point.nats_per_byte:.3f} nats a byte, {point.metric:.1f} points"
    return best, reason
