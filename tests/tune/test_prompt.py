"""Tuning a soft prompt: from a task to a folder of some kilobytes and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mto.errors import ConfigError, DataError, RunError, TemplateError, UnknownNameError
from mto.evaluate.scores import DEFAULT_METRICS
from mto.tasks import Split, Task
from mto.tune import PromptOptions, TuneConfig, TunedPrompt, load_tuned, predict_together, run_cell, tune
from mto.tune.learner import phrase_words
from tests.tune.conftest import SMALL

SOFT = SMALL.model_copy(
    update={
        "method": "prompt",
        "prompt": PromptOptions(vectors=(3,)),
        "ladder": (4,),
        "rates": (0.3,),
    }
)


def options(**changes: Any) -> TuneConfig:
    return SOFT.model_copy(update={"prompt": PromptOptions(**{"vectors": (3,), **changes})})


def weights(loaded: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}


def test_the_checkpoint_keeps_every_bit_and_the_prompt_comes_back(
    tiny_bart: Any, tiny_t5: Any, task: Task, tmp_path: Path
) -> None:
    before, table = weights(tiny_bart), tiny_bart.model.get_encoder().embed_tokens
    tuned = tune(tiny_bart, task, shots=5, seed=1, config=SOFT)
    assert isinstance(tuned, TunedPrompt) and tuned.loaded is tiny_bart
    assert (tuned.family.name, tuned.steps, tuned.prompt.numbers_of_vectors) == (
        "masked-post-pt",
        4,
        {"#1": 3},
    )
    after = weights(tiny_bart)
    assert before.keys() == after.keys() and all(torch.equal(before[n], after[n]) for n in before)
    assert tiny_bart.model.get_encoder().embed_tokens is table
    assert all(p.requires_grad for p in tiny_bart.model.parameters()) and not tiny_bart.model.training
    rows = ["hammer", "the big dog", "bread"]
    tuned.save(tmp_path / "own")
    assert sorted(p.name for p in (tmp_path / "own").iterdir()) == [
        "prompt.json", "prompt.safetensors", "tuned.json",
    ]  # fmt: skip
    again = load_tuned(tmp_path / "own", base=tiny_bart)
    assert isinstance(again, TunedPrompt) and again.predict(rows) == tuned.predict(rows)
    assert torch.equal(again.vectors["#1"], tuned.vectors["#1"])
    with pytest.raises(RunError, match="not on 'tiny-t5'"):
        load_tuned(tmp_path / "own", base=tiny_t5)
    start = tune(tiny_bart, task, shots=5, seed=1, config=options(start=str(tmp_path / "own")))
    assert isinstance(start, TunedPrompt) and not torch.equal(start.vectors["#1"], tuned.vectors["#1"])


def test_vectors_and_encoders_are_tried_one_by_one_and_dev_chooses(
    tiny_t5: Any, task: Task, split: Split
) -> None:
    config = options(vectors=(2, 4), encoders=("embedding", "residual-mlp"))
    result = run_cell(tiny_t5, task, split, "pt", config, keep_weights=True)
    assert [(t.encoder, t.vectors) for t in result.tried] == [
        ("embedding", 2), ("residual-mlp", 2), ("embedding", 4), ("residual-mlp", 4),
    ]  # fmt: skip
    assert result.prompt in result.tried and result.prompt.chosen == result.sweep.chosen  # type: ignore[union-attr]
    assert result.test is not None and set(result.test.values) == set(DEFAULT_METRICS)
    tuned = tune(tiny_t5, task, family="pt", split=split, config=config)
    assert isinstance(tuned, TunedPrompt)
    assert (tuned.prompt.encoder, sum(tuned.prompt.numbers_of_vectors.values())) == (
        result.prompt.encoder, result.prompt.vectors,
    )  # fmt: skip
    # The tuned prompt is the one whose cell was scored.
    answers = [answer.text for answer in tuned.predict(list(split.test))]
    assert answers == list(result.test.predictions)


@pytest.mark.parametrize("init", ["random", "phrase", "answers"])
def test_vectors_begin_as_asked(init: str, tiny_t5: Any, task: Task) -> None:
    tuned = tune(tiny_t5, task, shots=5, seed=1, config=options(init=init))
    assert isinstance(tuned, TunedPrompt)
    assert phrase_words(task.phrases[0], task) == "The is used for"


def test_one_file_is_scored_by_folds(tiny_bart: Any, one_file: Task) -> None:
    config = SOFT.model_copy(update={"ladder": (0, 2)})
    tuned = tune(tiny_bart, one_file, config=config, family="post-pt")
    assert isinstance(tuned, TunedPrompt) and tuned.cross is not None and len(tuned.cross.folds) == 5


def test_what_cannot_be_is_said(tiny_t5: Any, task: Task, split: Split, one_file: Task) -> None:
    with pytest.raises(TemplateError, match="'prompting' holds no soft prompt"):
        run_cell(tiny_t5, task, split, "prompting", SOFT)
    with pytest.raises(TemplateError, match="method 'prompt'"):
        run_cell(tiny_t5, task, split, "pt", SMALL)
    with pytest.raises(DataError, match="before it is trained"):
        tune(tiny_t5, task, shots=0, config=SOFT)
    with pytest.raises(UnknownNameError, match="residual-mlp"):
        tune(tiny_t5, task, shots=5, config=options(encoders=("resid-mlp",)))
    with pytest.raises(RunError, match="no soft prompt"):
        tune(tiny_t5, task, shots=5, config=options(start="nowhere"))
    with pytest.raises(ConfigError, match="no phrase"):
        phrase_words(None, task)
    several = options(vectors=(2, 3))
    with pytest.raises(ConfigError, match="no dev rows"):
        tune(tiny_t5, one_file, config=several)


@pytest.mark.parametrize("beams", [1, 2])
def test_tasks_that_are_answered_together_get_the_answers_of_each_alone(
    beams: int, tiny_bart: Any, tiny_t5: Any, task: Task
) -> None:
    families = {"masked-post-pt": 3, "pre-pt": 7, "pt": 5}
    tuned = []
    for place, (family, room) in enumerate(families.items()):
        config = options(vectors=(2 + place,)).model_copy(update={"max_new_tokens": room, "beams": beams})
        tuned.append(tune(tiny_bart, task, family=family, shots=5, seed=1, config=config))
    heads = ["hammer", "the big dog", "bread"]
    asked = [(one, head) for head in heads for one in tuned]
    alone = {id(one): dict(zip(heads, one.predict(heads), strict=True)) for one in tuned}
    assert predict_together(asked) == [alone[id(one)][head] for one, head in asked]
    assert predict_together([]) == []
    other = tune(tiny_t5, task, shots=5, seed=1, config=SOFT)
    with pytest.raises(DataError, match="different checkpoints"):
        predict_together([(tuned[0], "hammer"), (other, "hammer")])
