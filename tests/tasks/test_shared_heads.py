"""Heads that stand in several files: which side keeps them, and that it is told when a test set shrinks by them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mto.errors import ConfigError, DataError
from mto.pipeline.validating import validate_task
from mto.tasks import Task, draw_split, list_tasks, load_task
from mto.tasks.inspecting import inspect_task

RELATIONS = [entry.name for entry in list_tasks() if entry.name.startswith("conceptnet100k/")]
FILE = """name: own
data:
  SHARED
  splits: {train: train.csv, dev: dev.csv, test: test.csv}
relations:
  Use: {phrases: ["{{ head }} is used for"]}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Of 30 train heads the last three stand in dev, of dev's 6 the last three in test; one head stands in all files."""
    for split, numbers in (("train", range(30)), ("dev", range(27, 33)), ("test", [29, *range(30, 41)])):
        rows = "".join(f"thing {n},use {n}\n" for n in numbers)
        (tmp_path / f"{split}.csv").write_text(f"head,tail\n{rows}")
    return tmp_path / "own.yaml"


def numbers(task: Task, split: str) -> list[int]:
    return [int(example.head.removeprefix("thing ")) for example in getattr(task, split)]


def load(own: Path, shared: str, **more: str) -> Task:
    own.write_text(FILE.replace("  SHARED\n", f"  {shared}\n" if shared else ""))
    return load_task(own, **more)


def test_the_test_file_keeps_its_heads_where_asked(own: Path) -> None:
    task = load(own, "shared_heads: test")
    assert numbers(task, "test") == [29, *range(30, 41)]
    assert numbers(task, "dev") == [27, 28]  # not those of test
    assert numbers(task, "train") == list(range(27))  # nor those of dev
    assert task.warnings == () and len(task.tested) == 12
    split = draw_split(task, shots=20, seed=1)
    assert len(split.test) == 12 and len(split.dev) == 2
    assert not {row.id for row in (*split.train, *split.dev)} & {example.id for example in split.test}


@pytest.mark.parametrize("shared", ["", "shared_heads: train"])
def test_else_train_and_dev_keep_them_and_it_is_told(own: Path, shared: str) -> None:
    task = load(own, shared)
    assert (len(task.train), len(task.dev), len(task.test)) == (30, 6, 12)
    assert [example.head for example in task.tested] == [f"thing {n}" for n in range(33, 41)]
    assert draw_split(task, shots=5, seed=0).test == task.tested
    assert len(task.warnings) == 3 + 4
    first, *others = task.warnings
    assert first.where.endswith("test.csv:2") and str(first).endswith(
        "'thing 29' stands in train as well as in test; of 12 test heads 4 stand in train or dev too and are not tested on"
    )
    assert not any("not tested on" in str(one) for one in others)


def test_few_shared_heads_are_told_one_by_one_only(own: Path) -> None:
    (own.parent / "dev.csv").write_text("head,tail\nother,use\n")
    task = load(own, "")
    assert [w.kind for w in task.warnings] == ["head-in-two-splits"] and "not tested" not in str(
        task.warnings[0]
    )
    assert len(task.tested) == 11


def test_data_that_are_given_are_arranged_as_well(own: Path, tmp_path: Path) -> None:
    task = load(own, "folder: null\n  shared_heads: test", data=str(tmp_path))
    assert len(draw_split(task, shots=0, seed=0).test) == 12
    rows = {"train": [{"head": x, "tail": "b"} for x in "abc"], "test": [{"head": "a", "tail": "b"}]}
    assert [example.head for example in load_task(own, data=rows).train] == ["b", "c"]


def test_a_train_file_of_which_nothing_is_left_is_an_error(own: Path) -> None:
    (own.parent / "test.csv").write_text((own.parent / "train.csv").read_text())
    with pytest.raises(DataError, match="every train head stands in dev or test as well"):
        load(own, "shared_heads: test")
    found = inspect_task(own)
    assert [(one.level, one.check) for one in found.findings if one.level == "error"] == [
        ("error", "overlap")
    ]
    with pytest.raises(DataError, match="every test head stands in train or dev") as caught:
        draw_split(load(own, ""), shots=0, seed=0)
    assert "data.shared_heads: test" in str(caught.value)
    found = inspect_task(own)  # a run of it would stop, so it is an error here too
    assert [one.message for one in found.findings if one.level == "error"] == [
        "every test head stands in train or dev as well"
    ]


def test_another_side_is_refused(own: Path) -> None:
    with pytest.raises(ConfigError, match="shared_heads"):
        load(own, "shared_heads: dev")


def test_validate_tells_what_is_tested(own: Path) -> None:
    load(own, "shared_heads: test")
    found = validate_task(own, model=None)
    assert found.tasks[0].sizes == {"train": 27, "dev": 2, "test": 12} and found.tasks[0].tested == 12
    assert not [one for one in (*found.errors, *found.warnings) if one.check == "overlap"]
    load(own, "")
    found = validate_task(own, model=None)
    assert found.tasks[0].sizes["test"] == 12 and found.tasks[0].tested == 8
    assert len([one for one in found.warnings if one.check == "overlap"]) == 7


def test_other_kinds_have_it_too(tmp_path: Path) -> None:
    for split, texts in (("train", "abcd"), ("test", "de")):
        rows = "".join(f"text {text},{'good' if text in 'ace' else 'bad'}\n" for text in texts)
        (tmp_path / f"{split}.csv").write_text(f"text,label\n{rows}")
    own = tmp_path / "own.yaml"
    own.write_text(
        "name: own\nkind: classification\nlabels: {good: {}, bad: {}}\nphrases: ['{{ text }} It was']\n"
        "data: {shared_heads: test, splits: {train: train.csv, test: test.csv}, max_test: 1}\n"
    )
    task = load_task(own)
    assert [example.head for example in task.train] == ["text a", "text b", "text c"] and len(
        task.tested
    ) == 1
    found = validate_task(own, model=None)
    assert found.tasks[0].sizes == {"train": 3, "dev": 0, "test": 2} and found.tasks[0].tested == 1


# ConceptNet-100k is cut by triples, not by heads: nearly all its test heads stand in the train file.


@pytest.mark.parametrize("name", RELATIONS)
def test_conceptnet_is_tested_on_every_head_of_its_test_file(name: str, shared_dir: Path) -> None:
    folder = shared_dir / "data" / "conceptnet100k"
    with (folder / "test.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    heads = {
        " ".join(head.split()).casefold() for head, relation, _ in rows if relation == name.split("/")[1]
    }
    assert len(heads) >= 4
    task = load_task(name, data=folder)
    for shots in (0, 30):
        split = draw_split(task, shots=shots, seed=2)
        assert {" ".join(example.head.split()).casefold() for example in split.test} == heads
        assert len(split.test) == len(heads) and len(split.train) == shots
        assert bool(split.dev) == bool(shots)
        assert not {row.id for row in (*split.train, *split.dev)} & {example.id for example in split.test}
    assert not any(warning.kind == "head-in-two-splits" for warning in task.warnings)


def test_conceptnet_is_inspected_as_it_is_loaded(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "conceptnet100k"
    found = inspect_task("conceptnet100k/UsedFor", data=folder)
    loaded = load_task("conceptnet100k/UsedFor", data=folder)
    (task,) = found.tasks
    assert (task.train, task.dev, task.test) == (loaded.train, loaded.dev, loaded.test)
    assert found.tested == {"conceptnet100k/UsedFor": 140}
    assert not [one for one in found.findings if one.message.count("as well as in")]


def test_validate_says_how_many_of_a_long_test_file_are_tested(shared_dir: Path) -> None:
    found = validate_task("commonsenseqa", data=shared_dir / "data" / "commonsenseqa", model=None)
    assert found.tasks[0].sizes["test"] > 1000
    assert found.tasks[0].tested == 500
