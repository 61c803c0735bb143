"""Soft prompts of several tasks trained together: shared vectors are the same numbers, private ones are each task's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mto.errors import ConfigError, DataError, TemplateError
from mto.prompts import Prompted, frozen
from mto.tasks import Task, draw_split
from mto.templates import TemplateFamily
from mto.train import PairSource
from mto.tune import PromptOptions, TuneConfig, load_tuned, predict_together, shared_family, tune_tasks
from mto.tune.config import Settled
from mto.tune.ladder import _source
from mto.tune.learner import Learner, prompt_loss
from mto.tune.mixing import EachTask
from mto.tune.several import _member, _prompt, _rows
from tests.tune.test_prompt import SOFT, options

FAMILY = TemplateFamily(
    "both",
    source='{{ soft(2, name="all") }} {{ head }} {{ soft(3) }} {{ mask }}',
    target="{{ mask }} {{ answer }}",
)


def config(**changes: Any) -> TuneConfig:
    return options(vectors=None).model_copy(update={"ladder": (0, 3), **changes})


@pytest.fixture
def tasks(task: Task) -> list[Task]:
    def shouted(rows: Any) -> Any:
        return tuple(replace(row, targets=("food",)) for row in rows)

    other = replace(task, name="Other", train=shouted(task.train), dev=shouted(task.dev))
    return [task, other]


@pytest.mark.parametrize("encoder", ["embedding", "residual-mlp"])
def test_shared_vectors_are_equal_and_private_ones_differ(
    encoder: str, tiny_t5: Any, tasks: list[Task], tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in tiny_t5.model.state_dict().items()}
    done = tune_tasks(
        tiny_t5, tasks, family=FAMILY, shots=5, seed=1,
        config=config(ladder=(3,), prompt=PromptOptions(encoders=(encoder,))),
    )  # fmt: skip
    assert list(done) == ["Use", "Other"]
    one, other = done.values()
    assert one.prompt.numbers_of_vectors == other.prompt.numbers_of_vectors == {"all": 2, "#1": 3}
    assert torch.equal(one.vectors["all"], other.vectors["all"])
    assert not torch.equal(one.vectors["#1"], other.vectors["#1"])
    assert all(torch.equal(before[name], t) for name, t in tiny_t5.model.state_dict().items())
    again = []
    for name, tuned in done.items():
        assert tuned.loaded is tiny_t5 and tuned.steps == 3
        tuned.save(tmp_path / name)
        again.append(load_tuned(tmp_path / name, base=tiny_t5))
        assert again[-1].predict(["hammer", "bread"]) == tuned.predict(["hammer", "bread"])
    assert torch.equal(again[0].vectors["all"], again[1].vectors["all"])
    asked = [(tuned, head) for head in ("hammer", "bread") for tuned in again]
    alone = [tuned.predict([head])[0] for tuned, head in asked]
    assert predict_together(asked) == alone  # type: ignore[arg-type]


def test_one_step_moves_every_vector_of_every_task(tiny_t5: Any, tasks: list[Task]) -> None:
    settled = config().resolve("t5")
    members = [
        _member(tiny_t5, task, draw_split(task, shots=5, seed=1), FAMILY, PromptOptions()) for task in tasks
    ]
    prompt = _prompt(tiny_t5, members, PromptOptions(encoders=("embedding",)), 0)
    assert prompt.lengths == {"all": 2, "Use/#1": 3, "Other/#1": 3}
    learner = Learner.prompted(tiny_t5, prompt)
    rows = _rows(learner, members, settled)
    batch = next(iter(_source(rows, settled, 0)))
    assert len(batch.input_ids) == 2 * min(settled.batch_rows, 5)
    with frozen(tiny_t5.model):
        prompt_loss(Prompted(tiny_t5.model, prompt), batch).backward()
    for part in prompt.parts:
        grad = part.inner.grad
        assert isinstance(grad, torch.Tensor) and bool((grad.abs().sum(-1) > 0).all())


def test_each_tasks_batches_stand_below_one_another_and_resume() -> None:
    def source() -> EachTask:
        short = PairSource([((5, 1), (6, 1))] * 4, pad_id=0, seed=0, rows=2)
        long = PairSource([((7, 8, 9, 10, 11, 12, 13, 14, 15, 1), (6, 6, 1))] * 4, pad_id=0, seed=0, rows=2)
        return EachTask([short, long], 0)

    one = source()
    batch = next(one)
    assert batch.input_ids.shape == batch.attention_mask.shape and len(batch.labels) == 4
    assert batch.attention_mask.sum(1).tolist() == [2, 2, 10, 10]
    assert (batch.labels != -100).sum(1).tolist() == [2, 2, 3, 3]
    other = source()
    other.load_state_dict(one.state_dict())
    assert torch.equal(next(one).input_ids, next(other).input_ids)


def test_tasks_without_dev_rows_give_up_a_part_and_are_trained_on_all(tiny_bart: Any, one_file: Task) -> None:
    other = replace(one_file, name="Other")
    done = tune_tasks(tiny_bart, [one_file, other], family=shared_family("post-pt", 2), shots=None, config=config(ladder=(2,)))  # fmt: skip
    rows = len(draw_split(one_file, shots=None, seed=0).train)
    assert all(tuned.shots == rows and tuned.sweep is not None for tuned in done.values())
    assert done["Use"].prompt.numbers_of_vectors == {"shared": 2, "#1": 20}


def test_what_cannot_be_is_said(tiny_t5: Any, tasks: list[Task]) -> None:
    def ask(
        which: list[Task] = tasks, family: Any = FAMILY, settings: TuneConfig | Settled = SOFT, **more: Any
    ) -> None:
        tune_tasks(tiny_t5, which, family=family, config=settings, **{"shots": 5, "seed": 1, **more})

    with pytest.raises(TemplateError, match="share nothing"):
        ask(family="post-pt")
    with pytest.raises(DataError, match="shares nothing"):
        ask(tasks[:1])
    with pytest.raises(DataError, match="two tasks are named 'Use'"):
        ask([tasks[0], tasks[0]])
    with pytest.raises(DataError, match="no labelled rows"):
        ask(shots=0)
    with pytest.raises(ConfigError, match="not by 'finetune'"):
        ask(settings=TuneConfig())
    with pytest.raises(ConfigError, match="give one of each"):
        ask(settings=options(encoders=("mlp", "embedding")))
