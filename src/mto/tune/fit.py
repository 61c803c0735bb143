"""`tune`: from a task and a checkpoint to a tuned model."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from mto.families import LoadedModel, load_model
from mto.families.load import weights_hash
from mto.tasks import Split, Task, load_task
from mto.templates import TemplateFamily
from mto.tune.cell import CellResult, cell_template, run_cell, settle
from mto.tune.config import TuneConfig
from mto.tune.cross import CrossResult, cross_validate
from mto.tune.draw import Shots, draw_rows
from mto.tune.finished import finished_model
from mto.tune.progress import TuneCallback
from mto.tune.tuned import TunedModel
from mto.tune.weights import put_weights

FAMILIES = {"finetune": "masked-prompting", "lora": "masked-prompting", "prompt": "masked-post-pt"}
"""The template family of each method where none is named."""
CHOICE_FAMILIES = {"finetune": "masked-answer-prompting", "prompt": "post-masked-answer-pt"}
"""The same for multiple choice."""


def tune(
    model: LoadedModel | str | Path,
    task: Task | str | Path,
    *,
    family: str | Path | TemplateFamily | None = None,
    shots: Shots = "usual",
    seed: int = 0,
    config: TuneConfig | None = None,
    split: Split | None = None,
    phrase: str | None = None,
    data: Any = None,
    progress: TuneCallback | None = None,
) -> TunedModel:
    """Tune a checkpoint, or a soft prompt of it, to a task with one template family; rate and steps are chosen on dev
    (docs/method.md 8, 4).

    A split without dev and without test rows (one file, all of it labelled examples) is scored by 5-fold
    cross-validation with the sweep inside each fold, and the model is then trained on all rows.

    Args:
        model: a loaded checkpoint (left as it is), or what `load_model` takes.
        task: a task, or what `load_task` takes, such as ``household/ObjectUse`` or ``own.csv``.
        family: name, YAML file or `TemplateFamily`. None: ``masked-prompting``, or ``masked-post-pt`` where a soft prompt is
            tuned; for multiple choice ``masked-answer-prompting`` or ``post-masked-answer-pt``.
        shots: labelled rows to draw; 0: no tuning, None: all rows. ``usual``: what the task file says, else 30, and all rows of
            a task of one file. Such a task with fewer heads than were asked for uses all of its rows.
        seed: the data seed.
        config: None: the defaults of the checkpoint's kind.
        split: a split of the task in place of drawing one.
        phrase: natural phrase in place of the task's first.
        data: where the rows of a task file are, as for `load_task`.
        progress: is told of every rung.

    Raises:
        MtoError: see `load_task`, `draw_split`, `load_model` and `run_cell`.
    """
    task = load_task(task, data=data) if not isinstance(task, Task) else task
    split = split if split is not None else draw_rows(task, shots, seed)
    base = loaded = model if isinstance(model, LoadedModel) else load_model(model)
    settled = settle(base, config, task)
    usual = CHOICE_FAMILIES if task.kind == "multiple-choice" else FAMILIES
    family = usual[settled.method] if family is None else family
    template = cell_template(base, task, family, phrase, settled.method)  # before the copy: it may fail
    if loaded is model and settled.method != "prompt":
        loaded = replace(base, model=copy.deepcopy(base.model))
    result: CellResult | CrossResult
    if split.train and not split.dev and not split.test:
        result = cross_validate(
            loaded, task, split, family, settled, phrase=phrase, keep_weights=True, progress=progress
        )
        steps = result.chosen.steps
    else:
        result = run_cell(
            loaded, task, replace(split, test=()), family, settled,
            phrase=phrase, with_zero_shot=False, keep_weights=True, progress=progress,
        )  # fmt: skip
        steps = result.sweep.chosen.steps if result.sweep is not None else 0
    if settled.method != "prompt" and result.weights is not None and steps:
        put_weights(loaded.model, result.weights)
        loaded = replace(loaded, revision=weights_hash("", loaded.model))
    return finished_model(result, base, task, split, template, settled, phrase=phrase, tuned=loaded)
