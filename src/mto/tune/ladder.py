"""The run of one rate up the ladder of steps, with dev measured at every rung."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from mto.errors import TrainingError
from mto.evaluate.choices import score_options
from mto.evaluate.generate import generate
from mto.evaluate.likelihood import likelihood
from mto.evaluate.metrics import metrics
from mto.evaluate.nats import RANKINGS
from mto.families import LoadedModel
from mto.train import Batch, PairSource, TrainConfig, train
from mto.train.batches import BatchSource
from mto.train.cross_entropy import IGNORE
from mto.tune.config import Settled
from mto.tune.learner import Learner
from mto.tune.mixing import EachTask
from mto.tune.optioned import read_names
from mto.tune.products import fast_products
from mto.tune.rows import CellRows
from mto.tune.sweep import Because, RateRun, SweepPoint

PATIENCE = 2  # rungs in a row at which both criteria are worse than before
RUNGS_LEFT = "rungs_left"
"""The value that a fit with a ladder watches: it falls with every rung, so that the training goes on until told otherwise."""


@dataclass(frozen=True)
class Dev:
    """Measures a model on the dev rows of a cell."""

    model: LoadedModel | Learner
    rows: CellRows
    config: Settled

    def __call__(self) -> tuple[float, float]:
        """Nats a byte, and the mean metric (0-100), of the model as it is now."""
        learner = Learner.of(self.model)
        fast = fast_products(learner.loaded.model, active=self.config.precision == "fp32")
        with fast, learner.measuring():
            return self._measure(learner.loaded)

    def _measure(self, loaded: LoadedModel) -> tuple[float, float]:
        config, rows = self.config, self.rows
        scored = likelihood(loaded, rows.dev_pairs, include_eos=False, precision=config.precision)
        return float(scored.nll.sum() / max(1, int(scored.bytes.sum()))), self._points(loaded)

    def _points(self, loaded: LoadedModel) -> float:
        """Mean of the metric; a metric of a ranking needs no generation."""
        config, asked = self.config, self.rows.dev
        metric = metrics.get(config.metric)
        if metric.reads in RANKINGS and asked.options:
            calibrate = metric.reads == "calibrated"
            nats = score_options(loaded, asked.options, calibrate=calibrate, precision=config.precision)
            ranked = [row.names[one.best(metric.reads)] for row, one in zip(asked.options, nats, strict=True)]
            return float(metric(ranked, asked.references).mean())
        answers = generate(
            loaded,
            asked.questions,
            max_new_tokens=self.rows.max_new_tokens,
            beams=config.beams,
            precision=config.precision,
        )
        written = [answer.text for answer in answers]
        if metric.reads != "text":
            written = read_names(asked.options, answers)
        return float(metric(written, asked.references).mean())


class Tight:
    """Batches without the columns that are pads in every row.

    `PairSource` buckets and pads by eights. The wide buckets are wanted, since they mix a few rows well; on rows of
    9 tokens the pads would cost a third of the time.
    """

    def __init__(self, source: PairSource) -> None:
        self._source = source

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        batch = next(self._source)
        s, t = int(batch.attention_mask.sum(1).max()), int((batch.labels != IGNORE).sum(1).max())
        return Batch(batch.input_ids[:, :s], batch.attention_mask[:, :s], batch.labels[:, :t])

    def state_dict(self) -> dict[str, Any]:
        """As `PairSource`."""
        return self._source.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `PairSource`."""
        self._source.load_state_dict(state)


def fit(
    model: LoadedModel | Learner, rows: CellRows, config: Settled, rate: float, steps: int, **hooks: Any
) -> None:
    """Train in place for `steps` updates at a constant rate; equal inputs give equal weights."""
    learner = Learner.of(model)
    loaded = learner.loaded
    source = _source(rows, config, loaded.adapter.pad_id)
    settings = TrainConfig(
        steps=steps,
        optimizer=config.optimizer,
        rate=rate,
        schedule="constant",
        precision=config.precision,
        device=loaded.model.device.type,
        dropout=config.dropout,
        seed=config.seed,
        watch=RUNGS_LEFT,
        patience=1 if hooks else None,
    )
    with learner.products(config.precision), learner.training():
        train(learner.module, source, settings, **({"loss": learner.loss} | hooks))


def _source(rows: CellRows, config: Settled, pad_id: int) -> BatchSource:
    """Batches of one task; of several a batch of each at every step."""
    pairs = [(item.source_ids, item.target_ids) for item in rows.train]
    sources, start = [], 0
    for count in rows.parts or (len(pairs),):
        part = pairs[start : start + count]
        sources.append(Tight(PairSource(part, pad_id=pad_id, seed=config.seed, rows=config.batch_rows)))
        start += count
    return sources[0] if len(sources) == 1 else EachTask(sources, pad_id)


def climb(
    learner: Learner,
    rows: CellRows,
    config: Settled,
    rate: float,
    untuned: SweepPoint | None,
    measured: Callable[[SweepPoint], None],
) -> RateRun:
    """Train at one rate from the weights as they are, measuring dev at each rung of the ladder.

    The run ends early when at two rungs in a row both criteria are worse than the best of the rungs before, or
    when the loss is no longer a number.

    Args:
        untuned: the point of the untuned model, the first rung of every rate.
        measured: called with every point while the model holds its weights.
    """
    dev, started = Dev(learner, rows, config), time.perf_counter()
    rungs = [steps for steps in config.ladder if steps]
    points = [untuned] if untuned else []
    worse = 0
    because: Because = "ladder"

    def evaluate(model: Any, step: int) -> dict[str, float]:
        nonlocal worse, because
        nats, metric = dev()
        if not math.isfinite(nats):
            raise TrainingError(f"the likelihood of the dev answers is {nats} after {step} steps")
        is_worse = (
            bool(points)
            and nats > min(point.nats_per_byte for point in points)
            and metric < max(point.metric for point in points)
        )
        worse = worse + 1 if is_worse else 0
        points.append(SweepPoint(rate, step, nats, metric, time.perf_counter() - started))
        measured(points[-1])
        if worse >= PATIENCE and step != rungs[-1]:
            because = "worse"
            return {RUNGS_LEFT: math.inf}
        # The training goes on as long as the watched value falls, so it falls with every rung.
        return {RUNGS_LEFT: -float(step)}

    try:
        fit(learner, rows, config, rate, rungs[-1], evaluate=evaluate, at_steps=rungs)
    except TrainingError as error:
        return RateRun(rate, points[-1].steps if points else 0, "diverged", error.message)
    return RateRun(rate, points[-1].steps, because)
