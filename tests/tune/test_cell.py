from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mto.errors import DataError, TemplateError, UnknownNameError
from mto.tasks import Split, Task, draw_split
from mto.train import PairSource
from mto.tune import CellResult, TuneConfig, run_cell, zero_shot
from mto.tune import search as search_module
from mto.tune.cell import inner_split
from mto.tune.ladder import Tight
from tests.tune.conftest import SMALL


def tensors(loaded: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}


def numbers(result: CellResult) -> tuple[Any, ...]:
    assert result.test is not None
    return (
        result.sweep,
        result.test.predictions,
        {name: values.tolist() for name, values in result.test.values.items()},
    )


@pytest.mark.parametrize("family", ["mapping", "masked-prompting"])
def test_a_cell_is_swept_scored_and_leaves_the_model_as_it_was(
    family: str, tiny, task: Task, split: Split
) -> None:
    before = tensors(tiny)
    result = run_cell(tiny, task, split, family, SMALL, keep_weights=True)
    assert result.sweep is not None and result.test is not None and result.weights is not None
    measured = [(point.rate, point.steps) for point in result.sweep.points]
    assert measured[0] == (0.0, 0) and measured.count((0.0, 0)) == 1
    assert {(1e-3, 2), (1e-3, 4), (1e-2, 2)} <= set(measured)
    assert result.test.heads == tuple(example.head for example in split.test)
    assert result.dev == {
        "nats_per_byte": result.sweep.chosen.nats_per_byte,
        "rouge_l": result.sweep.chosen.metric,
    }
    for name, tensor in tiny.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert not tiny.model.training
    assert all(p.grad is None for p in tiny.model.parameters())
    if result.sweep.chosen.steps:
        assert any(not torch.equal(tensor, before[name]) for name, tensor in result.weights.items())


def test_twice_in_one_process_gives_the_same_numbers(tiny_bart, task, split) -> None:
    config = SMALL.model_copy(update={"dropout": 0.1})
    first = run_cell(tiny_bart, task, split, "prompting", config)
    torch.rand(3)  # the global stream does not matter, and is not touched
    state = torch.get_rng_state()
    again = run_cell(tiny_bart, task, split, "prompting", config)
    assert numbers(first) == numbers(again)
    assert torch.equal(state, torch.get_rng_state())
    other = run_cell(tiny_bart, task, split, "prompting", config.model_copy(update={"seed": 1}))
    assert numbers(other) != numbers(first)


def test_training_again_to_the_chosen_point_gives_the_swept_weights(
    monkeypatch, tiny_bart, task, split
) -> None:
    config = SMALL.model_copy(update={"dropout": 0.1, "rates": (1e-2, 3e-2)})
    kept = run_cell(tiny_bart, task, split, "prompting", config, keep_weights=True)
    monkeypatch.setattr(search_module, "KEEP_BELOW", 0)
    again = run_cell(tiny_bart, task, split, "prompting", config, keep_weights=True)
    assert kept.sweep is not None and kept.sweep.chosen.steps > 0
    assert kept.weights is not None and again.weights is not None
    assert numbers(kept) == numbers(again)
    for name, tensor in kept.weights.items():
        assert torch.equal(tensor, again.weights[name]), name


def test_the_weights_come_back_even_when_something_breaks(monkeypatch, tiny_bart, task, split) -> None:
    before = tensors(tiny_bart)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken")

    config = SMALL.model_copy(update={"ladder": (2, 4)})
    monkeypatch.setattr("mto.tune.cell.score", broken)
    with pytest.raises(RuntimeError, match="broken"):
        run_cell(tiny_bart, task, split, "prompting", config, with_zero_shot=False)
    for name, tensor in tiny_bart.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_nothing_of_the_test_data_reaches_the_tuning(tiny_bart, task, split) -> None:
    config = SMALL.model_copy(update={"max_new_tokens": None})
    result = run_cell(tiny_bart, task, split, "masked-prompting", config)
    longer = tuple(replace(example, targets=("clean " * 40,)) for example in split.test)
    other = run_cell(tiny_bart, task, replace(split, test=longer), "masked-prompting", config)
    assert other.max_new_tokens == result.max_new_tokens
    assert other.sweep == result.sweep
    assert other.test is not None and result.test is not None
    assert other.test.predictions == result.test.predictions
    adapter = tiny_bart.adapter
    longest = max(len(adapter.encode(row.target)) for row in (*split.train, *split.dev))
    assert result.max_new_tokens == longest + 2 + 4  # mask, EOS, and room


def test_zero_shots_tune_nothing(tiny_bart, task) -> None:
    split = draw_split(task, shots=0, seed=1)
    result = run_cell(tiny_bart, task, split, "prompting")
    assert result.sweep is None and result.dev is None and result.weights is None
    assert result.max_new_tokens == 24
    assert result.test is not None and result.test is result.zero_shot
    assert zero_shot(tiny_bart, task, split, "prompting").predictions == result.test.predictions


def test_without_dev_rows_a_quarter_chooses_and_all_rows_train(
    monkeypatch, tiny_bart, one_file: Task
) -> None:
    split = draw_split(one_file, shots=None, seed=1)
    assert split.dev == ()
    inner = inner_split(split)
    dev, train = {row.id for row in inner.dev}, {row.id for row in inner.train}
    assert not dev & train and dev | train == {row.id for row in split.train}
    assert len(dev) == 2  # of 7
    seen: list[int] = []
    real = PairSource.__init__

    def spy(self: Any, pairs: Any, **kwargs: Any) -> None:
        seen.append(len(pairs))
        real(self, pairs, **kwargs)

    monkeypatch.setattr(PairSource, "__init__", spy)
    config = SMALL.model_copy(update={"ladder": (2,), "extend": False})
    result = run_cell(tiny_bart, one_file, split, "prompting", config, keep_weights=True)
    assert result.dev_rows == 2 and result.test is None
    assert seen == [len(inner.train)] * 2 + [len(split.train)]


def test_what_cannot_work_is_refused(tiny_bart, task, split) -> None:
    with pytest.raises(DataError, match="1 labelled head and no dev rows"):
        run_cell(tiny_bart, task, replace(split, train=split.train[:1], dev=()), "prompting", SMALL)
    with pytest.raises(UnknownNameError, match="did you mean 'prompting'"):
        run_cell(tiny_bart, task, split, "promting", SMALL)
    with pytest.raises(UnknownNameError, match="metric"):
        run_cell(tiny_bart, task, split, "prompting", TuneConfig(metric="rouge"))
    with pytest.raises(TemplateError, match="needs a phrase"):
        run_cell(tiny_bart, replace(task, phrases=()), split, "prompting", SMALL)
    with pytest.raises(DataError, match="no test heads"):
        zero_shot(tiny_bart, task, replace(split, test=()), "prompting")


def test_tight_batches_lose_common_pads_and_nothing_else() -> None:
    pairs = [((5, 6, 7, 1), (8, 9, 1)), ((5, 1), (10, 1)), ((5, 6, 1), (1,))]
    wide, tight = (PairSource(pairs, pad_id=0, seed=3, rows=2) for _ in range(2))
    narrow = Tight(tight)
    for _ in range(6):
        a, b = next(wide), next(narrow)
        assert (a.source_tokens, a.target_tokens) == (b.source_tokens, b.target_tokens)
        assert bool(b.attention_mask[:, -1].any()) and bool((b.labels[:, -1] != -100).any())
        assert torch.equal(a.input_ids[:, : b.input_ids.shape[1]], b.input_ids)
    state = narrow.state_dict()
    narrow.load_state_dict(state)
    assert narrow.state_dict() == wide.state_dict()


def test_likelihood_is_over_answer_bytes_alone(tiny_bart, task, split) -> None:
    """A random model gives every token about the same: so do mask and no mask, as sentinels and EOS are left out."""
    config = TuneConfig(rates=(1e-3,), ladder=(0,), max_new_tokens=6)
    values = {
        family: run_cell(tiny_bart, task, split, family, config).sweep
        for family in ("prompting", "masked-prompting")
    }
    nats = [sweep.chosen.nats_per_byte for sweep in values.values() if sweep is not None]
    pieces = [tiny_bart.adapter.encode(answer) for row in split.dev for answer in row.references]
    tokens = sum(map(len, pieces))
    letters = sum(len(tiny_bart.adapter.decode(ids).encode()) for ids in pieces)
    np.testing.assert_allclose(nats, tokens * np.log(tiny_bart.adapter.vocab_rows) / letters, rtol=0.1)
