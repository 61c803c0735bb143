"""The facts of the knowledge probe: each has one right answer and at least 19 wrong ones of its kind."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

import mto

ROOT = Path(mto.__file__).parent
KINDS = ("use", "place", "property", "does", "isa", "part", "event")
WRONG_CANDIDATES = 19


@pytest.fixture(scope="module")
def facts() -> list[dict[str, Any]]:
    text = (ROOT / "pretrain" / "probe" / "everyday.jsonl").read_bytes().decode("ascii")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def answers_by_kind(facts: list[dict[str, Any]]) -> dict[str, list[str]]:
    answers: dict[str, list[str]] = defaultdict(list)
    for fact in facts:
        answers[fact["kind"]].append(fact["answer"])
    return answers


def test_fields_and_their_types(facts: list[dict[str, Any]]) -> None:
    for fact in facts:
        assert set(fact) - {"not"} == {"text", "answer", "kind"}, fact
        assert all(
            isinstance(fact[key], str) and fact[key] == fact[key].strip() != "" for key in ("text", "answer")
        )
        assert isinstance(fact.get("not", []), list)
        assert "not" not in fact or fact["not"], "an empty list is left out"


def test_seven_kinds_of_23_facts(facts: list[dict[str, Any]]) -> None:
    assert Counter(fact["kind"] for fact in facts) == dict.fromkeys(KINDS, 23)


def test_no_text_stands_twice_and_answers_differ_within_a_kind(facts: list[dict[str, Any]]) -> None:
    assert len({fact["text"] for fact in facts}) == len(facts)
    for kind, answers in answers_by_kind(facts).items():
        assert len(set(answers)) == len(answers), kind


def test_the_placeholder_stands_once_and_is_a_word_of_its_own(facts: list[dict[str, Any]]) -> None:
    for fact in facts:
        assert fact["text"].split(" ").count("{mask}") == 1, fact
        assert fact["text"].count("{") == fact["text"].count("}") == 1, fact


def test_texts_and_answers_are_lower_case_and_answers_are_short(facts: list[dict[str, Any]]) -> None:
    for fact in facts:
        assert fact["text"].endswith(" {mask} ."), fact
        assert re.fullmatch(r"[a-z]+( [a-z]+)?", fact["answer"]), fact
        assert fact["text"] == fact["text"].lower(), fact
        assert "  " not in fact["text"], fact


def test_the_answer_does_not_stand_in_its_own_text(facts: list[dict[str, Any]]) -> None:
    for fact in facts:
        assert not set(fact["answer"].split()) & set(fact["text"].split()), fact


def test_enough_wrong_candidates_are_left(facts: list[dict[str, Any]]) -> None:
    answers = answers_by_kind(facts)
    for fact in facts:
        also_right = fact.get("not", [])
        assert len(set(also_right)) == len(also_right), fact
        assert fact["answer"] not in also_right, fact
        assert set(also_right) <= set(answers[fact["kind"]]), fact
        wrong = set(answers[fact["kind"]]) - {fact["answer"], *also_right}
        assert len(wrong) >= WRONG_CANDIDATES, fact


def test_one_frame_of_grammar_within_a_kind(facts: list[dict[str, Any]]) -> None:
    """Every answer of a kind fits into every text of the kind, so ranking asks for knowledge, not for grammar."""
    before = {
        "use": r"is used for",
        "place": r"you usually find .+ in the",
        "property": r"is",
        "does": r"will often",
        "isa": r"is a kind of",
        "part": r"one part of .+ is the",
        "event": r"to",
    }
    answer = {"use": r"\w+ing( \w+)?", "event": r"(?!to )\w+( \w+)?", "does": r"(?!to )\w+( \w+)?"}
    for fact in facts:
        assert re.search(rf"(^| ){before[fact['kind']]} {{mask}} \.$", fact["text"]), fact
        assert re.fullmatch(answer.get(fact["kind"], r"[a-z]+"), fact["answer"]), fact


def test_no_fact_is_a_row_of_the_embedded_data_set(facts: list[dict[str, Any]]) -> None:
    tails: dict[str, list[str]] = defaultdict(list)
    for split in ("train", "dev", "test"):
        lines = (
            (ROOT / "tasks" / "library" / "household" / f"{split}.tsv")
            .read_text(encoding="utf-8")
            .splitlines()
        )
        for line in lines[1:]:
            head, _, tail = line.split("\t")
            tails[tail].append(head)
    for fact in facts:
        for head in tails.get(fact["answer"], []):
            assert f" {head} " not in f" {fact['text']} ", fact
