"""From sentences to routed pairs and their controls; what is dropped is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from mto.errors import ConfigError, RunError
from mto.families import load_model
from mto.prepare.controls import random_prefix, random_span
from mto.prepare.maker import MakerOrder
from mto.prepare.making import KIND, MakingConfig, SplitMaker
from mto.prepare.router import Router, labelled_pairs
from mto.prepare.sentence import GENERAL
from mto.prepare.splitting.places import words_of
from mto.tasks import draw_split, load_task
from tests.pipeline.small import save_tiny
from tests.prepare.toy import USE, Last, selected

SENTENCES = (
    "A hammer is used for pounding nails.",
    "You can use a knife to cut the bread, of course.",
    "Nobody knows nothing about it.",
    "Go home.",
    "Stop!",
)


@pytest.fixture(scope="module")
def router() -> Router:
    return Router(load_model("mini"))


def maker(router: Router, words: int = 2, **config: Any) -> SplitMaker:
    return SplitMaker(Last(words), router, MakingConfig(**config))


def test_pairs_and_counts(router: Router) -> None:
    batch = [selected(text) for text in SENTENCES]
    batch += [selected("Rivers flow down to the sea.", GENERAL), selected("nothing at all here", GENERAL)]
    made = maker(router).make(batch, seed=0, number=3)
    assert made.counts == {
        "general: lm": made.counts.get("general: lm", 0), "general: no span": 1, "general: pairs by model": 1,
        "general: sentences": 2, "task: denoising": 1, "task: lm": 1, "task: no span": 1, "task: pairs by model": 2,
        "task: sentences": 5, "task: whole sentence as target": 2,
    } or "general: denoising" in made.counts  # fmt: skip
    first = made.pairs["task"][0]
    assert (first.source, first.target, first.by) == ("A hammer is used for", "pounding nails", "model")
    assert (first.task, first.where, first.score) == (USE, "file.txt:1", 1.0)
    assert [pair.task for pair in made.pairs["general"]] == [GENERAL]
    assert len(made.pairs["random-spans"]) == len(made.pairs["random-prefixes"]) == 2
    for task, control in zip(made.pairs["task"], made.pairs["random-spans"], strict=True):
        assert task.sentence == control.sentence and control.objective == "denoising"
        assert len(words_of(task.target)) == len(words_of(control.target))
    assert {pair.objective for pair in made.pairs["random-prefixes"]} == {"lm"}
    for pairs in made.pairs.values():
        for pair in pairs:
            assert pair.source and pair.target
            joined = f"{pair.before} {pair.target} {pair.after}".split()
            assert "".join(joined) in ("".join(pair.sentence.split()), "".join(pair.sentence.split())[:-1])


def test_limits_of_a_pair(router: Router) -> None:
    batch = [selected("Go home now."), selected("They all went home again after a long day out.")]
    made = maker(router, 2).make(batch, seed=0, number=0)
    assert made.counts["task: source too short"] == 1 and len(made.pairs["task"]) == 1
    made = maker(router, 5, longest_target=4).make(batch, seed=0, number=0)
    assert made.counts["task: target too long"] == 1


def test_a_target_of_a_classification_is_no_longer_than_the_words_of_its_labels(router: Router) -> None:
    batch = [selected("They all went home.", "t/Tone"), selected("They all went home.")]
    made = SplitMaker(Last(2), router, MakingConfig(), longest={"t/Tone": 1}).make(batch, seed=0, number=0)
    assert made.counts["task: target longer than the words of labels"] == 1 and len(made.pairs["task"]) == 1
    assert made.pairs["task"][0].task == USE


def test_equal_batches_give_equal_pairs_and_the_seed_moves_the_controls_alone(router: Router) -> None:
    batch = [
        selected(f"The {word} is usually kept in the old kitchen.") for word in "cup pan pot jar".split()
    ]
    first, same = (maker(router).make(batch, seed=0, number=n) for n in (0, 1))
    other = maker(router).make(batch, seed=1, number=0)
    assert first == same and first.pairs["task"] == other.pairs["task"]
    assert first.pairs["random-spans"] != other.pairs["random-spans"]
    assert first.pairs["random-prefixes"] != other.pairs["random-prefixes"]


def test_no_controls(router: Router) -> None:
    quiet = SplitMaker(Last(), router, MakingConfig(), controls=False)
    assert set(quiet.make([selected(SENTENCES[0])], seed=0, number=0).pairs) == {"task"}
    assert set(quiet.make([selected(SENTENCES[0], GENERAL)], seed=0, number=0).pairs) == {"task", "general"}
    assert quiet.make([], seed=0, number=0).pairs == {"task": ()}


def test_the_router_tells_the_two_types_apart_without_having_seen_the_relation(router: Router) -> None:
    pairs = [
        ("You can find the milk in the", "fridge"),
        ("Anna was very tired because she wanted", "to go to bed early"),
        ("Wool is usually", "soft"),
    ]
    tasks = ["household/AtLocation", "atomic2020/xIntent", "own/Feel"]
    told = router.route(pairs, tasks)
    assert [one.objective for one in told] == ["denoising", "lm", "denoising"]
    assert min(told[0].probability, told[2].probability) >= 0.5 > told[1].probability
    alone = [router.route([pair], [task])[0].probability for pair, task in zip(pairs, tasks, strict=True)]
    assert alone == pytest.approx([one.probability for one in told], abs=1e-4)
    known = router._known
    assert {"AtLocation", "xIntent", ""} <= set(known) and "Feel" not in known
    assert not np.array_equal(
        known["AtLocation"].logistic.weights["shape"], known[""].logistic.weights["shape"]
    )
    assert all(one.encoder is None for one in known.values())  # the states of what was read are not kept
    assert router.route([], []) == []


def test_rows_are_cut_as_pairs_are_and_hold_no_test_head() -> None:
    found = {one.meaning: one for one in labelled_pairs()}
    assert len(found) == 9 and found["ObjectUse"].mask_filling and not found["xWant"].mask_filling
    heads = {example.head for example in load_task("household/ObjectUse").test}
    for row in found["ObjectUse"].rows:
        assert row.head.split()[0] in ("The", "People", "You") and row.target not in row.head
        assert not any(f" {head} " in f" {row.head} " for head in heads)


SENTENCE = some.lists(
    some.sampled_from("the old man went, home to eat. bread".split()), min_size=1, max_size=9
)


@given(SENTENCE, some.integers(1, 9), some.integers(0, 3))
def test_controls_are_drawn_from_the_sentence_and_the_seed(words: list[str], size: int, seed: int) -> None:
    one = selected(" ".join(words))
    span, prefix = random_span(one, size, seed=seed), random_prefix(one, seed=seed)
    assert (span is None) == (size >= len(words)) and (prefix is None) == (len(words) < 2)
    assert (span, prefix) == (random_span(one, size, seed=seed), random_prefix(one, seed=seed))
    if span is not None:
        assert len(words_of(span.target)) == size and span.source and span.by == "random"
    if prefix is not None:
        assert prefix.before and prefix.target and prefix.after in ("", ",")


def test_random_places_are_drawn_evenly() -> None:
    batch = [selected(f"one two three four five s{number}") for number in range(600)]
    starts = [len(words_of(pair.before)) for one in batch if (pair := random_span(one, 2, seed=0))]
    splits = [len(words_of(pair.before)) for one in batch if (pair := random_prefix(one, seed=0))]
    for drawn, places in ((starts, range(5)), (splits, range(1, 6))):
        assert set(drawn) == set(places)
        assert all(80 < drawn.count(place) < 160 for place in places)


def order(folder: Path, **settings: Any) -> MakerOrder:
    tasks = (load_task("household/ObjectUse"), load_task("household/xWant"))
    splits = tuple(draw_split(task, shots=4, seed=0) for task in tasks)
    return MakerOrder(folder, tasks, splits, True, 0, settings)


def test_the_kind_trains_once_and_is_loaded_from_json(tmp_path: Path) -> None:
    model = str(save_tiny(tmp_path / "tiny"))
    settings = {"model": model, "splitter": {"kind": "both", "library": None, "training": {"steps": 2}}}
    told = KIND.set_up(order(tmp_path, **settings))
    trained = tmp_path / told["model"] / "splitter.json"
    before = trained.stat().st_mtime_ns
    assert KIND.set_up(order(tmp_path, **settings)) == told and trained.stat().st_mtime_ns == before
    loaded = KIND.load(tmp_path, json.loads(json.dumps(told)))
    batch = [selected("Hammers are used for pounding nails."), selected("A cat can eat fish.", GENERAL)]
    made = loaded.make(batch, seed=0, number=0)
    assert made == KIND.load(tmp_path, told).make(batch, seed=0, number=0)
    assert len(made.pairs["task"]) == 1
    other = KIND.set_up(
        order(tmp_path, **{**settings, "splitter": {**settings["splitter"], "training": {"steps": 3}}})
    )  # type: ignore[dict-item]
    assert other["model"] != told["model"]
    with pytest.raises(RunError, match="no splitter"):
        KIND.load(tmp_path / "nowhere", told)


def test_rules_need_no_training(tmp_path: Path) -> None:
    told = KIND.set_up(order(tmp_path, splitter={"kind": "rules", "tagger": "small"}))
    assert told["model"] is None and not list(tmp_path.iterdir())
    made = KIND.load(tmp_path, told).make(
        [selected("Hammers are used for pounding nails.")], seed=0, number=0
    )
    assert made.pairs["task"][0].by == "phrase" and made.pairs["task"][0].target == "pounding nails"
    with pytest.raises(ConfigError, match="least_sources"):
        KIND.set_up(order(tmp_path, least_sources=3))
