"""Small parts of the pipeline: who works, how far it is, rows of files, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.errors import DataError, RunError, error_from_json, error_json
from mto.pipeline import machine
from mto.pipeline.clock import working_hours
from mto.pipeline.names import known_names
from mto.pipeline.progress import asked_to_stop
from mto.pipeline.streams import read_rows, write_rows


@pytest.mark.parametrize(
    ("cores", "memory", "cells", "threads", "device", "workers"),
    [
        (8, 1e12, 100, 1, "cpu", 8),
        (8, 1e12, 3, 1, "cpu", 3),  # no more than cells
        (8, 1e12, 100, 4, "cpu", 2),  # threads share the cores
        (8, 3e9, 100, 1, "cpu", 1),  # no more than memory allows
        (8, 1e9, 100, 1, "cpu", 1),  # but always one
        (8, 1e12, 100, 1, "cuda", 1),  # one a GPU
    ],
)
def test_as_many_workers_as_fit(
    monkeypatch: pytest.MonkeyPatch, cores: int, memory: float, cells: int, threads: int, device: str, workers: int
) -> None:  # fmt: skip
    monkeypatch.setattr(machine, "usable_cores", lambda: cores)
    monkeypatch.setattr(machine, "free_memory", lambda: memory)
    assert machine.default_workers(cells, 27_000_000, threads=threads, device=device) == workers


def test_a_container_with_fewer_cores_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    alone = machine.usable_cores()
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert machine.usable_cores() == 1 <= alone
    assert machine.free_memory() == 3000


def test_interruptions_are_left_out_of_the_hours() -> None:
    events = [
        {"kind": "start", "time": 0}, {"kind": "cell", "time": 1800}, {"kind": "interrupted", "time": 3600},
        {"kind": "start", "time": 90000}, {"kind": "finished", "time": 93600},
    ]  # fmt: skip
    assert working_hours(events) == 2.0
    assert working_hours([]) == 0.0


def test_an_interrupt_is_known_by_what_it_became() -> None:
    error = RuntimeError("in the making of a class")
    error.__cause__ = KeyboardInterrupt()
    assert asked_to_stop(error) and not asked_to_stop(RuntimeError())


def test_an_error_survives_the_way_from_a_worker() -> None:
    error = DataError("bad", hint="mend it", where="a.csv:3")
    back = error_from_json(error_json(error))
    assert type(back) is DataError and str(back) == str(error)


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_what_is_written_is_read_back(tmp_path: Path, form: str) -> None:
    file = tmp_path / f"rows.{form}"
    rows = [{"head": 'a "big", dog', "n": "1"}, {"head": "ü", "n": ""}]
    with write_rows(file, ["head", "n"]) as write:
        for row in rows:
            write.write(row)
    with read_rows(file) as read:
        assert read.columns == ("head", "n")
        assert [row for _, row in read.rows] == rows


def test_cells_of_several_lines_keep_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('head\n"two\nlines"\nlast\n')
    with read_rows(tmp_path / "a.csv") as read:
        assert [(where.rpartition(":")[2], row["head"]) for where, row in read.rows] == [
            ("2", "two\nlines"), ("4", "last"),
        ]  # fmt: skip


def test_a_file_that_is_not_finished_has_another_name(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), write_rows(tmp_path / "a.csv", ["head"]) as write:
        write.write({"head": "x"})
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv.part"]
    with pytest.raises(RunError, match="no such folder"), write_rows(tmp_path / "no" / "a.csv", ["head"]):
        pass


def test_names_of_every_kind_have_the_same_columns() -> None:
    for kind in ("tasks", "families", "objectives", "metrics"):
        rows = known_names(kind)
        assert rows and len({tuple(row) for row in rows}) == 1
