"""Run folders: whole files or none, steps that count only with their key, configurations that may not change."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mto.errors import RunError
from mto.runs import RunFolder, atomic_directory, environment, own_folder, read_json, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_text(tmp_path / "a.txt", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="the disk is full"):
        write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    with pytest.raises(ZeroDivisionError), atomic_directory(place) as temporary:
        (temporary / "half").write_text("x")
        raise ZeroDivisionError
    assert not place.exists() and not list(tmp_path.iterdir())
    for text in ("one", "two"):  # the second replaces the first
        with atomic_directory(place) as temporary:
            (temporary / "file").write_text(text)
    assert (place / "file").read_text() == "two" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_replaces_one_of_its_own_kind_and_nothing_else(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with own_folder(tmp_path / "mine", "file", ("more",)) as folder:
            (folder / "file").write_text(text)
    assert (tmp_path / "mine" / "file").read_text() == "two"
    (tmp_path / "mine" / "thesis").write_text("precious")
    (tmp_path / "plain").write_text("precious")
    (tmp_path / "theirs" / "more").mkdir(
        parents=True
    )  # a name that we use too, but no file of ours beside it
    for place, why in (
        ("mine", r"holds other files \(thesis\)"),
        ("plain", "is a file"),
        ("theirs", r"\(more\)"),
    ):
        with pytest.raises(RunError, match=why), own_folder(tmp_path / place, "file", ("more",)):
            pytest.fail("the block must not begin")
    assert (tmp_path / "theirs" / "more").is_dir()
    assert (tmp_path / "mine" / "thesis").read_text() == (tmp_path / "plain").read_text() == "precious"


def test_equal_values_give_equal_bytes_and_nan_is_refused(tmp_path: Path) -> None:
    a, b = write_json(tmp_path / "a", {"x": 1, "a": "é"}), write_json(tmp_path / "b", {"a": "é", "x": 1})
    assert a.read_bytes() == b.read_bytes() and read_json(a) == {"x": 1, "a": "é"}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "c", float("nan"))
    write_text(tmp_path / "d", '{"half": ')
    with pytest.raises(RunError, match="not valid JSON"):
        read_json(tmp_path / "d")


def test_a_step_counts_only_with_its_key(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {"shots": 30, "seeds": (0, 1)})
    assert folder.done("cell", "k1") is None
    folder.finish("cell", "k1", {"score": 1.5})
    assert folder.done("cell", "k1") == {"score": 1.5} and folder.done("cell", "k2") is None
    again = RunFolder.create(tmp_path / "run", {"seeds": [0, 1], "shots": 30})
    assert again.done("cell", "k1") == {"score": 1.5}
    again.reset("cell")
    assert again.done("cell", "k1") is None


def test_a_changed_configuration_or_a_strange_folder_is_refused(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", {"shots": 30, "model": "mini"})
    with pytest.raises(RunError, match=r"different: shots"):
        RunFolder.create(tmp_path / "run", {"shots": 16, "model": "mini"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("x")
    with pytest.raises(RunError, match="holds no run"):
        RunFolder.create(tmp_path / "other", {})
    with pytest.raises(RunError, match="is no run folder"):
        RunFolder.open(tmp_path / "nothing")


def test_events_survive_a_line_cut_short(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    folder.event("start", step=1)
    with (folder.path / "events.jsonl").open("a") as file:
        file.write('{"time": 1, "ki')
    assert [event["kind"] for event in folder.events()] == ["start"]


def test_the_environment_names_no_place_of_this_machine() -> None:
    found = environment()
    assert found["packages"]["torch"] and found["cores"] >= 1
    assert str(Path.home()) not in repr(found) and os.uname().nodename not in repr({**found, "system": ""})
