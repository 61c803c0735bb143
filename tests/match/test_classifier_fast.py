"""The fast task classifier: features, regression, shipped coefficients, and relations that it never saw."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mto.errors import DataError, UnknownNameError
from mto.families import LoadedModel, load_model
from mto.match.classifier import (
    Labelled,
    SentenceEncoder,
    classify,
    fast_classifier,
    leave_one_out,
    leave_out,
    make_coefficients,
    train_fast_classifier,
    training_rows,
    vote,
)
from mto.match.classifier import fast as fast_module
from mto.match.classifier.coefficients import FOLDER, shipped
from mto.match.classifier.features import Features, features, shape_features
from mto.match.classifier.logistic import fit_logistic
from mto.tasks import Row, draw_split, load_task


def row(head: str, tail: str) -> Row:
    return Row(head, {"head": head, "relation": "r"}, tail, (tail,), "")


@pytest.fixture(scope="module")
def mini() -> LoadedModel:
    return load_model("mini")


@pytest.fixture(scope="module")
def encoder(mini: LoadedModel) -> SentenceEncoder:
    return SentenceEncoder(mini)


@pytest.fixture(scope="module")
def household() -> tuple[Labelled, ...]:
    return training_rows()


# Rows


def test_training_rows_hold_no_test_head(household: tuple[Labelled, ...]) -> None:
    assert len(household) == 9
    for one in household:
        task = load_task(one.relation)
        assert len(one.rows) == len({r.id for r in one.rows}) == 44
        assert not {r.id for r in one.rows} & {e.id for e in task.test}


def test_a_relation_is_left_out_of_every_data_set(household: tuple[Labelled, ...]) -> None:
    twin = replace(household[0], relation=f"other/{household[0].meaning}")
    rest = leave_out((*household, twin), [household[0].relation])
    assert [one.relation for one in rest] == [one.relation for one in household[1:]]


# Features


def test_states_are_means_over_the_words_of_a_text(tiny: Any) -> None:
    import torch

    encoder = SentenceEncoder(tiny)
    together = encoder(["clean the car", "dog", "", "dog"])
    ids = torch.tensor([[*tiny.adapter.encode("clean the car"), tiny.adapter.eos_id]])
    with torch.no_grad():
        states = tiny.model.get_encoder()(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
    assert together.shape == (4, 32)
    np.testing.assert_allclose(together[0], states[0, :-1].mean(0).numpy(), atol=1e-5)
    np.testing.assert_array_equal(together[1], together[3])
    assert np.isfinite(together).all()


def test_a_text_that_is_too_long_is_cut(tiny_bart: Any) -> None:
    assert np.isfinite(SentenceEncoder(tiny_bart)(["dog " * 2000])).all()


def test_shape_of_odd_rows_is_finite() -> None:
    assert np.isfinite(shape_features([row("", ""), row("a", " "), row("dog dog", "Dog")])).all()
    assert shape_features([row("the big dog", "Dog")])[0, -1] == 1.0


# Regression


def separable(seed: int = 0) -> tuple[Features, np.ndarray, list[str]]:
    """Six relations; the first column tells the type, the second tells the relation alone."""
    rng = np.random.default_rng(seed)
    types, names, columns = [], [], []
    for n in range(6):
        kind = n % 2 == 0
        own = rng.normal() * 5
        for _ in range(20):
            columns.append([rng.normal() + (2 if kind else -2), own + rng.normal() * 0.1, 7.0])
            types.append(kind)
            names.append(f"r{n}")
    return Features({"shape": np.array(columns)}), np.array(types), names


def test_regression_finds_what_holds_for_every_relation() -> None:
    found, types, names = separable()
    fitted = fit_logistic(found, types, names, blocks=["shape"])
    assert ((fitted.log_odds(found) > 0) == types).mean() > 0.95
    assert fitted.weights["shape"][2] == 0.0  # a column that never changes


def test_regression_does_not_depend_on_units_or_order() -> None:
    found, types, names = separable()
    fitted = fit_logistic(found, types, names, blocks=["shape"])
    turn = np.random.default_rng(1).permutation(len(names))
    other = Features({"shape": found.blocks["shape"][turn] * [100.0, 0.01, 1.0] + [3.0, -5.0, 0.0]})
    again = fit_logistic(other, types[turn], [names[i] for i in turn], blocks=["shape"])
    assert again.penalty == fitted.penalty
    np.testing.assert_allclose(again.log_odds(other), fitted.log_odds(found)[turn], atol=1e-2)


def test_regression_weighs_types_alike_whatever_their_rows() -> None:
    flat = Features({"shape": np.zeros((110, 1))})
    types = np.array([True] * 100 + [False] * 10)
    names = ["a"] * 50 + ["b"] * 50 + ["c"] * 5 + ["d"] * 5
    assert abs(fit_logistic(flat, types, names, blocks=["shape"]).bias) < 1e-3


# Accuracy


def test_relations_of_household_that_were_never_seen(
    encoder: SentenceEncoder, household: tuple[Labelled, ...]
) -> None:
    result = leave_one_out(household, household, lambda rows: train_fast_classifier(encoder, rows))
    # Measured with the first `mini`: 0.85 of the examples and 8 of 9 tasks (chance: 5 of 9).
    assert result.examples.value > 0.75
    assert result.tasks.value >= 7 / 9 - 1e-9
    assert result.nats.value < np.log(2)
    assert result.chance == pytest.approx(5 / 9)
    assert result.examples.low <= result.examples.value <= result.examples.high


def test_wrong_types_are_not_learned(encoder: SentenceEncoder, household: tuple[Labelled, ...]) -> None:
    """With types dealt out at random, relations never seen are told no better than by chance."""
    swapped = [
        replace(one, type="mask-filling" if n % 2 else "map-phrasal") for n, one in enumerate(household)
    ]
    result = leave_one_out(swapped, swapped, lambda rows: train_fast_classifier(encoder, rows))
    assert result.examples.value < 0.7


# Shipped coefficients


def test_shipped_coefficients_are_whole() -> None:
    files = sorted(FOLDER.glob("*.safetensors"))
    assert files
    for path in files:
        loaded = load_model(path.stem)
        stored = shipped(loaded.revision)
        assert stored is not None, f"{path.stem} has changed: call make_coefficients for it again"
        width = loaded.model.config.d_model
        sizes = {name: weights.size for name, weights in stored.logistic.weights.items()}
        assert sizes == {"head": width, "tail": width, "difference": width, "shape": 7}
        without = shipped(loaded.revision, {"household/ObjectUse"})
        assert without is not None
        assert without.logistic.bias != stored.logistic.bias
        assert "without ObjectUse" in without.trained_on


def test_shipped_coefficients_speak_of_their_checkpoint_alone() -> None:
    assert shipped("0" * 16) is None
    revision = load_model("mini").revision
    assert shipped(revision, {"xWant", "xNeed"}) is None
    assert shipped(revision, {"no such relation"}) is not None


@pytest.mark.parametrize(
    ("relation", "kind"), [("household/HasProperty", "mask-filling"), ("household/xWant", "map-phrasal")]
)
def test_few_rows_of_a_relation_never_seen(mini: LoadedModel, relation: str, kind: str) -> None:
    rows = draw_split(load_task(relation), shots=5, seed=1).train
    told = classify(rows, loaded=mini, relation=relation)
    assert told.lean.towards == kind
    assert told.heads == len(told.mask_filling) == 5
    assert mini.revision in told.classifier
    assert "without" in told.classifier
    assert type(told).model_validate_json(told.model_dump_json()) == told


@pytest.mark.slow
def test_shipped_coefficients_are_what_the_function_makes(shared_dir: Path, tmp_path: Path) -> None:
    mini = load_model("mini")
    make_coefficients(mini, shared_dir / "data" / "atomic2020", folder=tmp_path)
    for name in ((), ("xWant",)):
        made, stored = shipped(mini.revision, name, folder=tmp_path), shipped(mini.revision, name)
        assert made is not None
        assert stored is not None
        assert made.logistic.penalty == stored.logistic.penalty
        for block, weights in made.logistic.weights.items():
            np.testing.assert_allclose(stored.logistic.weights[block], weights, rtol=0.05, atol=0.01)


def test_a_made_file_is_read_back(
    tiny_t5: Any, household: tuple[Labelled, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mto.match.classifier import remake

    rows = [replace(one, rows=one.rows[:8]) for one in household]
    monkeypatch.setattr(remake, "training_rows", lambda *_: rows)
    path = make_coefficients(tiny_t5, "nowhere", folder=tmp_path)
    stored = shipped(tiny_t5.revision, {"xWant"}, folder=tmp_path)
    assert stored is not None
    fitted = train_fast_classifier(SentenceEncoder(tiny_t5), leave_out([*rows, *rows], ["xWant"]))
    found = features(SentenceEncoder(tiny_t5), rows[0].rows)
    np.testing.assert_allclose(stored.logistic.log_odds(found), fitted.logistic.log_odds(found), atol=1e-4)
    first = path.read_bytes()
    assert make_coefficients(tiny_t5, "nowhere", folder=tmp_path).read_bytes() == first


# A checkpoint without coefficients


def test_another_checkpoint_gets_a_classifier_of_its_own(
    tiny_t5: Any, household: tuple[Labelled, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def few() -> list[Labelled]:
        calls.append(1)
        return [replace(one, rows=one.rows[:10]) for one in household]

    monkeypatch.setattr(fast_module, "training_rows", few)
    first = fast_classifier(tiny_t5)
    assert "household" in first.name
    assert tiny_t5.revision in first.name
    times = len(calls)
    rows = household[0].rows[:3]
    np.testing.assert_array_equal(first.predict(rows), fast_classifier(tiny_t5).predict(rows))
    assert len(calls) == times  # remembered
    other = fast_classifier(tiny_t5, without=["any/xWant", "any/xNeed"])
    assert "without xNeed, xWant" in other.name
    assert not np.array_equal(first.predict(rows), other.predict(rows))


def test_what_is_remembered_does_not_keep_a_checkpoint_alive(
    household: tuple[Labelled, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import loaded, t5_model, t5_tokenizer

    monkeypatch.setattr(
        fast_module, "training_rows", lambda: [replace(one, rows=one.rows[:4]) for one in household]
    )
    tokenizer = t5_tokenizer()
    checkpoint = loaded(t5_model(tokenizer), tokenizer, "passing")
    fast_classifier(checkpoint)
    gone = weakref.ref(checkpoint)
    del checkpoint
    gc.collect()
    assert gone() is None


# The vote


def test_a_vote_of_few_says_less() -> None:
    leans, widths = [], []
    for n in (1, 3, 30):
        rows = [row(f"thing {i}", "red") for i in range(n)]
        told = vote(rows, [0.9] * n, "by hand")
        leans.append(told.lean.value)
        widths.append(told.share.high - told.share.low)
        assert told.share.value == pytest.approx((n + 1) / (n + 2))
        assert told.lean.value == pytest.approx(2 * (0.9 * n + 1) / (n + 2) - 1)
    assert leans == sorted(leans)
    assert widths == sorted(widths, reverse=True)


def test_rows_of_one_head_have_one_vote() -> None:
    rows = [row("dog", f"tail {i}") for i in range(9)] + [row("cat", "tail")]
    told = vote(rows, [0.9] * 9 + [0.2], "by hand")
    assert told.heads == 2
    assert told.share.value == 0.5
    assert len(told.mask_filling) == 10


def test_both_sides_are_alike() -> None:
    rows = [row(f"thing {i}", "red") for i in range(5)]
    told = np.array([0.9, 0.6, 0.55, 0.3, 0.8])
    one, other = vote(rows, told, ""), vote(rows, 1 - told, "")
    assert one.lean.value == pytest.approx(-other.lean.value)
    assert one.share.value == pytest.approx(1 - other.share.value)


# Bad input


def test_bad_input(mini: LoadedModel, household: tuple[Labelled, ...]) -> None:
    with pytest.raises(DataError, match="no rows"):
        classify([], loaded=mini)
    with pytest.raises(UnknownNameError, match="no task classifier"):
        classify(household[0].rows, loaded=mini, classifier="quick")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="0 relations are map-phrasal"):
        train_fast_classifier(None, household[:4])
    with pytest.raises(DataError, match="has no rows"):
        train_fast_classifier(None, [*household, Labelled((), "map-phrasal", "a/b")])
    with pytest.raises(DataError, match="no features are named 'tail'"):
        train_fast_classifier(None, household, blocks=["tail"])
    with pytest.raises(DataError, match="not all are finite"):
        vote(household[0].rows, [float("nan")] * 44, "")
