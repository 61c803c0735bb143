"""What a comparison writes when cells are done: the model that stays, results, predictions and reports."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from mto.errors import RunError
from mto.pipeline.aligned import aligned_family
from mto.pipeline.cells import keeps_weights
from mto.pipeline.clock import working_hours
from mto.pipeline.config import CompareConfig
from mto.pipeline.prepare import Work
from mto.runs import RunFolder, read_json

if TYPE_CHECKING:
    from mto.report import Comparison

FINISHED = "finished"
PREDICTIONS = "predictions.parquet"


def settle_models(work: Work, task: str) -> None:
    """Once all families of the first seed are done, keep the model of the aligned family."""
    if work.config.keep != "chosen":
        return
    cells = [c for c in work.cells if c.task == task and keeps_weights(c, work.config)]
    if not all(cell in work.results for cell in cells):
        return
    mine = {cell.family: work.results[cell] for cell in cells}
    best = aligned_family(task, cells[0].seed, mine, work.inputs)
    for cell in cells:
        if best is None or cell.family != best[0]:
            shutil.rmtree(work.path / cell.model, ignore_errors=True)


def write_all_results(work: Work) -> Comparison:
    """Results, table of predictions, summary and reports, from the finished cells."""
    from mto.evaluate.predictions import write_predictions
    from mto.pipeline.results import all_predictions, build_comparison
    from mto.report import write_report

    path = work.path
    environment = read_json(path / "environment.json")
    results = {cell: work.results[cell] for cell in work.cells if cell in work.results}
    comparison = build_comparison(
        work.config, work.inputs, results,
        command=str(environment.get("command", "")), environment=environment,
        hours=working_hours(work.folder.events()),
    )  # fmt: skip
    write_predictions(path / PREDICTIONS, all_predictions(work.config, work.inputs, results))
    write_report(comparison, path)
    return comparison


def finished_key(config: CompareConfig) -> str:
    text = json.dumps(config.fixed(), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def is_finished(folder: RunFolder, config: CompareConfig) -> bool:
    try:
        done = folder.done(FINISHED, finished_key(config))
    except (RunError, AttributeError):
        return False
    return done is not None and (folder.path / "results.json").exists()
