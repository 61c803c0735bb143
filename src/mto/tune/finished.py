"""From what a cell or a cross-validation gave to a tuned model that predicts and is saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from mto.evaluate.calibration import Calibration, calibrate
from mto.evaluate.metrics import metrics
from mto.evaluate.nats import RANKINGS
from mto.families import LoadedModel
from mto.prompts import SavedPrompt
from mto.tasks import Split, Task
from mto.templates import Template
from mto.tune.cell import CellResult, learners
from mto.tune.config import Settled
from mto.tune.cross import CrossResult
from mto.tune.prompted import TunedPrompt
from mto.tune.tuned import TunedModel
from mto.tune.weights import put_weights


def finished_model(
    result: CellResult | CrossResult,
    base: LoadedModel,
    task: Task,
    split: Split,
    template: Template,
    config: Settled,
    *,
    phrase: str | None = None,
    tuned: LoadedModel | None = None,
) -> TunedModel:
    """The tuned model of a result that was asked to keep its weights.

    Args:
        base: the checkpoint that was tuned.
        split: the rows that it was tuned on.
        template: as `cell_template` composed it.
        phrase: as in tuning.
        tuned: the checkpoint that holds the tuned weights now; None: `base`. A soft prompt needs none: its vectors are taken
            from the result.
    """
    cross = isinstance(result, CrossResult)
    sweep = None if isinstance(result, CrossResult) else result.sweep
    point = result.chosen if isinstance(result, CrossResult) else sweep.chosen if sweep else None
    kind: Callable[..., TunedModel] = TunedModel
    family = template.family
    if config.method == "prompt" and result.weights is not None:
        saved = saved_prompt(result, base, task, split, template, config, phrase)
        kind, family = partial(TunedPrompt, prompt=saved), saved.family
    model = kind(
        loaded=base if tuned is None else tuned,
        task=task.name,
        relation=task.relation,
        family=family,
        phrase=template.phrase,
        fields=task.fields,
        form=task.form,
        columns=task.columns,
        max_source=config.max_source,
        max_new_tokens=result.max_new_tokens,
        beams=config.beams,
        base_ref=base.ref,
        base_revision=base.revision,
        rate=point.rate if point else 0.0,
        steps=point.steps if point else 0,
        shots=len(split.train),
        sweep=sweep,
        cross=replace(result, weights=None) if isinstance(result, CrossResult) else None,
        scores=result.test.means() if cross and result.test is not None else None,
        ranking=deciding_ranking(config.metric),
    )
    if isinstance(result, CrossResult):
        return replace(model, calibration=_held_out(result, model.ranking))
    # Without dev rows the settings were chosen on rows that then trained the model.
    return model.calibrated(split.dev if sweep is not None else ())


def deciding_ranking(metric: str) -> str:
    """The ranking by which a metric decides between options; of a metric of what was written the first one.

    >>> deciding_ranking("rank_byte"), deciding_ranking("accuracy")
    ('byte', 'sum')
    """
    reads = metrics.get(metric).reads
    return reads if reads in RANKINGS else RANKINGS[0]


def _held_out(result: CrossResult, ranking: str) -> Calibration | None:
    """The temperature that fits the answers of the folds' models, each on rows that it did not see."""
    options = result.test.options
    return None if options is None else calibrate([nats.by(ranking) for nats in options.nats], options.right)


def saved_prompt(
    result: CellResult | CrossResult,
    base: LoadedModel,
    task: Task,
    split: Split,
    template: Template,
    config: Settled,
    phrase: str | None = None,
) -> SavedPrompt:
    """The vectors that the weights of a result make: those of the encoder and number of vectors that were chosen."""
    chosen: dict[str, Any] = {}
    if result.prompt is not None:
        asked = result.prompt.asked
        chosen = {"vectors": asked and (asked,), "encoders": (result.prompt.encoder,)}
    if config.prompt is not None:
        config = config.model_copy(update={"prompt": config.prompt.model_copy(update=chosen)})
    learner, written = next(learners(base, template, task, split, config, phrase))
    assert learner.prompt is not None and result.weights is not None
    put_weights(learner.weights, result.weights)
    return SavedPrompt.of(
        learner.prompt.vectors(), base, written.family, learner.prompt.encoder, written.soft
    )
