"""The probe measures what it says it measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mto.errors import DataError
from mto.families import load_model
from mto.pretrain.probe import Fact, candidates, load_facts, run_probe


def test_each_fact_has_its_answer_first_among_twenty_different_ones() -> None:
    facts = load_facts()
    for fact, row in zip(facts, candidates(facts), strict=True):
        assert row[0] == fact.answer and len(set(row)) == 20
        assert not set(fact.also_right) & set(row[1:])
    assert candidates(facts) == candidates(facts)


def test_a_random_model_is_near_chance(tiny_bart: Any) -> None:
    values = run_probe(tiny_bart).values
    assert 0 <= values["denoising"] < 18 and 0 <= values["lm"] < 18
    assert {"denoising mrr", "lm mrr", "denoising plain", "denoising use"} <= values.keys()


def test_a_trained_model_is_far_above_chance(trial_mini: Path) -> None:
    values = run_probe(load_model(trial_mini)).values
    assert values["denoising"] > 15 and values["denoising mrr"] > 30


def test_too_few_wrong_candidates_and_broken_rows_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 wrong candidates"):
        candidates([Fact("a {mask} .", "b", "use")])
    path = tmp_path / "f.jsonl"
    path.write_text(
        '{"text": "a {mask} .", "answer": "b", "kind": "use"}\n{"text": "none", "answer": "b", "kind": "use"}\n'
    )
    with pytest.raises(DataError, match=r"f\.jsonl:2"):
        load_facts(path)
    path.write_text("{}\n")
    with pytest.raises(DataError, match=r"f\.jsonl:1: is no fact"):
        load_facts(path)
