"""How sentences of tasks of other kinds than completion become pairs: label words, first words, verbalised rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.match.guidelines import get_tagger
from mto.prepare.config import SelectConfig
from mto.prepare.maker import MakerOrder
from mto.prepare.making import KIND
from mto.prepare.select import Selector
from mto.prepare.splitting import Hints, PhraseFirst, build_splitter, rule_splitter, verbalise
from mto.prepare.splitting.build import SplitterConfig
from mto.prepare.splitting.labels import LabelWords
from mto.prepare.splitting.ways import told, way_of
from mto.prepare.words import Normaliser
from mto.tasks import draw_split, task_from_rows
from tests.prepare.items import task
from tests.prepare.toy import Last, selected

LABELS = {"positive": ("great", "not bad"), "negative": ("bad", "no")}
WORDS = LabelWords(LABELS)


@pytest.mark.parametrize(
    ("text", "label", "word"),
    [
        ("It was a great, great day.", "positive", "great"),
        ("The soup is not  bad at all.", "positive", "not  bad"),  # the longest word at a place
        ("It was great and then BAD.", "negative", "BAD"),  # the last one
        ("There is no milk.", "negative", "no"),
        ("No man is an island.", None, ""),  # nothing would stand in front of it
        ('"No" is what a badly behaved no-one says, greatly.', None, ""),
        ("The no-bad rule, can't.", None, ""),
    ],
)
def test_words_of_labels_in_a_sentence(text: str, label: str | None, word: str) -> None:
    found = WORDS.find(text)
    assert (found.label, found.place.of(text)) == (label, word) if label and found else found is None


def test_without_labels_nothing_is_found() -> None:
    assert LabelWords({}).find("It was a day.") is None and LabelWords({}).labels == ()


def hints() -> Hints:
    return Hints(
        task="t/Tone", way="label-word", labels=LABELS, phrases=("{{ text }} It was",), fields=("text",)
    )


def test_rules_take_the_word_of_a_label_and_nothing_else() -> None:
    rules = rule_splitter([hints()], tagger="small")
    texts = ["It was a great day.", "It was a long day in the park."]
    one, other = rules.split([selected(text, "t/Tone") for text in texts])
    assert (one.place.of(texts[0]) if one.place else "", one.by) == ("great", "label-word")
    assert other.place is None and other.why == "no word of a label"
    both = PhraseFirst(rules, Last()).split([selected(text, "t/Tone") for text in texts])
    assert [found.by for found in both] == [
        "label-word",
        "model",
    ]  # what rules are sure of is not asked again


def test_whole_sentences_are_cut_behind_their_first_words() -> None:
    whole = Hints(task="t/Say", way="first-words")
    text = "A skier skis down the snowy mountain in the morning, twice."
    alone = build_splitter(SplitterConfig(kind="phrase-first"), [whole])  # no model is needed
    for task_name in ("t/Say", ""):
        [found] = alone.split([selected(text, task_name)])
        assert (found.place.of(text) if found.place else "") == "the snowy mountain in the morning, twice"
    mixed = build_splitter(SplitterConfig(kind="rules", tagger="small"), [whole, hints()])
    batch = [
        selected("It was a great day.", "t/Tone"),
        selected(text, "t/Say"),
        selected("He ran to the house.", ""),
    ]
    assert [found.by for found in mixed.split(batch)] == ["label-word", "first-words", "last-phrase"]
    assert "first words (1 task), others: rules" in mixed.name
    [short] = alone.split([selected("Go home.", "t/Say")])
    assert short.place is None


def test_the_way_is_told_by_the_answers() -> None:
    tagger = get_tagger("small")
    targets = {kind: [row.target for row in draw_split(task(kind), shots=None, seed=0).train] for kind in
               ("multiple-choice", "classification", "text-to-text")}  # fmt: skip
    found = {kind: way_of(task(kind), some, tagger) for kind, some in targets.items()}
    assert found == {"multiple-choice": "span", "classification": "label-word", "text-to-text": "first-words"}
    assert way_of(task("text-to-text"), [], tagger) == "span"
    for kind, way in found.items():
        assert all(sentence.startswith(f"own-{kind} (") for sentence in told(task(kind), way, model=True))
    assert "other sentences give no pair" in told(task("classification"), "label-word", model=False)[0]
    completion = task_from_rows([{"head": "hammer", "tail": "It pounds the nails."}], name="own")
    assert way_of(completion, ["It pounds the nails."], tagger) == "span" and not told(
        completion, "span", model=True
    )


@pytest.mark.parametrize(
    ("kind", "sentence", "target"),
    [
        ("multiple-choice", "Where do people usually keep the milk? The answer is the cold fridge.", "the cold fridge"),
        ("classification", "The plot drags on It was awful.", "awful"),
        ("text-to-text", "Milk, stand. In a sentence: The milk stands in the cold fridge.", "The milk stands in the cold fridge."),
    ],
)  # fmt: skip
def test_rows_are_written_as_the_task_reads(kind: str, sentence: str, target: str) -> None:
    rows = draw_split(task(kind), shots=None, seed=0).train
    assert (sentence, target) in [(one.sentence, one.target) for one in verbalise(task(kind), rows, seed=0)]


def test_without_a_phrase_the_answer_follows_the_input_and_long_inputs_lose_their_beginning() -> None:
    rows = [
        {"text": "one two three", "text2": "four " * 50, "label": "yes"},
        {"text": "five", "text2": "six", "label": "no"},
    ]
    own = task_from_rows(rows, kind="classification", name="own", columns={"text2": "text2"})
    first, second = verbalise(own, draw_split(own, shots=None, seed=0).train, seed=0)
    written = {first.target: first.sentence, second.target: second.sentence}
    assert written["no"] == "Five six no."
    assert len(written["yes"].split()) == 41 and written["yes"].endswith("four four yes.")


def selector(**config: object) -> Selector:
    phrases = [["{{ text }} It was"], ["The {{ head }} is used for"]]
    return Selector(SelectConfig.model_validate(config), phrases, None, Normaliser(), [LABELS, {}])


def test_words_of_labels_select_and_a_phrase_counts_beside_one_alone() -> None:
    import numpy as np

    texts = [
        "After all it was great.",
        "The day was great.",
        "After all it was long.",
        "A hammer is used for bad work.",
    ]
    words, lots = [Normaliser()(text) for text in texts], np.zeros(4, np.uint64)
    assert selector().fits(texts, words, lots) == [
        [(0, 2.0, "phrase", "positive")], [(0, 1.0, "label-word", "positive")], [], [(1, 1.0, "phrase", "")],
    ]  # fmt: skip
    shared = selector(shared=True).fits(texts[3:], words[3:], lots[3:])
    assert shared == [[(0, 1.0, "label-word", "negative"), (1, 1.0, "phrase", "")]]
    assert selector(phrases=False).fits(texts, words, lots) == [[], [], [], []]


def test_a_model_is_trained_only_where_some_task_looks_for_a_span(tmp_path: Path) -> None:
    def order(*kinds: str) -> MakerOrder:
        tasks = tuple(task(kind) for kind in kinds)
        splits = tuple(draw_split(one, shots=4, seed=0) for one in tasks)
        return MakerOrder(tmp_path, tasks, splits, True, 0, {"splitter": {"tagger": "small"}})

    given = KIND.set_up(order("text-to-text"))
    assert given["model"] is None and not list(tmp_path.iterdir())
    assert [one["way"] for one in given["hints"]] == ["first-words"] and "whole sentences" in given["notes"][
        0
    ]
