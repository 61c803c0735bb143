"""The search with scripted dev values in place of training."""

from __future__ import annotations

import math
from typing import Any

import pytest

from mto.errors import TrainingError
from mto.tasks import Split, Task
from mto.tune import SweepPoint, TuneCallback, TuneConfig, TuneStatus, run_cell
from mto.tune import ladder as ladder_module
from mto.tune import search as search_module
from mto.tune.sweep import RateRun

GRID = TuneConfig(rates=(1e-4, 3e-4, 1e-3), ladder=(0, 5, 20, 60), select="likelihood", max_new_tokens=6)


class Heard(TuneCallback):
    def __init__(self) -> None:
        self.rungs: list[TuneStatus] = []
        self.extended: list[float] = []
        self.chosen: SweepPoint | None = None

    def on_rung(self, status: TuneStatus, point: SweepPoint) -> None:
        self.rungs.append(status)

    def on_extend(self, status: TuneStatus, rate: float) -> None:
        self.extended.append(rate)

    def on_end(self, status: TuneStatus, chosen: SweepPoint) -> None:
        self.chosen = chosen


@pytest.fixture
def script(monkeypatch):
    """Let each rate's dev values come from a function of (rate, steps); the model is not trained."""

    def write(values) -> None:
        monkeypatch.setattr(ladder_module.Dev, "__call__", lambda self: values(0.0, 0))

        def climb(loaded, rows, config, rate, untuned, measured) -> RateRun:
            for steps in config.ladder[1:]:
                measured(SweepPoint(rate, steps, *values(rate, steps)))
            return RateRun(rate, config.ladder[-1], "ladder")

        monkeypatch.setattr(search_module, "climb", climb)
        monkeypatch.setattr("mto.tune.cell.fit", lambda *args: None)

    return write


@pytest.mark.parametrize(
    ("best", "added"),
    [(3e-4, ()), (1e-3, (3.3e-3,)), (3.3e-3, (3.3e-3, 0.011)), (1.0, (3.3e-3, 0.011)), (1e-4, (3.3e-5,)), (1e-9, (3.3e-5, 1.1e-5))],
)  # fmt: skip
def test_a_best_rate_at_the_edge_extends_the_grid_twice_at_most(
    best: float, added: tuple[float, ...], script, tiny_bart, task: Task, split: Split
) -> None:
    script(lambda rate, steps: (99.0 if not steps else abs(math.log(rate / best)), 10.0))
    heard = Heard()
    sweep = run_cell(tiny_bart, task, split, "prompting", GRID, progress=heard).sweep
    assert sweep is not None
    assert sweep.extended == added == tuple(heard.extended)
    assert sweep.rates == tuple(sorted((*GRID.rates, *added)))
    assert sweep.chosen.rate == min(sweep.rates, key=lambda rate: abs(math.log(rate / best)))
    last = heard.rungs[-1]
    assert (last.rungs, last.of_rungs) == (1 + 3 * len(sweep.rates),) * 2
    assert last.steps == last.of_steps == 60 * len(sweep.rates)
    assert heard.chosen is sweep.chosen
    not_extended = run_cell(
        tiny_bart, task, split, "prompting", GRID.model_copy(update={"extend": False})
    ).sweep
    assert not_extended is not None and not_extended.rates == GRID.rates


def test_no_tuning_can_be_the_choice_and_extends_nothing(script, tiny_bart, task, split) -> None:
    script(lambda rate, steps: (1.0 + rate * steps, 10.0))
    result = run_cell(tiny_bart, task, split, "prompting", GRID)
    assert result.sweep is not None and result.test is not None and result.zero_shot is not None
    assert result.sweep.chosen == SweepPoint(0.0, 0, 1.0, 10.0)
    assert result.sweep.extended == ()
    assert result.sweep.reason.startswith("no tuning: the best likelihood of 10 points")
    assert result.test.predictions == result.zero_shot.predictions


@pytest.mark.parametrize(
    ("values", "steps", "because"),
    [
        ([(1.0, 9), (1.1, 8), (1.2, 7), (0.1, 99)], 2, "worse"),
        ([(1.0, 9), (1.1, 8), (1.2, 9), (1.3, 8)], 3, "ladder"),  # the metric came back
        ([(1.0, 9), (0.9, 8), (1.2, 7), (1.3, 8)], 3, "ladder"),  # too late to save a step
        ([(1.0, 9), (math.nan, 8)], 0, "diverged"),
    ],
)
def test_a_rate_ends_early_when_both_criteria_fell_twice(
    values, steps: int, because: str, monkeypatch, tiny_bart, task, split
) -> None:
    script = iter(values)
    monkeypatch.setattr(ladder_module.Dev, "__call__", lambda self: next(script))
    config = TuneConfig(rates=(1e-4,), ladder=(0, 1, 2, 3), batch_rows=4, max_new_tokens=6)
    if because == "diverged":
        with pytest.raises(TrainingError, match="diverges at every rate: the likelihood"):
            run_cell(tiny_bart, task, split, "prompting", config)
        return
    result = run_cell(tiny_bart, task, split, "prompting", config)
    assert result.sweep is not None
    assert [(run.steps, run.because) for run in result.sweep.runs] == [(steps, because)]
    assert [(p.nats_per_byte, p.metric) for p in result.sweep.points] == values[: len(result.sweep.points)]


def test_one_diverging_rate_is_recorded_and_the_others_count(monkeypatch, tiny_bart, task, split) -> None:
    real: Any = ladder_module.train

    def train(model, source, settings, **hooks):
        if settings.rate > 1e-3:
            raise TrainingError("the loss is nan in step 1")
        return real(model, source, settings, **hooks)

    monkeypatch.setattr(ladder_module, "train", train)
    config = TuneConfig(rates=(1e-3, 1e-2), ladder=(2,), max_new_tokens=6)
    sweep = run_cell(tiny_bart, task, split, "prompting", config).sweep
    assert sweep is not None and sweep.chosen.steps == 2
    assert RateRun(1e-2, 0, "diverged") in sweep.runs
    assert next(run.message for run in sweep.runs if run.rate == 1e-2) == "the loss is nan in step 1"
    assert {point.rate for point in sweep.points} == {1e-3, 1e-4}
