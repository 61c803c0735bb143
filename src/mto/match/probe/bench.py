"""Measures one arm: untrained on all rows, or trained in one fold. All of it is done by `mto.tune` and `mto.evaluate`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mto.errors import TrainingError
from mto.evaluate.likelihood import likelihood
from mto.evaluate.metrics import metrics
from mto.evaluate.scores import score
from mto.families import LoadedModel
from mto.match.probe.arms import Contestant
from mto.match.probe.checkpoints import Checkpoints
from mto.train import Batch, seq2seq_loss
from mto.train.callbacks import Callback, Progress
from mto.tune.ladder import RUNGS_LEFT, fit
from mto.tune.optioned import answer_all
from mto.tune.products import fast_products
from mto.tune.rows import CellRows

Floats = NDArray[np.float64]
Guard = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Held:
    """Scores of some rows.

    Attributes:
        rows: their numbers.
        bits: float64, bits of each row's targets.
        metric: float64 on 0-100, or None.
        stepping: seconds that the steps of the whole training took, without what it takes besides.
    """

    rows: NDArray[np.int64]
    bits: Floats
    metric: Floats | None
    stepping: float = 0.0


class Bench(Protocol):
    """What a tournament needs to have done."""

    def untrained(self, name: str) -> Held:
        """Zero-shot scores of an arm on all rows."""
        ...

    def trained(self, name: str, fold: int, rate: float, looks: Sequence[int], guard: Guard) -> list[Held]:
        """Scores of the rows that a fold holds out, in one training on the others: after each number of steps of
        `looks` (ascending; the last ends the training).

        `guard` is called before each step but the first and may raise. Raises `TrainingError` when it diverges.
        """
        ...

    def release(self, model: str) -> None:
        """No arm of this checkpoint is left."""
        ...


class RealBench:
    """Trains and scores with real checkpoints.

    Every training begins anew from the checkpoint's weights. To go on from where an arm stopped would need its weights
    and two moments of each (three times the weights) for every arm and fold: 12 times 320 MB for the embedded model.
    With the steps doubling at each rung, beginning anew costs at most as much again for the arm that goes
    furthest, keeps one model in memory, and a result depends on (arm, fold, rate, steps, seed) alone.
    """

    def __init__(
        self, checkpoints: Checkpoints, contestants: dict[str, Contestant], metric: str | None
    ) -> None:
        self._checkpoints, self._contestants = checkpoints, contestants
        self._metric = metrics.get(metric) if metric is not None else None

    def untrained(self, name: str) -> Held:
        """See `Bench`."""
        contestant = self._contestants[name]
        loaded = self._checkpoints.get(contestant.arm.model)
        return self._scores(loaded, contestant, contestant.encoded, None)

    def trained(self, name: str, fold: int, rate: float, looks: Sequence[int], guard: Guard) -> list[Held]:
        """See `Bench`."""
        contestant = self._contestants[name]
        part, watch, held = contestant.part(fold), _Watch(guard), []

        def look(model: Any, step: int) -> dict[str, float]:
            began = time.perf_counter()
            held.append(self._scores(loaded, contestant, part, fold))
            watch.looked += time.perf_counter() - began
            # The training goes on as long as the watched value falls, so it falls with every look.
            return {RUNGS_LEFT: -float(step)}

        with self._checkpoints.borrowed(contestant.arm.model) as loaded:
            fit(
                loaded,
                part,
                contestant.settled,
                rate,
                looks[-1],
                evaluate=look,
                at_steps=looks,
                callbacks=[watch],
                loss=watch.loss,
            )
        return [replace(scores, stepping=watch.seconds) for scores in held]

    def release(self, model: str) -> None:
        """See `Bench`."""
        self._checkpoints.release(model)

    def _scores(self, loaded: LoadedModel, contestant: Contestant, part: CellRows, fold: int | None) -> Held:
        rows, settled = contestant.rows, contestant.settled
        held = np.arange(len(rows.all)) if fold is None else np.flatnonzero(rows.fold == fold)
        owner = rows.owner if fold is None else rows.owner[rows.fold[rows.owner] == fold]
        with fast_products(loaded.model, active=settled.precision == "fp32"):
            scored = likelihood(loaded, part.dev_pairs, include_eos=False, precision=settled.precision)
            bits = np.bincount(owner, weights=scored.nll / math.log(2), minlength=len(rows.all))[held].astype(
                np.float64
            )
            if not np.isfinite(bits).all():
                raise TrainingError("the likelihood of the held-out targets is not a number")
            values = None
            if self._metric is not None:
                answers, options = answer_all(
                    loaded,
                    part.dev.questions,
                    part.dev.options if self._metric.reads != "text" else (),
                    max_new_tokens=part.max_new_tokens,
                    beams=settled.beams,
                    precision=settled.precision,
                )
                dev, name = part.dev, self._metric.name
                values = score(dev.heads, answers, dev.references, (name,), options).values[name]
        return Held(held, bits, values)


class _Watch(Callback):
    """Takes the time of a training without its looks, and asks the guard before every step but the first."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._begun = guard, False
        self._began = self.looked = self.seconds = 0.0

    def on_start(self, step: int, steps: int) -> None:
        self._began = time.perf_counter()

    def on_step(self, progress: Progress) -> None:
        self.seconds = time.perf_counter() - self._began - self.looked

    def loss(self, model: Any, batch: Batch, *, factor: float | None = None) -> Tensor:
        if self._begun:
            self._guard()
        self._begun = True
        return seq2seq_loss(model, batch, factor=factor)
