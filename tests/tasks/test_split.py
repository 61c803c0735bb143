"""Few-shot splits: sizes, disjoint heads, one seed one split, files and folds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import DataError, RunError
from mto.tasks import Split, Task, draw_split, folds, load_task, read_split, task_from_rows, write_split


def make(train: int, dev: int = 0, test: int = 0, tails: int = 2) -> Task:
    def rows(start: int, count: int) -> list[dict[str, object]]:
        return [
            {"head": f"thing {n}", "tail": [f"use {n} {t}" for t in range(tails)]}
            for n in range(start, start + count)
        ]

    parts = {"train": rows(0, train), "dev": rows(1000, dev), "test": rows(2000, test)}
    return task_from_rows({name: part for name, part in parts.items() if part}, name="Use")


def ids(rows) -> list[str]:
    return [row.id for row in rows]


@given(
    train=st.integers(1, 30),
    dev=st.integers(0, 10),
    test=st.integers(0, 10),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_what_every_split_keeps(train: int, dev: int, test: int, seed: int, data: st.DataObject) -> None:
    task = make(train, dev, test)
    shots = data.draw(st.none() | st.integers(0, train))
    split = draw_split(task, shots=shots, seed=seed, max_test=5)
    assert len(split.train) == (2 * train if shots is None else shots)
    assert len(set(ids(split.train))) == (train if shots is None else shots)
    assert len(split.dev) <= len(split.train)
    assert not set(ids(split.train)) & set(ids(split.dev))
    assert not set(ids(split.test)) & {*ids(split.train), *ids(split.dev)}
    assert len(split.test) == min(test, 5)
    assert all(row.references == (row.target,) for row in split.train)
    assert all(len(row.references) == 2 and row.target in row.references for row in split.dev)
    assert all(len(example.targets) == 2 for example in split.test)
    assert draw_split(task, shots=shots, seed=seed, max_test=5) == split


def test_a_seed_is_a_split_whatever_the_order_of_the_file() -> None:
    rows = [{"head": f"thing {n}", "tail": f"use {n}"} for n in range(40)]
    one, other = (
        draw_split(task_from_rows(part, name="Use"), shots=10, seed=3) for part in (rows, rows[::-1])
    )
    assert [(r.id, r.target) for r in (*one.train, *one.dev)] == [
        (r.id, r.target) for r in (*other.train, *other.dev)
    ]


def test_the_drawing_never_changes_between_versions() -> None:
    split = draw_split(make(40), shots=3, seed=123)
    assert [(row.head, row.target) for row in split.train] == [
        ("thing 11", "use 11 0"), ("thing 34", "use 34 0"), ("thing 38", "use 38 1"),
    ]  # fmt: skip


def test_seeds_draw_different_heads_and_one_test_set() -> None:
    task = make(40, 20, 40)
    splits = [draw_split(task, shots=8, seed=seed, max_test=10) for seed in range(5)]
    assert len({tuple(sorted(ids(split.train))) for split in splits}) == 5
    assert len({tuple(sorted(ids(split.dev))) for split in splits}) == 5
    assert len({tuple(ids(split.test)) for split in splits}) == 1
    assert ids(draw_split(task, shots=8, seed=0, max_test=10, test_seed=1).test) != ids(splits[0].test)


def test_every_tail_has_its_turn() -> None:
    targets = {row.target[-1] for row in draw_split(make(40), shots=40, seed=0).train}
    assert targets == {"0", "1"}


def test_fewer_shots_are_the_beginning_of_more() -> None:
    task = make(40, 10)
    few, many = (draw_split(task, shots=shots, seed=1) for shots in (5, 30))
    assert many.train[:5] == few.train and many.dev[:5] == few.dev


def test_dev_comes_from_the_remaining_train_heads_without_a_dev_file() -> None:
    split = draw_split(make(10), shots=6, seed=0)
    assert len(split.dev) == 4 and not set(ids(split.dev)) & set(ids(split.train))
    assert draw_split(make(10), shots=10, seed=0).dev == ()
    assert draw_split(make(10), shots=6, seed=0, dev=0).dev == ()


def test_heads_in_two_files_never_meet_in_a_split() -> None:
    rows = [{"head": f"thing {n}", "tail": "x"} for n in range(10)]
    task = task_from_rows({"train": rows, "dev": rows, "test": [*rows, {"head": "new", "tail": "x"}]})
    for seed in range(5):
        split = draw_split(task, shots=6, seed=seed)
        assert len(split.dev) == 4 and not set(ids(split.dev)) & set(ids(split.train))
        assert [example.head for example in split.test] == ["new"]
    with pytest.raises(DataError, match="every test head stands in train or dev"):
        draw_split(task_from_rows({"train": rows, "test": rows}), shots=1, seed=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shots": 11}, "11 shots asked for, the train data have 10 heads"),
        ({"shots": 4, "dev": 5}, "5 dev rows asked for with 4 shots"),
        ({"shots": 8, "dev": 3}, "3 dev rows asked for, the train heads that were not drawn give 2"),
        ({"shots": -1}, "shots is -1"),
    ],
)
def test_numbers_that_make_no_sense(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        draw_split(make(10), seed=0, **arguments)


# Files


@pytest.mark.parametrize("shots", [0, 5, None])
def test_files_read_back_identically(tmp_path: Path, shots: int | None) -> None:
    split = draw_split(load_task("household/ObjectUse"), shots=shots, seed=7, max_test=10)
    folder = write_split(split, tmp_path / "split")
    assert sorted(path.name for path in folder.iterdir()) == [
        "dev.jsonl",
        "split.json",
        "test.jsonl",
        "train.jsonl",
    ]
    again = read_split(folder)
    assert again == split and again.digest == split.digest
    info = json.loads((folder / "split.json").read_text())
    assert info["seed"] == 7 and info["sizes"]["test"] == 10
    assert info["source"] == dict(load_task("household/ObjectUse").source.files)


@settings(max_examples=20)
@given(st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip))
def test_any_text_survives_the_files(tmp_path: Path, head: str, tail: str) -> None:
    split = draw_split(task_from_rows([{"head": head, "tail": tail}]), shots=1, seed=0)
    assert read_split(write_split(split, tmp_path / "split")) == split


def test_equal_splits_give_equal_bytes_wherever_the_data_lie(tmp_path: Path) -> None:
    found = []
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.csv").write_text("head,tail\n" + "".join(f"thing {n},use {n}\n" for n in range(9)))
        split = draw_split(load_task(folder / "a.csv"), shots=4, seed=0)
        out = write_split(split, folder / "split")
        found.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert found[0] == found[1]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match=r"holds other files \(thesis\.txt\)"):
        write_split(draw_split(make(3), shots=1, seed=0), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_damaged_files_are_named(tmp_path: Path) -> None:
    folder = write_split(draw_split(make(5), shots=3, seed=0), tmp_path / "split")
    lines = (folder / "train.jsonl").read_text().splitlines()
    (folder / "train.jsonl").write_text("\n".join(lines[:2]) + "\n")
    with pytest.raises(DataError, match=r"2 rows, but split\.json says 3"):
        read_split(folder)
    (folder / "train.jsonl").write_text("\n".join([lines[0], lines[1][:20], lines[2]]))
    with pytest.raises(DataError, match=r"train\.jsonl:2: not a row"):
        read_split(folder)
    (folder / "split.json").unlink()
    with pytest.raises(RunError, match="no such file"):
        read_split(folder)


# Folds


@given(heads=st.integers(2, 20), seed=st.integers(0, 20), data=st.data())
def test_folds_hold_out_every_head_once(heads: int, seed: int, data: st.DataObject) -> None:
    split = draw_split(make(heads), shots=None, seed=seed)
    k = data.draw(st.integers(2, heads))
    parts = folds(split, k)
    assert sorted(i for part in parts for i in ids(part.test)) == sorted(set(ids(split.train)))
    sizes = [len(part.test) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    for part in parts:
        assert not set(ids(part.test)) & set(ids(part.train)) and part.dev == ()
        assert all(len(example.targets) == 2 for example in part.test)
        assert len(part.train) + sum(len(e.targets) for e in part.test) == len(split.train)


def test_folds_never_show_more_labels_than_the_shots() -> None:
    split = draw_split(make(20), shots=6, seed=0)
    for part in folds(split, 3):
        assert all(len(example.targets) == 1 for example in part.test)


def test_folds_inside_a_fold(tmp_path: Path) -> None:
    split = draw_split(make(12), shots=None, seed=0)
    outer = folds(split, 3)[1]
    inner = folds(outer, 2)[0]
    assert inner.fold == "2/3, 1/2"
    assert set(ids(inner.train)) | set(ids(inner.test)) == set(ids(outer.train))
    assert isinstance(inner, Split) and read_split(write_split(inner, tmp_path / "fold")) == inner


@pytest.mark.parametrize("k", [0, 1, 4])
def test_folds_that_make_no_sense(k: int) -> None:
    with pytest.raises(DataError, match=r"the split has 3 heads\n.*from 2 to 3 folds"):
        folds(draw_split(make(5), shots=3, seed=0), k)
