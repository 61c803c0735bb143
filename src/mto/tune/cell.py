"""One cell: a task's split, one template family, the sweep on dev, and the scores on test."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from mto.errors import DataError
from mto.evaluate.metrics import metrics as known_metrics
from mto.evaluate.scores import DEFAULT_METRICS, RANKED_METRICS, Scores, score
from mto.families import LoadedModel
from mto.tasks import Row, Split, Task, folds
from mto.templates import Template, TemplateFamily, get_family
from mto.tune.config import LoraSettings, PromptOptions, Settled, TuneConfig, check_method
from mto.tune.ladder import fit
from mto.tune.learner import Learner, new_prompt
from mto.tune.low_rank import LowRank
from mto.tune.optioned import answer_all
from mto.tune.progress import TuneCallback, TuneStatus
from mto.tune.rows import Asked, CellRows, encode_cell
from mto.tune.search import Keeper, search
from mto.tune.select import choose_point
from mto.tune.sweep import PromptTrial, Sweep, SweepPoint
from mto.tune.weights import Weights

OPTIONED = ("multiple-choice", "classification")
INNER_FOLDS = 4  # without dev rows a quarter of the labelled heads chooses the settings


@dataclass(frozen=True, eq=False)
class CellResult:
    """What one cell gave.

    Attributes:
        task, family: names.
        seed: the data seed of the split.
        sweep: dev values of every (rate, steps); None with zero shots.
        dev_rows: how many labelled rows chose the settings.
        test: scores of the tuned model on the test heads; None where the split has none. With zero shots the same
            as `zero_shot`.
        zero_shot: scores of the untuned model; None where not asked for.
        max_new_tokens: most tokens written for an answer.
        words_lost: words that over-long sources lost.
        seconds: of all this.
        weights: of the tuned model (fp32, by parameter name), where they were asked for; of the soft prompt alone where
            that was tuned.
        trained: numbers that were trained in place of all weights; None: all weights.
        prompt: the prompt encoder and number of vectors that were chosen; None where no soft prompt was tuned.
        tried: every encoder and number of vectors with the best point of its sweep.
    """

    task: str
    family: str
    seed: int
    sweep: Sweep | None
    dev_rows: int
    test: Scores | None
    zero_shot: Scores | None
    max_new_tokens: int
    words_lost: int
    seconds: float
    weights: Mapping[str, Tensor] | None = None
    trained: int | None = None
    prompt: PromptTrial | None = None
    tried: tuple[PromptTrial, ...] = ()

    @property
    def dev(self) -> dict[str, float] | None:
        """Dev values of the chosen point: ``nats_per_byte`` and the metric under its name."""
        if self.sweep is None:
            return None
        chosen = self.sweep.chosen
        return {"nats_per_byte": chosen.nats_per_byte, self.sweep.metric: chosen.metric}


def run_cell(
    loaded: LoadedModel,
    task: Task,
    split: Split,
    family: str | Path | TemplateFamily,
    config: TuneConfig | None = None,
    *,
    phrase: str | None = None,
    metrics: Sequence[str] | None = None,
    with_zero_shot: bool = True,
    keep_weights: bool = False,
    progress: TuneCallback | None = None,
) -> CellResult:
    """Sweep on dev, tune with what was chosen, score on test. The model's weights are left as they were.

    For each rate of the grid there is one training with a constant rate up to the last rung of the ladder, from the
    same start, measured on dev at every rung (docs/method.md 8, 9). A split without dev rows gives up a quarter of its
    labelled heads for choosing, and the chosen (rate, steps) is then trained on all of them. A split without
    labelled rows is zero-shot.

    Args:
        loaded: the checkpoint, fp32.
        task: the task of the split; gives fields and, where `phrase` is None, the phrase.
        split: train, dev and test rows.
        family: name, YAML file or `TemplateFamily`.
        config: None: the defaults of the checkpoint's kind.
        phrase: natural phrase in place of the task's first.
        metrics: names of the metrics on test; None: those that are usual for the kind of task.
        with_zero_shot: also score the untuned model on test.
        keep_weights: put the tuned weights into the result.
        progress: is told of every rung.

    Raises:
        UnknownNameError: no such family or metric.
        TemplateError: family, phrase and checkpoint do not fit together.
        DataError: one labelled head and no dev rows.
        TrainingError: the training diverges at every rate.
    """
    started = time.perf_counter()
    settled = settle(loaded, config, task)
    metrics = default_metrics(task) if metrics is None else metrics
    ranked = any(row.choices for row in split.dev[:1]) or any(row.choices for row in split.test[:1])
    check_metrics(task, (*metrics, settled.metric), ranked=ranked)
    template = cell_template(loaded, task, family, phrase, settled.method)
    if not split.train:
        _needs_rows(settled, split)
        rows = encode_cell(loaded, template, split, settled, test=split.test, form=task.form)
        scores = _scores(loaded, rows.test, rows.max_new_tokens, settled, metrics)
        return _result(task, split, template, None, rows, scores, scores, None, started)
    chooser = split if split.dev else inner_split(split)
    tries: list[_Try] = []
    zero = None
    wanted = bool(split.dev) and (bool(split.test) or keep_weights)
    for learner, written in learners(loaded, template, task, chooser, settled, phrase):
        rows = encode_cell(learner, written, chooser, settled, test=split.test, form=task.form)
        whole = (
            rows
            if split.dev
            else encode_cell(learner, written, split, settled, test=split.test, form=task.form)
        )
        rows = replace(rows, max_new_tokens=whole.max_new_tokens)
        start = Weights(learner.weights)
        try:
            if with_zero_shot and split.test and not tries:
                zero = _scores(learner, rows.test, whole.max_new_tokens, settled, metrics)
            keeper = Keeper(learner, settled, wanted=wanted)
            sweep = search(learner, rows, settled, start, keeper, _status(task, template, split), progress)
        finally:
            start.restore()
        tries.append(_Try(learner, written.vectors, whole, start, keeper, sweep))
    points = [tried.sweep.chosen for tried in tries]
    best = tries[next(n for n, p in enumerate(points) if p is choose_point(points, settled.select))]
    learner, whole, sweep = best.learner, best.whole, best.sweep
    chosen = sweep.chosen
    # Another soft prompt than the first has not been scored untuned.
    test, weights = zero if chosen.steps == 0 and best is tries[0] else None, None
    try:
        if keep_weights or (test is None and split.test):
            if chosen.steps and not best.keeper.put_back(chosen):
                fit(learner, whole, settled, chosen.rate, chosen.steps)
            if test is None and split.test:
                test = _scores(learner, whole.test, whole.max_new_tokens, settled, metrics)
            weights = learner.taken() if keep_weights else None
    finally:
        best.start.restore()
    result = _result(task, split, template, sweep, whole, test, zero, weights, started, len(chooser.dev))
    trials = tuple(trial for tried in tries if (trial := tried.trial) is not None)
    return replace(result, trained=learner.trained, prompt=best.trial, tried=trials)


@dataclass(frozen=True, eq=False)
class _Try:
    """One thing to train, and its sweep."""

    learner: Learner
    asked: int | None
    whole: CellRows
    start: Weights
    keeper: Keeper
    sweep: Sweep

    @property
    def trial(self) -> PromptTrial | None:
        return trial_of(self.learner, self.asked, self.sweep.chosen)


def learners(
    loaded: LoadedModel, template: Template, task: Task, split: Split, config: Settled, phrase: str | None
) -> Iterator[tuple[Learner, Template]]:
    """What is to be trained, each with the template as it reads it: one a soft prompt, else one alone.

    Args:
        split: its training rows may say what vectors begin as.
    """
    if config.method == "finetune":
        yield Learner.of(loaded), template
        return
    if config.method == "lora":
        updates = LowRank(loaded.model, config.lora or LoraSettings(), seed=config.seed)
        yield Learner.low_rank(loaded, updates), template
        return
    options = config.prompt or PromptOptions()
    for vectors in options.vectors or (None,):
        written = template.with_vectors(vectors)
        for encoder in options.encoders:
            prompt = new_prompt(
                loaded, written, task, split, options, encoder=encoder, phrase=phrase, seed=config.seed
            )
            yield Learner.prompted(loaded, prompt), written


def trial_of(learner: Learner, asked: int | None, chosen: SweepPoint) -> PromptTrial | None:
    """What is told of a soft prompt that was tried; None for fine-tuning."""
    prompt = learner.prompt
    if prompt is None:
        return None
    vectors = sum(prompt.lengths.values())
    return PromptTrial(prompt.encoder, vectors, asked, chosen, prompt.trained, vectors * prompt.width)


def _needs_rows(config: Settled, split: Split) -> None:
    if config.method == "prompt":
        raise DataError(
            f"{split.task}: a soft prompt says nothing before it is trained, so there is no zero-shot answer",
            hint="give some shots, or a family without soft prompts",
        )


def zero_shot(
    loaded: LoadedModel,
    task: Task,
    split: Split,
    family: str | Path | TemplateFamily,
    config: TuneConfig | None = None,
    *,
    phrase: str | None = None,
    metrics: Sequence[str] | None = None,
) -> Scores:
    """Scores of the untuned model on the test heads of a split; see `run_cell`.

    Raises:
        DataError: the split has no test heads.
    """
    settled = settle(loaded, config, task)
    metrics = default_metrics(task) if metrics is None else metrics
    _needs_rows(settled, split)
    template = cell_template(loaded, task, family, phrase)
    rows = encode_cell(loaded, template, split, settled, test=split.test, form=task.form)
    scores = _scores(loaded, rows.test, rows.max_new_tokens, settled, metrics)
    if scores is None:
        raise DataError(f"{split.task}: the split has no test heads", hint="give the task a test file")
    return scores


def settle(loaded: LoadedModel, config: TuneConfig | None, task: Task | None = None) -> Settled:
    """The configuration with every default of this checkpoint's kind, and of the kind of task, filled in."""
    config = config or TuneConfig()
    if task is not None and task.kind in OPTIONED and "metric" not in config.model_fields_set:
        config = config.model_copy(update={"metric": RANKED_METRICS[0]})
    return config.resolve(loaded.adapter.name)


def default_metrics(task: Task) -> tuple[str, ...]:
    """The metrics that are usual for the kind of a task."""
    return RANKED_METRICS if task.kind in OPTIONED else DEFAULT_METRICS


def cell_template(
    loaded: LoadedModel,
    task: Task,
    family: str | Path | TemplateFamily,
    phrase: str | None,
    method: str = "finetune",
) -> Template:
    """The family composed with the phrase (default: the task's first), checked against the checkpoint.

    Raises:
        TemplateError: the parts do not fit together, or see `check_method`.
    """
    family = get_family(family)
    check_method(family, method, kind=task.form.kind)
    if phrase is None and task.phrases:
        phrase = task.phrases[0]
    return task.form.template(family, phrase=phrase, fields=task.fields, adapter=loaded.adapter)


def check_metrics(task: Task, names: Sequence[str], *, ranked: bool = False) -> None:
    """Refuse metrics that are unknown, and metrics of options for a task without any.

    Args:
        ranked: the rows have choices whatever the kind of task.

    Raises:
        UnknownNameError, DataError: it names the metric.
    """
    for name in names:
        reads = known_metrics.get(name).reads
        if reads != "text" and task.kind not in OPTIONED and not ranked:
            raise DataError(
                f"{task.name}: the metric '{name}' is for choices and labels, and this is a {task.kind} task",
                hint="choose another with --metrics (mto ls metrics lists them); a completion task is ranked with --rank-tails",
            )


def inner_split(split: Split) -> Split:
    """A split whose dev rows are a quarter of the labelled heads of `split`, for choosing settings.

    Raises:
        DataError: there is but one head.
    """
    heads = len({row.id for row in split.train})
    if heads < 2:
        raise DataError(
            f"{split.task}: {heads} labelled head and no dev rows, so nothing can choose the settings",
            hint="give two heads or more, or dev rows",
        )
    part = folds(split, min(INNER_FOLDS, heads))[0]
    dev = tuple(Row(e.id, e.fields, e.targets[0], e.targets, e.where) for e in part.test)
    return replace(part, dev=dev)


def _scores(
    model: LoadedModel | Learner, asked: Asked, max_new_tokens: int, config: Settled, metrics: Sequence[str]
) -> Scores | None:
    if not asked.questions:
        return None
    learner = Learner.of(model)
    with learner.measuring():
        answers, options = answer_all(
            learner.loaded,
            asked.questions,
            asked.options,
            max_new_tokens=max_new_tokens,
            beams=config.beams,
            precision=config.precision,
        )
    return score(asked.heads, answers, asked.references, metrics, options)


def _status(task: Task, template: Template, split: Split) -> TuneStatus:
    return TuneStatus(task.name, template.family.name, split.seed, split.fold, 0.0, 0, 0, 0, 0)


def _result(
    task: Task,
    split: Split,
    template: Template,
    sweep: Sweep | None,
    rows: CellRows,
    test: Scores | None,
    zero: Scores | None,
    weights: Mapping[str, Tensor] | None,
    started: float,
    dev_rows: int = 0,
) -> CellResult:
    return CellResult(
        task=task.name,
        family=template.family.name,
        seed=split.seed,
        sweep=sweep,
        dev_rows=dev_rows,
        test=test,
        zero_shot=zero,
        max_new_tokens=rows.max_new_tokens,
        words_lost=rows.words_lost,
        seconds=time.perf_counter() - started,
        weights=weights,
    )
