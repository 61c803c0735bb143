"""What a comparison will do, and what it will cost, by a short measurement of the model on its own rows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mto.pipeline.cells import CellId, keeps_weights
from mto.pipeline.config import CompareConfig
from mto.pipeline.inputs import Inputs, TaskInput

if TYPE_CHECKING:
    from mto.families import LoadedModel

START_SECONDS = 8.0
"""Of a worker: imports and loading. A guess; it matters for tiny runs only."""
SHOWN_WARNINGS = 3
"""Odd rows that a plan quotes."""
USUAL_VECTORS = 20
"""Of a soft prompt, where the template says how many."""
PREDICTION_BYTES = 400
"""Of one prediction with its references and scores, in the step, the results and the table of predictions."""


@dataclass(frozen=True)
class Speed:
    """What was measured, with one worker's threads.

    Attributes:
        step: seconds of one training step.
        answer: seconds of one generated answer, in batches.
        judged: seconds of one dev row: its generated answer and the likelihood of its references.
    """

    step: float
    answer: float
    judged: float


@dataclass(frozen=True)
class TaskPlan:
    """Sizes of one task's splits; `dev` 0: a quarter of the labelled rows chooses the settings.

    `warnings` counts the odd rows of its data, `first_warnings` holds some of them, with file and line.
    """

    name: str
    phrase: str | None
    train: int
    dev: int
    test: int
    folds: int | None
    warnings: int
    first_warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a comparison will do and cost.

    Attributes:
        cells, done: cells in all, and those that are finished already.
        workers: processes that share the rest.
        seconds: expected for the rest, by the clock.
        stands_for: the family that stands for the one matching will choose; None where it is known.
        cell_seconds: expected of each cell, by its step name; with one worker.
        disk_bytes: expected of the run folder at its largest, and `kept_bytes` of it that stay.
    """

    out: str
    model: str
    revision: str
    parameters: int
    device: str
    tasks: tuple[TaskPlan, ...]
    families: tuple[str, ...]
    stands_for: str | None
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    cells: int
    done: int
    workers: int
    threads: int
    speed: Speed
    seconds: float
    disk_bytes: float
    kept_bytes: float
    cell_seconds: Mapping[str, float]


def measure(loaded: LoadedModel, inputs: Inputs) -> Speed:
    """Time a few training steps and answers on the rows of the first cell; the weights are put back."""
    from mto.evaluate.generate import generate
    from mto.evaluate.metrics import metrics as known_metrics
    from mto.tune.cell import cell_template, learners
    from mto.tune.config import Settled
    from mto.tune.ladder import Dev, fit
    from mto.tune.rows import encode_cell
    from mto.tune.weights import Weights

    settings = Settled(**inputs.settings)
    task, split = inputs.tasks[0], next(iter(inputs.splits.values()))
    template = cell_template(loaded, task.task(), inputs.families[-1], task.phrase, settings.method)
    asked = split.test[:8] if split.test else ()
    learner, template = next(learners(loaded, template, task.task(), split, settings, task.phrase))
    rows = encode_cell(learner, template, split, settings, test=asked, form=task.form)
    questions = rows.test.questions or rows.dev.questions or rows.train[:8]
    room = min(rows.max_new_tokens, 24)
    with learner.measuring():
        answer = min(
            _timed(lambda: generate(loaded, questions, max_new_tokens=room, beams=settings.beams))
            for _ in range(2)
        ) / len(questions)
    if not rows.train:
        return Speed(0.0, answer, answer)
    known_metrics.get(settings.metric)(["a"], [["a"]])  # what it imports must not count
    start = Weights(learner.weights)
    try:
        rate = min(settings.rates)
        one = _timed(lambda: fit(learner, rows, settings, rate, 1))
        four = _timed(lambda: fit(learner, rows, settings, rate, 4))
        step = max(four - one, four / 4) / 3 if four > one else four / 4
    finally:
        start.restore()
    judged = answer
    if rows.dev.questions:
        judged = _timed(Dev(learner, rows, settings)) / len(rows.dev.questions)
    return Speed(step, answer, judged)


def _timed(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def expected_seconds(task: TaskInput, inputs: Inputs, speed: Speed, seed: int) -> float:
    """Of one cell, when no rate stops early and the grid is not extended."""
    split, settings = inputs.splits[task.name, seed], inputs.settings
    if not split.train:
        return len(split.test) * speed.answer
    rungs = [steps for steps in settings["ladder"] if steps]
    rates = len(settings["rates"]) * _tried(settings) if rungs else 0
    steps = rates * (rungs[-1] if rungs else 0)
    looks = rates * len(rungs) + 1
    if task.folds and not split.test:
        heads = len({row.id for row in split.train})
        folds = min(task.folds, heads)
        dev = heads * (folds - 1) / folds / 4
        one = steps * speed.step + looks * dev * speed.judged + max(rungs, default=0) * speed.step
        return folds * one + 2 * heads * speed.answer
    dev = len(split.dev) or len(split.train) / 4
    return steps * speed.step + looks * dev * speed.judged + 2 * len(split.test) * speed.answer


def _tried(settings: Mapping[str, Any]) -> int:
    """Soft prompts that are tried one by one."""
    prompt = settings.get("prompt") or {}
    return len(prompt.get("vectors") or (0,)) * len(prompt.get("encoders") or (0,))


def _model_bytes(inputs: Inputs) -> float:
    """Of what is kept of a cell: a checkpoint in bf16 with a tokenizer, or vectors with the story of their sweep."""
    if inputs.settings.get("prompt") is None:
        return 2.0 * int(inputs.model["parameters"] or 0) + 3e6
    vectors = max(inputs.settings["prompt"].get("vectors") or (USUAL_VECTORS,))
    return 4.0 * vectors * int(inputs.model.get("width") or 1024) + 2e4


def make_plan(
    config: CompareConfig,
    inputs: Inputs,
    cells: Sequence[CellId],
    waiting: Sequence[CellId],
    speed: Speed,
    *,
    workers: int,
    out: str,
    stands_for: str | None = None,
) -> Plan:
    """The plan for the cells that wait."""
    each = {cell.step: expected_seconds(inputs.task(cell.task), inputs, speed, cell.seed) for cell in waiting}
    rounds = max(sum(each.values()) / workers, max(each.values(), default=0.0))
    parameters = int(inputs.model["parameters"] or 0)
    model = _model_bytes(inputs)
    kept = {"none": 0, "chosen": len(inputs.tasks), "all": len(cells)}[config.keep]
    peak = max(
        kept,
        min(sum(keeps_weights(c, config) for c in cells), kept + (len(inputs.families) - 1) * workers),
    )
    predictions = sum(len(split.test) or len(split.train) for split in inputs.splits.values())
    written = predictions * (2 * len(inputs.families) + 2) * PREDICTION_BYTES * 3 + 1e6
    if config.shots == 0:
        kept = peak = 0
    return Plan(
        out=out,
        model=config.model,
        revision=str(inputs.model["revision"]),
        parameters=parameters,
        device=inputs.device,
        tasks=tuple(_task_plan(task, inputs) for task in inputs.tasks),
        families=tuple(family.name for family in inputs.families),
        stands_for=stands_for,
        seeds=config.seeds,
        settings=dict(inputs.settings),
        cells=len(cells),
        done=len(cells) - len(waiting),
        workers=workers,
        threads=config.threads,
        speed=speed,
        seconds=math.ceil(rounds + (START_SECONDS if workers > 1 else 0.0)) if waiting else 0.0,
        disk_bytes=peak * model + written,
        kept_bytes=kept * model + written,
        cell_seconds=each,
    )


def _task_plan(task: TaskInput, inputs: Inputs) -> TaskPlan:
    split = next(split for (name, _), split in inputs.splits.items() if name == task.name)
    heads = len({row.id for row in split.train})
    return TaskPlan(
        name=task.name,
        phrase=task.phrase,
        train=len(split.train),
        dev=len(split.dev),
        test=len(split.test) or heads,
        folds=min(task.folds, heads) if task.folds and not split.test else None,
        warnings=len(task.warnings),
        first_warnings=task.warnings[:SHOWN_WARNINGS],
    )
