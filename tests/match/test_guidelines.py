"""Guidelines: what each rule sees, which way it leans, and what it does with odd rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import DataError, UnknownNameError
from mto.match.guidelines import Guidelines, guidelines, measure, shipped
from mto.match.guidelines.tagger import get_tagger
from mto.tasks import Form, Row, draw_split, list_tasks, load_task

HOUSEHOLD = {
    "AtLocation": 1, "ObjectUse": 1, "HasProperty": 1, "CapableOf": 1, "xAttr": 1,
    "xIntent": -1, "xNeed": -1, "xWant": -1, "xEffect": -1,
}  # fmt: skip


def rows(pairs: Sequence[tuple[str, str]], field: str = "head") -> list[Row]:
    return [Row(str(n), {field: head}, tail, (tail,), f"rows:{n}") for n, (head, tail) in enumerate(pairs)]


def says(pairs: Sequence[tuple[str, str]], field: str = "head") -> Guidelines:
    return guidelines(rows(pairs, field), tagger="small")


WANTS = [
    ("PersonX burns the soup", "to open the window"),
    ("PersonX loses a glove", "to buy a new pair of gloves"),
    ("PersonX paints the fence", "to show the fence to PersonY"),
    ("PersonX falls off the ladder", "to call the doctor"),
    ("PersonX bakes bread", "to taste it while it is warm"),
]
PLACES = [
    ("soap", "bathroom"),
    ("spoon", "kitchen drawer"),
    ("car", "garage"),
    ("pillow", "bed"),
    ("hay", "barn"),
]


@pytest.mark.parametrize("shots", [5, 16, None])
@pytest.mark.parametrize("tagger", ["small", "auto"])
def test_household_leans_as_its_types_say(tagger: str, shots: int | None) -> None:
    for relation, sign in HOUSEHOLD.items():
        split = draw_split(load_task(f"household/{relation}"), shots=shots, seed=0)
        lean = guidelines(split.train, tagger=tagger).lean
        assert lean.value * sign > 0.05, (relation, lean)


def test_rules_say_what_they_saw() -> None:
    found = says(WANTS)
    assert [rule.name for rule in found.rules] == list(shipped().rules)
    assert found.lean.towards == "map-phrasal"
    assert found.rule("input").value == 1.0 and found.rule("input").lean.saw == "every input is a whole event"
    assert found.rule("length").value == pytest.approx((4 + 7 + 6 + 4 + 7) / 5)
    assert found.rule("length").lean.saw == "a target has 5.6 words on average"
    assert found.rule("openings").value == 1.0 and "'to'" in found.rule("openings").lean.saw
    assert found.rule("form").value == -1.0
    # "fence" is one of the two content words of its target that are no placeholder; the other rows share none.
    assert found.rule("overlap").value == pytest.approx((1 / 2) / 5)
    assert all(found.rule(name).lean.value < 0 for name in ("input", "form", "length", "openings", "overlap"))
    assert "every input is a whole event" in found.lean.saw and "5 rows" in found.lean.saw


def test_short_names_of_places_lean_the_other_way() -> None:
    found = says(PLACES)
    assert found.lean.towards == "mask-filling"
    assert found.features["noun"] == 1.0 and found.features["event"] == 0.0
    assert found.features["words"] == pytest.approx(1.2) and found.features["spread"] == pytest.approx(0.4)
    assert found.rule("openings").value == 0.0
    assert found.rule("question").lean.value == 0.0


def test_the_whole_is_the_log_odds_of_the_parts() -> None:
    table = shipped()
    found = says(PLACES)
    odds = table.bias * 5 / 9 + sum(rule.weight * rule.lean.value for rule in found.rules)
    assert found.lean.value == pytest.approx(math.tanh(odds / 2))
    length = found.rule("length")
    assert length.lean.value == pytest.approx(-math.tanh((1.2 - length.cut) / length.scale * 5 / 9))


def test_fewer_rows_lean_less() -> None:
    split = draw_split(load_task("household/xWant"), shots=30, seed=0)
    leans = [
        abs(guidelines(split.train[:n], tagger="small").rule("input").lean.value) for n in (1, 3, 10, 30)
    ]
    assert leans == sorted(leans) and leans[0] < 0.25 and leans[-1] > 0.65
    one = guidelines(split.train[:1], tagger="small")
    assert one.rows == 1 and abs(one.lean.value) < 0.3
    assert one.rule("spread").lean.value == one.rule("openings").lean.value == 0
    assert "1 row, few" in one.lean.saw


def test_equal_targets_count_once() -> None:
    many = says([(head, "kitchen") for head, _ in PLACES * 6])
    once = says([("soap", "kitchen")])
    assert many.rule("length").lean == once.rule("length").lean
    assert many.rule("spread").lean.value == many.rule("openings").lean.value == 0
    assert abs(many.rule("input").lean.value) > abs(once.rule("input").lean.value)  # the inputs do differ
    assert "all with the same target" in many.lean.saw


def test_no_rows_are_an_error() -> None:
    with pytest.raises(DataError, match="no rows"):
        guidelines([])


@pytest.mark.parametrize("tagger", ["small", "auto"])
def test_other_languages_silence_the_tagger_rules(tagger: str) -> None:
    german = [
        ("der Hammer in der Werkstatt", "für das Bild an der Wand"),
        ("die Säge", "einen Ast von dem Baum"),
        ("das Messer", "die Nägel und den Käse für die Gäste"),
    ]
    found = guidelines(rows(german), tagger=tagger)
    assert found.features["unknown"] > shipped().unknown_limit
    for name in ("input", "form"):
        assert found.rule(name).lean.value == 0 and "too few of the words" in found.rule(name).lean.saw
    assert found.rule("length").lean.value != 0


def test_questions() -> None:
    asked = [
        ("How do you keep bread fresh for a week?", "wrap it in a cloth and put it into a wooden box"),
        ("Why does the knife not cut?", "nobody has sharpened it since last summer"),
        ("Where should the dog sleep at night", "in a basket near the stove, away from the door"),
    ]
    begun = [
        ("Milk is usually kept in the", "fridge"),
        ("A hammer is used for", "nails"),
        ("Grass is", "green"),
    ]
    long, short = says(asked, "question"), says(begun, "question")
    assert long.features["full_question"] == 1.0 and short.features["full_question"] == 0.0
    assert long.rule("question").lean.value < -0.3 and short.rule("question").lean.value > 0.3
    assert long.lean.towards == "map-phrasal" and short.lean.towards == "mask-filling"
    assert long.rule("input").lean.value == short.rule("input").lean.value == 0
    assert says(asked[:2], "head").features["full_question"] == 1.0  # found by its mark, whatever the field
    # A full question with a short answer leans to mask-filling where that is a noun phrase, else neither way.
    nouns = says(
        [(head, noun) for (head, _), noun in zip(asked, ("bread box", "rust", "basket"), strict=True)],
        "question",
    )
    assert nouns.features["brief"] == 1.0 and nouns.rule("question").lean.value > 0.3
    assert "100 % of the answers are one short noun phrase" in nouns.rule("question").lean.saw
    assert abs(says([(head, "no") for head, _ in asked], "question").rule("question").lean.value) < 0.1


def test_a_question_with_a_blank_is_to_be_filled() -> None:
    filled = [
        ("What is ___ made of?", "clay"),
        ("The _ is cold.", "ice"),
        ("She opened the door and", "left the house"),
    ]
    found = says(filled, "question")
    assert found.features["cloze"] == 1.0 and found.features["full_question"] == 0.0
    finished = says([("She opened the door.", "she left the house quickly")], "question")
    assert (
        finished.features["cloze"] == finished.features["full_question"] == finished.features["asking"] == 0.0
    )


def test_of_a_classification_the_labels_speak_and_not_the_texts() -> None:
    form = Form(
        kind="classification", input="{{ text }}", labels={"pos": ("great",), "neg": ("not at all good",)}
    )
    told = "the actors walk through the streets of the old town and nobody cares"
    given = [
        Row(str(n), {"text": f"{told} {n}"}, label, (label,), "")
        for n, label in enumerate(("pos", "neg") * 6)
    ]
    found = guidelines(given, form=form, tagger="small")
    assert found.lean.towards == "mask-filling" and found.features["words"] == 1.0
    for name in ("input", "openings", "overlap", "question"):
        assert found.rule(name).lean.value == 0 and "no lean: " in found.rule(name).lean.saw
    assert "the answers are labels, of 1.0 words" in found.rule("length").lean.saw
    # Labels are few by their nature: what counts is how many rows there are.
    assert (
        found.rule("length").lean.value
        > guidelines(given[:2], form=form, tagger="small").rule("length").lean.value
    )
    # Behind a natural phrase a label is its word.
    assert guidelines(given, form=form, phrase="{{ text }} It was", tagger="small").features["words"] == 2.5


def test_rows_without_head_or_question() -> None:
    given_rows = [Row("1", {"premise": "the cup fell", "relation": "cause"}, "it broke", ("it broke",), "")]
    assert guidelines(given_rows, tagger="small").features["event"] == 1.0


def test_the_phrase_tells_the_tagger_what_follows() -> None:
    acts = rows([("crow", "crow at dawn"), ("baker", "copy keys"), ("rose", "bloom in spring")])
    alone = measure(acts, get_tagger("small"))
    led = measure(acts, get_tagger("small"), "The {{ head }} can")
    assert alone.values["verb"] == 0.0 and led.values["verb"] == 1.0


def test_a_tagger_of_ones_own() -> None:
    class Nouns:
        name = "nouns"

        def tag(self, words: Sequence[str]) -> list[str]:
            return ["NOUN"] * len(words)

    found = guidelines(rows(WANTS), tagger=Nouns())
    assert found.tagger == "nouns" and found.features["noun"] == 1.0

    class Short(Nouns):
        def tag(self, words: Sequence[str]) -> list[str]:
            return ["NOUN"]

    with pytest.raises(DataError, match=r"gave 1 tags for \d words"):
        guidelines(rows(WANTS), tagger=Short())
    with pytest.raises(UnknownNameError, match="did you mean 'small'"):
        guidelines(rows(WANTS), tagger="smal")


def test_json_and_back() -> None:
    found = says(WANTS)
    assert Guidelines.model_validate_json(found.model_dump_json()) == found


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60)
def test_any_text_gives_an_answer_whatever_its_order(pairs: list[tuple[str, str]], random: object) -> None:
    found = says(pairs)
    assert -1 <= found.lean.value <= 1
    assert sum(found.features[name] for name in ("noun", "adjective", "verb", "other")) == pytest.approx(1)
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert says(shuffled).lean.value == pytest.approx(found.lean.value)


def test_atomic_relations_that_the_table_never_saw(shared_dir: Path) -> None:
    """30 train rows of each of the 17 relations of docs/method.md 5, judged by the table of household."""
    kinds = {entry.name: entry.type for entry in list_tasks()}
    found: dict[str, list[Row]] = {}
    text = (shared_dir / "data" / "atomic2020" / "train.tsv").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines()[1:]):
        head, relation, tail = line.split("\t")
        if tail.strip().lower() not in ("", "none"):
            found.setdefault(relation, []).append(Row(str(number), {"head": head}, tail, (tail,), ""))
    wrong = set()
    for relation, all_rows in found.items():
        chosen = np.random.default_rng([0]).choice(len(all_rows), size=30, replace=False)
        kind = kinds.get(f"atomic2020/{relation}")
        lean = guidelines([all_rows[n] for n in chosen], tagger="small").lean
        if kind is not None and (lean.value > 0) != (kind == "mask-filling"):
            wrong.add(relation)
    assert len(found) >= 17
    assert wrong <= {"xReason"}  # bare verbs as inputs, targets of under three words: near 0 either way
