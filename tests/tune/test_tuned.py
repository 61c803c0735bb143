from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import mto.tune
from mto.errors import ConfigError, DataError, RunError
from mto.tasks import Task
from mto.tune import TunedModel, load_tuned, tune
from tests.tune.conftest import SMALL

# No rung 0: something is always learned.
HARD = SMALL.model_copy(update={"ladder": (4,), "rates": (1e-2,)})


@pytest.fixture
def tuned(tiny_bart, task: Task) -> TunedModel:
    return tune(tiny_bart, task, shots=5, seed=1, config=HARD)


def test_the_given_checkpoint_is_left_alone_and_the_tuned_one_is_another(tiny_bart, task: Task) -> None:
    before = {name: tensor.clone() for name, tensor in tiny_bart.model.state_dict().items()}
    tuned = mto.tune(tiny_bart, task, shots=5, seed=1, config=HARD)  # the room can be called
    assert (tuned.rate, tuned.steps, tuned.shots) == (1e-2, 4, 5)
    assert tuned.family.name == "masked-prompting"
    assert tuned.base_revision == tiny_bart.revision != tuned.loaded.revision
    for name, tensor in tiny_bart.model.state_dict().items():
        assert torch.equal(tensor, before[name])
    changed = tuned.loaded.model.state_dict()
    assert any(not torch.equal(changed[name], before[name]) for name in before)


def test_save_and_load_give_the_same_answers(tuned: TunedModel, tmp_path: Path) -> None:
    rows = ["hammer", "the big dog", "bread"]
    tuned.save(tmp_path / "own", dtype="float32")
    loaded = TunedModel.load(tmp_path / "own")
    assert loaded.predict(rows) == tuned.predict(rows)
    for name in ("task", "relation", "family", "phrase", "fields", "max_source", "max_new_tokens", "beams",
                 "base_ref", "base_revision", "rate", "steps", "shots", "sweep", "scores"):  # fmt: skip
        assert getattr(loaded, name) == getattr(tuned, name), name
    tuned.save(tmp_path / "own")  # bf16, over the old one
    assert len(load_tuned(tmp_path / "own").predict(rows)) == 3
    assert sorted(p.name for p in (tmp_path / "own").iterdir()) == ["model", "tuned.json"]


def test_rows_may_come_in_any_form(tuned: TunedModel, task: Task) -> None:
    example = task.test[0]
    answers = tuned.predict([example, example.head, dict(example.fields), {"head": example.head}])
    assert len(set(answers)) == 1
    assert tuned.predict([]) == []
    with pytest.raises(DataError, match=r"row 2 has no text under 'head' \(found: Head\)"):
        tuned.predict(["bread", {"Head": "bread"}])
    with pytest.raises(DataError, match="one text"):
        tuned.predict("bread")


def test_other_folders_are_not_overwritten_and_broken_ones_are_named(
    tuned: TunedModel, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match=r"other files .notes.txt"):
        tuned.save(tmp_path)
    with pytest.raises(RunError, match="no tuned model"):
        load_tuned(tmp_path)
    (tmp_path / "tuned.json").write_text('{"version": 2}', encoding="utf-8")
    with pytest.raises(ConfigError, match="version"):
        load_tuned(tmp_path)


def test_one_file_is_scored_by_folds_and_all_rows_train(tiny_bart, one_file: Task, tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"ladder": (0, 2), "rates": (1e-2,)})
    tuned = tune(tiny_bart, one_file, config=config, family="prompting")
    assert tuned.cross is not None and tuned.sweep is None
    assert tuned.shots == sum(len(example.targets) for example in one_file.train)
    assert len(tuned.cross.folds) == 5 and len(tuned.cross.test) == 7
    assert tuned.scores == tuned.cross.test.means()
    assert (tuned.rate, tuned.steps) == (tuned.cross.chosen.rate, tuned.cross.chosen.steps)
    tuned.save(tmp_path / "own")
    assert load_tuned(tmp_path / "own").scores == tuned.scores


def test_zero_shots_give_the_checkpoint_itself(tiny_bart, task: Task) -> None:
    tuned = tune(tiny_bart, task, shots=0, family="prompting")
    assert (tuned.steps, tuned.sweep, tuned.shots) == (0, None, 0)
    assert tuned.loaded.revision == tiny_bart.revision
    assert len(tuned.predict(["hammer"])) == 1


def test_a_family_of_ones_own_travels_with_the_model(tiny_bart, task: Task, tmp_path: Path) -> None:
    from mto.templates import TemplateFamily

    own = TemplateFamily("own", source="{{ head }} {{ mask }} .", target="{{ mask }} {{ answer }}")
    tuned = tune(tiny_bart, task, shots=5, config=HARD, family=own)
    assert replace(tuned, phrase=None).phrase is None and tuned.phrase is None
    tuned.save(tmp_path / "own", dtype="float32")
    assert load_tuned(tmp_path / "own").predict(["bread"]) == tuned.predict(["bread"])
