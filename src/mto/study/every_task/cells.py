"""One cell of the study: a family on one task and seed, either its sweep on dev, or what it says before or after tuning."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mto.errors import DataError
from mto.evaluate.choices import score_options
from mto.evaluate.generate import generate
from mto.evaluate.likelihood import likelihood
from mto.evaluate.scores import score
from mto.families import LoadedModel
from mto.study.every_task.config import EveryTaskConfig
from mto.study.every_task.results import Arm, pack
from mto.tasks import Row, Split, Task, draw_split
from mto.templates import Encoded
from mto.tune import PromptOptions, TuneConfig, run_cell
from mto.tune.cell import OPTIONED, cell_template, learners, settle
from mto.tune.config import Settled
from mto.tune.ladder import Dev, fit
from mto.tune.optioned import read_all
from mto.tune.rows import CellRows, encode_cell
from mto.tune.weights import Weights

RIGHT_OR_WRONG = ("rank_sum", "accuracy")
"""Ranked, and of what was written."""
WRITTEN = ("rouge_l", "bleu", "chrf")


def first_metric(task: Task) -> str:
    """The metric by which settings are chosen and families compared."""
    return RIGHT_OR_WRONG[0] if task.kind in OPTIONED else WRITTEN[0]


def split_of(config: EveryTaskConfig, task: Task, name: str, seed: int) -> Split:
    """The rows of one seed; all seeds have the same test items."""
    return draw_split(task, shots=config.shots_for(name), seed=seed, max_test=config.max_test)


def sweep_cell(config: EveryTaskConfig, loaded: LoadedModel, task: Task, arm: Arm) -> dict[str, Any]:
    """What `Swept` keeps; no test row is read."""
    split = replace(split_of(config, task, arm.task, config.sweep_seed), test=())
    soft = arm.method == "prompt"
    tuning = _tuning(
        config, task, arm, config.soft_rates if soft else config.rates, config.soft_ladder if soft else config.ladder
    )  # fmt: skip
    result = run_cell(loaded, task, split, arm.family, tuning, with_zero_shot=False)
    if result.sweep is None:
        raise DataError(f"{task.name}: no labelled rows, so nothing can be chosen", hint="give some shots")
    chosen = result.sweep.chosen
    return {
        "points": [[p.rate, p.steps, p.nats_per_byte, p.metric] for p in result.sweep.points],
        "rate": chosen.rate,
        "steps": chosen.steps,
        "seconds": result.seconds,
    }


def untuned_cell(
    config: EveryTaskConfig, loaded: LoadedModel, task: Task, name: str, family: str
) -> dict[str, Any]:
    """What a checkpoint says before tuning: what `Measured` keeps. Answers have the room that the sweep's rows give them."""
    split = split_of(config, task, name, config.sweep_seed)
    arm = Arm(model=loaded.ref, method="finetune", family=family, task=name)
    opened = _Opened(loaded, task, split, arm, _tuning(config, task, arm, None, (0,)))
    return opened.measure()


def tuned_cell(
    config: EveryTaskConfig, loaded: LoadedModel, task: Task, arm: Arm, rate: float, steps: int, seed: int
) -> dict[str, Any]:
    """Tune with what was chosen, and measure: what `Tuned` keeps of it besides where it stands."""
    began = time.perf_counter()
    split = split_of(config, task, arm.task, seed)
    opened = _Opened(
        loaded, task, split, arm, _tuning(config, task, arm, (rate,) if rate else None, (steps,))
    )  # fmt: skip
    learner = opened.learner
    before = opened.dev_bits() if learner.prompt is None else None
    start = Weights(learner.weights)
    try:
        if steps:
            fit(learner, opened.rows, opened.settled, rate, steps)
        nats, metric = Dev(learner, opened.rows, opened.settled)()
        measured = opened.measure()
    finally:
        start.restore()
    return {
        **measured,
        "dev_bits_before": before,
        "dev_bits": nats / math.log(2),
        "dev_metric": metric,
        "seconds": time.perf_counter() - began,
    }


class _Opened:
    """A cell's rows as ids, and what they are read by."""

    def __init__(self, loaded: LoadedModel, task: Task, split: Split, arm: Arm, tuning: TuneConfig) -> None:
        self.settled: Settled = settle(loaded, tuning, task)
        template = cell_template(loaded, task, arm.family, None, self.settled.method)
        self.learner, template = next(learners(loaded, template, task, split, self.settled, None))
        read = (self.learner, template)
        self.rows: CellRows = encode_cell(*read, split, self.settled, test=split.test, form=task.form)
        self.metrics = RIGHT_OR_WRONG if task.kind in OPTIONED else WRITTEN
        self.right: Sequence[Encoded] = ()
        if task.kind not in OPTIONED:
            # The first reference of each item as what is to be written; encoded as dev rows are.
            rows = tuple(Row(e.id, e.fields, e.targets[0], e.targets[:1], e.where) for e in split.test)
            asked = replace(split, train=(), dev=rows, test=())
            self.right = encode_cell(*read, asked, self.settled, test=(), form=task.form).dev_pairs

    def dev_bits(self) -> float:
        """Bits a byte of the right dev answers, as the model is now."""
        with self.learner.measuring():
            found = likelihood(
                self.learner.loaded, self.rows.dev_pairs, include_eos=False, precision=self.settled.precision
            )
        return found.total_bits_per_byte()

    def measure(self) -> dict[str, Any]:
        """The test items, as the model is now."""
        began = time.perf_counter()
        loaded, asked, precision = self.learner.loaded, self.rows.test, self.settled.precision
        with self.learner.measuring():
            answers = generate(
                loaded, asked.questions, max_new_tokens=self.rows.max_new_tokens, precision=precision
            )
            if asked.options:
                # No metric here compares with the options' likelihood alone, which would double the work.
                nats = score_options(loaded, asked.options, calibrate=False, precision=precision)
                options = read_all(asked.options, answers, nats)
            else:
                right = likelihood(loaded, self.right, include_eos=False, precision=precision).bits_per_byte
                options = None
        scores = score(asked.heads, answers, asked.references, self.metrics, options)
        found: dict[str, Any] = {"measures": {**scores.measures(), "empty": 100 * float(scores.empty.mean())}}
        if options is None:
            found |= {"scores": scores.values[WRITTEN[0]].tolist(), "bits": _hundredths(right)}
        else:
            of_right = [
                (n.byte[r], n.probabilities()[r]) for n, r in zip(options.nats, options.right, strict=True)
            ]
            found |= {
                "scores": pack(scores.values["rank_sum"]),
                "written": pack(scores.values["accuracy"]),
                "bits": _hundredths([nats / math.log(2) for nats, _ in of_right]),
                # A probability that is 0 in floating point counts as the least one that is not.
                "doubt": _hundredths([-math.log2(max(p, np.finfo(float).tiny)) for _, p in of_right]),
            }
        return {**found, "seconds": time.perf_counter() - began}


def _tuning(
    config: EveryTaskConfig, task: Task, arm: Arm, rates: Sequence[float] | None, ladder: Sequence[int]
) -> TuneConfig:
    prompt = PromptOptions(vectors=(config.vectors,), encoders=(config.encoder,))
    return TuneConfig(
        method=arm.method,
        prompt=prompt if arm.method == "prompt" else None,
        rates=None if rates is None else tuple(rates),
        ladder=tuple(ladder),
        extend=False,
        metric=first_metric(task),
        precision=config.precision,
    )


def _hundredths(bits: Sequence[float] | np.ndarray) -> list[int]:
    return [max(0, round(100 * float(value))) for value in bits]
