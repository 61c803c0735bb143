"""The classifier that writes a name: it learns a toy split, and is saved and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mto.errors import ConfigError, DataError, RunError, TemplateError
from mto.match.classifier import (
    Labelled,
    Seq2SeqClassifier,
    Seq2SeqSettings,
    classify,
    leave_one_out,
    train_seq2seq_classifier,
)
from mto.match.classifier.text import name_ids, write_examples
from mto.tasks import Row

THINGS = "hammer nail kitchen knife book library dog cat".split()
SETTINGS = Seq2SeqSettings(steps=60, rate=3e-3)


def relation(name: str, tail: str, *, filling: bool) -> Labelled:
    rows = tuple(
        Row(f"{thing}", {"head": thing, "relation": name}, f"{tail} {thing}", (tail,), "") for thing in THINGS
    )
    return Labelled(
        rows, "mask-filling" if filling else "map-phrasal", f"toy/{name}", "The {{ head }} is used for"
    )


TOY = (
    relation("A", "a big red", filling=True),
    relation("B", "a small red", filling=True),
    relation("E", "the red", filling=True),
    relation("C", "he wants to eat", filling=False),
    relation("D", "he wants to clean", filling=False),
    relation("F", "he wants", filling=False),
)


def test_it_learns_a_toy_split_and_leaves_the_checkpoint_alone(tiny: Any) -> None:
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    trained = train_seq2seq_classifier(tiny, TOY, SETTINGS)
    for one in TOY:
        told = trained.predict(one.rows)
        assert ((told > 0.5) == one.mask_filling).all()
    assert all((tensor == before[name]).all() for name, tensor in tiny.model.state_dict().items())
    assert trained.loaded.revision != trained.base_revision == tiny.revision
    assert "6 relations, 60 steps" in trained.name


def test_equal_inputs_give_equal_classifiers(tiny_t5: Any) -> None:
    settings = Seq2SeqSettings(steps=5, rate=1e-2)
    first, again = (train_seq2seq_classifier(tiny_t5, TOY, settings).loaded.revision for _ in range(2))
    other = train_seq2seq_classifier(tiny_t5, TOY, settings.model_copy(update={"seed": 1})).loaded.revision
    assert first == again != other


def test_a_relation_never_seen(tiny_bart: Any) -> None:
    folds: list[Any] = []
    result = leave_one_out(
        TOY, TOY[:1], lambda rows: train_seq2seq_classifier(tiny_bart, rows, SETTINGS), on_fold=folds.append
    )
    assert "5 relations" in folds[0].classifier
    assert result.examples.value > 0.5  # the other relation of its type shares a word with it


def test_the_phrase_is_read_where_it_was_trained_with(tiny_t5: Any) -> None:
    rows = TOY[0].rows[:2]
    plain = write_examples(rows, tiny_t5.adapter)[0]
    with_phrase = write_examples(rows, tiny_t5.adapter, phrase=TOY[0].phrase)[0]
    assert tiny_t5.adapter.decode(plain.source_ids) == "head: hammer tail: a big red hammer"
    assert "phrase: The hammer is used for tail:" in tiny_t5.adapter.decode(with_phrase.source_ids)
    assert plain.target_ids == name_ids(tiny_t5.adapter)[0]
    trained = train_seq2seq_classifier(tiny_t5, TOY, Seq2SeqSettings(steps=2, with_phrase=True))
    one, other = trained.predict(rows, phrase=TOY[0].phrase), trained.predict(rows, phrase="{{ head }} can")
    assert not np.array_equal(one, other)
    blind = train_seq2seq_classifier(tiny_t5, TOY, Seq2SeqSettings(steps=2))
    np.testing.assert_array_equal(blind.predict(rows), blind.predict(rows, phrase="{{ head }} can"))


def test_it_is_saved_and_read_back(tiny: Any, tmp_path: Path) -> None:
    trained = train_seq2seq_classifier(tiny, TOY, SETTINGS.model_copy(update={"steps": 3}))
    trained.save(tmp_path / "classifier", dtype="float32")
    again = Seq2SeqClassifier.load(tmp_path / "classifier")
    np.testing.assert_allclose(again.predict(TOY[0].rows), trained.predict(TOY[0].rows), atol=1e-5)
    assert (again.name, again.relations, again.settings) == (
        trained.name,
        trained.relations,
        trained.settings,
    )
    trained.save(tmp_path / "classifier")  # over itself
    (tmp_path / "classifier" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"notes\.txt"):
        trained.save(tmp_path / "classifier")
    with pytest.raises(RunError, match="no task classifier"):
        Seq2SeqClassifier.load(tmp_path)
    (tmp_path / "classifier" / "classifier.json").write_text('{"version": 2}')
    with pytest.raises(ConfigError, match="version"):
        Seq2SeqClassifier.load(tmp_path / "classifier")


def test_a_task_is_classified(tiny_bart: Any) -> None:
    trained = train_seq2seq_classifier(tiny_bart, TOY, SETTINGS)
    told = classify(TOY[3].rows, classifier=trained)
    assert told.lean.towards == "map-phrasal"
    assert told.classifier == trained.name
    with pytest.raises(DataError, match="trained on rows of 'C'"):
        classify(TOY[3].rows, classifier=trained, relation="other/C")


def test_bad_input(tiny_t5: Any) -> None:
    trained = train_seq2seq_classifier(tiny_t5, TOY, Seq2SeqSettings(steps=1))
    with pytest.raises(DataError, match="no rows"):
        trained.predict([])
    with pytest.raises(DataError, match="relations are map-phrasal"):
        train_seq2seq_classifier(tiny_t5, TOY[:3], Seq2SeqSettings(steps=1))
    wrong = [replace(one, phrase="{{ nothing }} is") for one in TOY]
    with pytest.raises(TemplateError, match="nothing"):
        train_seq2seq_classifier(tiny_t5, wrong, Seq2SeqSettings(steps=1, with_phrase=True))
