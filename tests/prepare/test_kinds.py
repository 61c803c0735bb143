"""Whole preparations for tasks of all kinds with items: questions, texts with labels, sources with targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mto.prepare import PrepareConfig, prepare_config, read_pairs, read_prepared
from mto.prepare.run import plan
from tests.prepare.items import FILES, LEAKS, write_tasks, write_text
from tests.prepare.text import config, files

KINDS = tuple(FILES)


def asked(folder: Path, **changes: Any) -> Any:
    """A preparation of the three tasks together with the real maker and its rules."""
    text = write_text(folder / "text.txt")
    values: dict[str, Any] = {
        "tasks": write_tasks(folder / "tasks"), "shots": 4, "maker": "splitter",
        "making": {"splitter": {"kind": "rules", "tagger": "small"}},
        "select": {"per_task": 10, "held_out": 2, "near_duplicates": None}, "piece_bytes": 100_000,
    }  # fmt: skip
    return config(text, **{**values, **changes})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("items")
    prepare_config(asked(folder), folder / "out")
    return folder / "out"


def test_each_kind_has_its_pairs(done: Path) -> None:
    pairs = {kind: [pair for pair in read_pairs(done) if pair.task == f"own-{kind}"] for kind in KINDS}
    assert all(pairs.values())
    assert {pair.by for pair in pairs["multiple-choice"]} == {"last-phrase"}
    assert any(pair.target.startswith("the shelf") for pair in pairs["multiple-choice"])
    for pair in pairs["classification"]:
        assert pair.by == "label-word" and pair.target in ("great", "awful", "lovely")
    for pair in pairs["text-to-text"]:
        assert (pair.by, pair.objective, pair.probability, pair.after) == ("first-words", "lm", 0.0, "")
        assert 2 <= len(pair.before.split()) < len(pair.target.split())


def test_labels_take_turns(done: Path) -> None:
    found = [pair.target for pair in read_pairs(done) if pair.task == "own-classification"]
    # Four of twelve sentences hold "awful": all of them are taken, before "great" fills the rest.
    assert found.count("awful") == 4 and found.count("great") == 6
    assert read_prepared(done).making["task: label-word 'awful'"] == 4


def test_leaks_of_every_kind_are_dropped_and_told(done: Path) -> None:
    found = read_prepared(done)
    kept = [pair.sentence for which in ("task", "general") for pair in read_pairs(done, which)]
    for kind, leak in zip(KINDS, found.leaks, strict=True):
        assert LEAKS[kind] not in kept
        assert (leak.triples, leak.unusable, leak.found, leak.dropped) == (4, 0, 1, 1)
        assert leak.examples[0][0] == LEAKS[kind]
    assert found.steps["dropped for a test example"] == 3


def test_what_does_not_apply_stands_in_the_datasheet(done: Path) -> None:
    sheet = (done / "datasheet.md").read_text(encoding="utf-8")
    assert "What applies to these tasks" in sheet and "its answers are whole sentences" in sheet
    assert "the last word of a label in a sentence is its target (good: great, lovely; bad: awful)" in sheet
    assert "other sentences give no pair" in sheet and "told above" in sheet
    selection = {one.task: one.chosen for one in read_prepared(done).selection}
    assert set(selection["own-classification"]) == {"label-word"} and selection["own-text-to-text"]["bm25"]


def test_sizes_of_pieces_and_parts_change_no_pair(done: Path, tmp_path: Path) -> None:
    prepare_config(asked(tmp_path, piece_bytes=700, part_sentences=5), tmp_path / "out")
    ours, calm = files(tmp_path / "out"), files(done)
    pairs = [name for name in calm if name.endswith(".parquet")]
    assert pairs and all(ours[name] == calm[name] for name in pairs)
    assert ours["held-out.txt"] == calm["held-out.txt"]


def test_a_plan_counts_the_items_that_are_looked_for(tmp_path: Path) -> None:
    planned = plan(asked(tmp_path))
    assert planned["guarded"] == 12 and [one["rows"] for one in planned["tasks"]] == [4, 4, 4]
    assert json.dumps(planned)


def test_a_small_task_says_how_many_rows_are_looked_at(tmp_path: Path) -> None:
    values = asked(tmp_path).model_dump(exclude_unset=True)
    values.pop("shots")
    tasks = values["tasks"]
    file = Path(tasks[0])
    file.write_text(file.read_text(encoding="utf-8") + "shots: 3\n", encoding="utf-8")
    said = PrepareConfig.model_validate(values)
    assert prepare_config(said, tmp_path / "three").shots == 3
    other = PrepareConfig.model_validate({**values, "tasks": tasks[1:]})
    assert prepare_config(other, tmp_path / "all").shots == 4  # as many as there are
    all_rows = said.model_copy(update={"shots": None})
    assert prepare_config(all_rows, tmp_path / "none").shots is None
