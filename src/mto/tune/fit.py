"""`tune`: from a task and a checkpoint to a tuned model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from mto.families import LoadedModel, load_model
from mto.families.load import weights_hash
from mto.prompts import SavedPrompt
from mto.tasks import Split, Task, draw_split, load_task
from mto.templates import TemplateFamily
from mto.tune.cell import cell_template, learners, run_cell, settle
from mto.tune.config import TuneConfig
from mto.tune.cross import cross_validate
from mto.tune.progress import TuneCallback
from mto.tune.prompted import TunedPrompt
from mto.tune.tuned import TunedModel
from mto.tune.weights import put_weights

FAMILIES = {"finetune": "masked-prompting", "prompt": "masked-post-pt"}
"""The template family of each method where none is named."""
CHOICE_FAMILIES = {"finetune": "masked-answer-prompting", "prompt": "post-masked-answer-pt"}
"""The same for multiple choice."""


def tune(
    model: LoadedModel | str | Path,
    task: Task | str | Path,
    *,
    family: str | Path | TemplateFamily | None = None,
    shots: int | None = 30,
    seed: int = 0,
    config: TuneConfig | None = None,
    split: Split | None = None,
    phrase: str | None = None,
    data: Any = None,
    progress: TuneCallback | None = None,
) -> TunedModel:
    """Tune a checkpoint, or a soft prompt of it, to a task with one template family; rate and steps are chosen on dev
    (METHOD 8, 4).

    A split without dev and without test rows (one file, all of it labelled examples) is scored by 5-fold
    cross-validation with the sweep inside each fold, and the model is then trained on all rows.

    Args:
        model: a loaded checkpoint (left as it is), or what `load_model` takes.
        task: a task, or what `load_task` takes, such as ``household/ObjectUse`` or ``own.csv``.
        family: name, YAML file or `TemplateFamily`. None: ``masked-prompting``, or ``masked-post-pt`` where a soft prompt is
            tuned; for multiple choice ``masked-answer-prompting`` or ``post-masked-answer-pt``.
        shots: labelled rows to draw; 0: no tuning, None: all rows. A task of one file with fewer heads than this
            uses all of its rows.
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
    split = split if split is not None else _draw(task, shots, seed)
    base = loaded = model if isinstance(model, LoadedModel) else load_model(model)
    settled = settle(base, config, task)
    usual = CHOICE_FAMILIES if task.kind == "multiple-choice" else FAMILIES
    family = usual[settled.method] if family is None else family
    template = cell_template(base, task, family, phrase, settled.method)  # before the copy: it may fail
    if loaded is model and settled.method == "finetune":
        loaded = replace(base, model=copy.deepcopy(base.model))
    sweep = cross = scores = None
    weights: Mapping[str, Tensor] | None = None
    rate, steps = 0.0, 0
    if split.train and not split.dev and not split.test:
        cross = cross_validate(
            loaded, task, split, family, settled, phrase=phrase, keep_weights=True, progress=progress
        )
        weights, room, scores = cross.weights, cross.max_new_tokens, cross.test.means()
        rate, steps = cross.chosen.rate, cross.chosen.steps
        cross = replace(cross, weights=None)
    else:
        cell = run_cell(
            loaded, task, replace(split, test=()), family, settled,
            phrase=phrase, with_zero_shot=False, keep_weights=True, progress=progress,
        )  # fmt: skip
        weights, room, sweep = cell.weights, cell.max_new_tokens, cell.sweep
        if sweep is not None:
            rate, steps = sweep.chosen.rate, sweep.chosen.steps
        if cell.prompt is not None and settled.prompt is not None:
            chosen = {
                "vectors": cell.prompt.asked and (cell.prompt.asked,),
                "encoders": (cell.prompt.encoder,),
            }
            settled = settled.model_copy(update={"prompt": settled.prompt.model_copy(update=chosen)})
    kind: Callable[..., TunedModel] = TunedModel
    if settled.method == "prompt" and weights is not None:
        learner, template = next(learners(base, template, task, split, settled, phrase))
        put_weights(learner.weights, weights)
        assert learner.prompt is not None
        encoder = learner.prompt.encoder
        saved = SavedPrompt.of(learner.prompt.vectors(), base, template.family, encoder, template.soft)
        kind = partial(TunedPrompt, prompt=saved)
    elif weights is not None and steps:
        put_weights(loaded.model, weights)
        loaded = replace(loaded, revision=weights_hash("", loaded.model))
    return kind(
        loaded=loaded,
        task=task.name,
        relation=task.relation,
        family=template.family,
        phrase=template.phrase,
        fields=task.fields,
        form=task.form,
        max_source=settled.max_source,
        max_new_tokens=room,
        beams=settled.beams,
        base_ref=base.ref,
        base_revision=base.revision,
        rate=rate,
        steps=steps,
        shots=len(split.train),
        sweep=sweep,
        cross=cross,
        scores=scores,
    )


def _draw(task: Task, shots: int | None, seed: int) -> Split:
    one_file = not task.dev and not task.test
    if one_file and shots is not None and shots >= len(task.train):
        shots = None
    return draw_split(task, shots=shots, seed=seed)
