from __future__ import annotations

from typing import Any

import pytest
import torch

from mto.errors import DataError
from mto.tasks import Task, draw_split, folds
from mto.tune import cross as cross_module
from mto.tune import cross_validate
from tests.tune.conftest import SMALL

CONFIG = SMALL.model_copy(update={"extend": False})


def test_every_head_is_answered_once_by_a_model_that_never_saw_it(
    monkeypatch, tiny_bart, one_file: Task
) -> None:
    split = draw_split(one_file, shots=None, seed=1)
    learned: list[set[str]] = []
    real = cross_module.run_cell

    def spy(loaded: Any, task: Any, part: Any, *args: Any, **kwargs: Any) -> Any:
        learned.append({row.id for row in part.train})
        assert not learned[-1] & {example.id for example in part.test}
        assert part.dev == ()
        return real(loaded, task, part, *args, **kwargs)

    monkeypatch.setattr(cross_module, "run_cell", spy)
    before = {name: tensor.clone() for name, tensor in tiny_bart.model.state_dict().items()}
    result = cross_validate(tiny_bart, one_file, split, "prompting", CONFIG, k=3, keep_weights=True)
    assert len(result.folds) == len(learned) == 3
    assert result.test.heads == tuple(dict.fromkeys(row.head for row in split.train))
    assert result.zero_shot is not None and result.zero_shot.heads == result.test.heads
    for part, cell in zip(folds(split, 3), result.folds, strict=True):
        assert cell.test is not None
        for example, prediction in zip(part.test, cell.test.predictions, strict=True):
            place = result.test.heads.index(example.head)
            assert result.test.predictions[place] == prediction
            assert result.test.references[place] == example.targets
    for name, tensor in tiny_bart.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert result.weights is not None


def test_the_final_settings_are_best_over_all_folds_together(tiny_bart, one_file: Task) -> None:
    split = draw_split(one_file, shots=None, seed=1)
    config = CONFIG.model_copy(update={"select": "likelihood"})
    result = cross_validate(tiny_bart, one_file, split, "prompting", config, k=2, with_zero_shot=False)
    assert result.zero_shot is None and result.weights is None
    means: dict[tuple[float, int], list[float]] = {}
    for cell in result.folds:
        assert cell.sweep is not None
        for point in cell.sweep.points:
            means.setdefault((point.rate, point.steps), []).append(point.nats_per_byte)
    shared = {key: sum(values) / 2 for key, values in means.items() if len(values) == 2}
    assert (result.chosen.rate, result.chosen.steps) == min(shared, key=shared.__getitem__)
    assert result.chosen.nats_per_byte == pytest.approx(min(shared.values()))


def test_two_heads_are_too_few(tiny_bart, one_file: Task) -> None:
    split = draw_split(one_file, shots=2, seed=1)
    with pytest.raises(DataError, match="2 labelled heads are too few"):
        cross_validate(tiny_bart, one_file, split, "prompting", CONFIG)
