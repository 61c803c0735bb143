"""One cell of the study: one arm on one task and seed, either its sweep on dev or its scores at settings chosen before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mto.families import LoadedModel
from mto.study.prompts.config import PromptStudyConfig
from mto.study.prompts.results import Arm, Settings
from mto.tasks import Split, Task, draw_split
from mto.tune import CellResult, LoraSettings, PromptOptions, TuneConfig, run_cell
from mto.tune.select import mean_ranks
from mto.tune.sweep import SweepPoint


def tune_config(
    config: PromptStudyConfig, arm: Arm, rates: Sequence[float] | None, ladder: Sequence[int]
) -> TuneConfig:
    """How an arm is tuned; `rates` None: the defaults of the checkpoint's kind."""
    prompt = PromptOptions(vectors=(config.vectors,), encoders=(arm.encoder,)) if arm.encoder else None
    return TuneConfig(
        method=arm.method,
        prompt=prompt,
        lora=LoraSettings() if arm.method == "lora" else None,
        rates=None if rates is None else tuple(rates),
        ladder=tuple(ladder),
        extend=False,
        metric=config.metric,
        precision=config.precision,
    )


def sweep_cell(config: PromptStudyConfig, loaded: LoadedModel, task: Task, arm: Arm) -> list[list[float]]:
    """Points ``[rate, steps, nats a byte, metric]`` on the dev data of one task; no test row is read."""
    split = draw_split(task, shots=config.shots, seed=config.sweep_seed, max_test=1)
    soft = arm.method == "prompt"
    tuning = tune_config(
        config, arm, config.rates if soft else None, config.ladder if soft else config.beside_ladder
    )
    result = _run(config, loaded, task, replace(split, test=()), arm, tuning)
    assert result.sweep is not None
    return [[p.rate, p.steps, p.nats_per_byte, p.metric] for p in result.sweep.points if p.steps]


def choose_settings(arm: Arm, tables: Sequence[Sequence[Sequence[float]]]) -> tuple[Settings, float]:
    """The point with the best mean rank by likelihood and metric over all tasks, and its mean nats a byte.

    Only points that every task has are looked at: a training may have ended early on one.
    """
    maps = [{(rate, int(steps)): (nats, metric) for rate, steps, nats, metric in table} for table in tables]
    common = sorted(set.intersection(*(set(found) for found in maps)))
    ranks = [0.0] * len(common)
    for found in maps:
        points = [SweepPoint(*at, *found[at]) for at in common]
        ranks = [a + b for a, b in zip(ranks, mean_ranks(points), strict=True)]
    best = min(range(len(common)), key=ranks.__getitem__)
    rate, steps = common[best]
    nats = sum(found[rate, steps][0] for found in maps) / len(maps)
    return Settings(**arm.model_dump(include=set(Arm.model_fields)), rate=rate, steps=steps), nats


def test_cell(
    config: PromptStudyConfig, loaded: LoadedModel, task: Task, settings: Settings, seed: int, shots: int
) -> dict[str, Any]:
    """Tune at the settings and score on the test heads: what `Scored` keeps of it besides where it stands."""
    split = draw_split(task, shots=shots, seed=seed, max_test=config.max_test)
    tuning = tune_config(config, settings, (settings.rate,), (settings.steps,))
    result = _run(config, loaded, task, split, settings, tuning)
    assert result.test is not None and result.dev is not None
    everything = sum(p.numel() for p in loaded.model.parameters())
    return {
        "scores": result.test.values[config.metric].tolist(),
        "dev_nats": result.dev["nats_per_byte"],
        "dev_metric": result.dev[config.metric],
        "trained": result.trained,
        "kept": result.prompt.kept if result.prompt else result.trained or everything,
        "seconds": result.seconds,
    }


def _run(
    config: PromptStudyConfig, loaded: LoadedModel, task: Task, split: Split, arm: Arm, tuning: TuneConfig
) -> CellResult:
    return run_cell(loaded, task, split, arm.family, tuning, metrics=(config.metric,), with_zero_shot=False)
