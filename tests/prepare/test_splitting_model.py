"""The model splitter: its sentences, what it learns from them, and what of its answers counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mto.errors import DataError, RunError
from mto.prepare.splitting import (
    ModelSplitter,
    SplitterConfig,
    SplitterSettings,
    build_splitter,
    held_out_triples,
    judge,
    learning_triples,
    train_splitter,
    verbalise,
)
from mto.prepare.splitting.measure import mean
from mto.tasks import draw_split, load_task
from tests.conftest import bart_model, word_tokenizer
from tests.conftest import loaded as wrap
from tests.prepare.toy import Last, selected, triples

SETTINGS = SplitterSettings(steps=300, rate=3e-3, batch_rows=8)


def test_triples_are_plain_sentences() -> None:
    task = load_task("household/xIntent")
    rows = draw_split(task, shots=20, seed=0).train
    written = verbalise(task, rows, seed=0)
    assert len(written) == 20 * len(task.phrases) and written == verbalise(task, rows, seed=0)
    assert written != verbalise(task, rows, seed=1)
    with_placeholder = [one for one in written if "PersonX" in one.sentence]
    assert 0 < len(with_placeholder) < len(written) / 2
    for one in written:
        assert one.sentence.endswith((f"{one.target}.", one.target)) and one.sentence[0].isupper()
    assert verbalise(task, rows, seed=0, phrases=["{{ head }}, so"])[0].sentence.count(", so ") == 1


def test_no_relation_of_the_tasks_comes_from_the_library_and_no_test_row_from_anywhere() -> None:
    task = load_task("household/ObjectUse")
    split = draw_split(task, shots=4, seed=0)
    found = learning_triples([task], [split], library="household", rows=10, seed=0)
    own = [one for one in found if one.task == task.name]
    assert len(own) == len(split.train + split.dev) * len(task.phrases)
    assert {one.task for one in found} > {"household/xWant", "household/AtLocation"}
    assert len(learning_triples([task], [split], library=None, rows=10, seed=0)) == len(own)
    sentences = {one.sentence for one in found}
    asked = held_out_triples(task, heads=5)
    assert len(asked) == 5 and not sentences & {one.sentence for one in asked}


@pytest.fixture(scope="module")
def taught() -> ModelSplitter:
    """A tiny checkpoint that has learnt the toy sentences."""
    tokenizer = word_tokenizer()
    return train_splitter(wrap(bart_model(tokenizer), tokenizer, "tiny"), triples(), SETTINGS)


def decoding(taught: ModelSplitter, how: str) -> ModelSplitter:
    return replace(taught, settings=taught.settings.model_copy(update={"decoding": how}))


@pytest.mark.parametrize("how", ["free", "spans"])
def test_it_learns_where_the_target_begins(taught: ModelSplitter, how: str) -> None:
    trained = decoding(taught, how)
    hits = judge(trained, triples())
    assert mean(hit.exact for hit in hits) > 0.9 and {hit.by for hit in hits if hit.kept} == {"model"}
    assert trained.relations == ("toy/Use",) and f"1 relations, 300 steps, {how}" in trained.name
    assert trained.split([]) == []


def test_what_does_not_stand_in_the_sentence_or_does_not_end_is_dropped(taught: ModelSplitter) -> None:
    [found] = taught.split([selected("the cat is used for water.")])
    assert found.place is None and found.why == "span not in the sentence"  # it has learnt "… food"
    short = replace(taught, max_new_tokens=1)
    assert {one.place for one in short.split([selected(one.sentence) for one in triples()])} == {None}
    one, none = decoding(taught, "spans").split([selected("the cat is used for water."), selected("cat.")])
    assert one.place is not None and none.place is None and none.why == "no span"


def test_it_is_saved_and_read_back_and_equal_inputs_give_equal_weights(
    tiny_bart: Any, tmp_path: Path
) -> None:
    quick = SETTINGS.model_copy(update={"steps": 3})
    before = {name: tensor.clone() for name, tensor in tiny_bart.model.state_dict().items()}
    trained, same = (train_splitter(tiny_bart, triples(), quick) for _ in range(2))
    assert trained.loaded.revision == same.loaded.revision != trained.base_revision
    assert all((tensor == before[name]).all() for name, tensor in tiny_bart.model.state_dict().items())
    trained.save(tmp_path / "splitter", dtype="float32")
    again = ModelSplitter.load(tmp_path / "splitter")
    batch = [selected(one.sentence) for one in triples()]
    assert again.split(batch) == trained.split(batch)
    assert (again.name, again.settings, again.max_new_tokens) == (
        trained.name,
        trained.settings,
        trained.max_new_tokens,
    )
    (tmp_path / "splitter" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"notes\.txt"):
        trained.save(tmp_path / "splitter")
    with pytest.raises(RunError, match="no splitter"):
        ModelSplitter.load(tmp_path)


def test_bad_input(tiny_bart: Any) -> None:
    with pytest.raises(DataError, match="no labelled triples"):
        train_splitter(tiny_bart, [])
    with pytest.raises(DataError, match="needs a trained model"):
        build_splitter(SplitterConfig(kind="model"), ())
    assert build_splitter(SplitterConfig(kind="rules", tagger="small"), ()).name == "rules"


def test_hits_are_counted_by_words() -> None:
    given = triples()[:1]  # "the hammer is used for red food."
    [exact], [short], [long] = (judge(Last(words), given) for words in (2, 1, 4))
    assert exact.exact and exact.overlap == 1.0
    assert not short.exact and short.overlap == pytest.approx(2 / 3)
    assert not long.exact and long.overlap == pytest.approx(2 * 2 / 6)
    [none] = judge(Last(), [replace(given[0], sentence="nothing for red food.")])
    assert not none.kept and none.overlap == 0.0
