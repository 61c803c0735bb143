"""The splitter of rules: text behind a phrase, loosely, else the last phrase as the task's targets are."""

from __future__ import annotations

import pytest

from mto.prepare.sentence import Selected
from mto.prepare.splitting import Either, Found, Hints, PhraseFirst, RuleSplitter, rule_splitter
from tests.prepare.toy import Last, selected

USES = ("pounding nails", "cutting the bread", "washing the dishes")
TASKS = (
    Hints(task="t/ObjectUse", phrases=("The {{ head }} can be used to", "You need the {{ head }} for"), targets=USES),
    Hints(task="t/AtLocation", phrases=("You can find the {{ head }} in the",), targets=("kitchen", "garden")),
    Hints(task="t/NotDesires", phrases=("The {{ head }} would not like",), targets=("to be cold",)),
    Hints(task="t/xNeed", phrases=("Before {{ head }}, PersonX needs",), targets=("to buy food", "to go home")),
    Hints(task="t/isAfter", phrases=("Before {{ head }},",), targets=("PersonX goes home",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def rules() -> RuleSplitter:
    return rule_splitter(TASKS, tagger="small")


def said(rules: RuleSplitter, text: str, task: str) -> tuple[str, str]:
    one = selected(text, task)
    [found] = rules.split([one])
    return (found.place.of(text) if found.place else "", found.by)


@pytest.mark.parametrize(
    ("text", "task", "target"),
    [
        ("A hammer can be used to pound nails.", "ObjectUse", "pound nails"),
        ("Hammers are used for pounding nails, mostly.", "ObjectUse", "pounding nails"),
        ("A knife is often used to cut bread because it is sharp.", "ObjectUse", "cut bread"),
        ("If a saw is used to cut wood then wear a mask.", "ObjectUse", "cut wood"),
        ("You will need a pan for frying eggs.", "ObjectUse", "frying eggs"),
        ("You are likely to find a spoon in a kitchen drawer.", "AtLocation", "kitchen drawer"),
        ("The spoon was found in the drawer!", "AtLocation", "drawer"),
        ("Cats do not like cold water.", "NotDesires", "cold water"),
        ("Before cooking, Anna needs to buy an egg.", "xNeed", "to buy an egg"),
    ],
)
def test_behind_the_phrase(rules: RuleSplitter, text: str, task: str, target: str) -> None:
    assert said(rules, text, f"t/{task}") == (target, "phrase")


@pytest.mark.parametrize(
    ("text", "task", "target"),
    [
        ("She went to the shop to buy some milk.", "ObjectUse", "buy some milk"),
        ("She went to the shop to buy some milk.", "xNeed", "to buy some milk"),
        ("She keeps the milk in the cold kitchen.", "AtLocation", "the cold kitchen"),
        ("You are likely to be cold.", "NotDesires", "to be cold"),  # "likely" is no form of "like"
        (
            "The cat would like the garden.",
            "NotDesires",
            "the garden",
        ),  # nor "would like" of "would not like"
        ("Bread is a kind of food.", "", "a kind of food"),
        ("Wash it to keep it clean. Bread is food.", "", "keep it clean"),
        ("The soup is very hot.", "", "very hot"),
        ("Before lunch, they washed their hands.", "isAfter", "washed their hands"),
    ],
)
def test_the_last_phrase(rules: RuleSplitter, text: str, task: str, target: str) -> None:
    assert said(rules, text, f"t/{task}" if task else "") == (target, "last-phrase")


def test_nothing_is_found_in_the_first_word_or_behind_the_last(rules: RuleSplitter) -> None:
    for text in ("Bread.", "...", "A hammer can be used to"):
        [found] = rules.split([selected(text, "t/AtLocation")])
        assert found == Found(None, "", "no span")


def test_the_second_splitter_is_asked_where_the_first_finds_nothing(rules: RuleSplitter) -> None:
    asked: list[Selected] = [selected("nothing here is used to cut bread"), selected("the cat eats fish.")]
    both = Either(Last(), rules)
    first, second = both.split(asked)
    assert (first.by, second.by) == ("last-phrase", "model") and both.name == "last, else rules"
    assert Either(Last(), Last()).split([selected("nothing")]) == [Found(None, why="no span")]


def test_a_phrase_wins_over_the_model_and_the_model_over_the_last_phrase(rules: RuleSplitter) -> None:
    splitter = PhraseFirst(rules, Last())
    texts = [
        "Hammers are used for pounding nails, mostly.",
        "She went to the shop to buy milk.",
        "She bought nothing to buy bread.",
    ]
    found = splitter.split([selected(text, "t/ObjectUse") for text in texts])
    spans = [
        (one.place.of(text) if one.place else "", one.by) for one, text in zip(found, texts, strict=True)
    ]
    assert spans == [("pounding nails", "phrase"), ("milk", "model"), ("buy bread", "last-phrase")]
    assert splitter.name == "phrases, else last, else rules"
