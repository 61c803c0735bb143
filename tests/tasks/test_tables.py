"""Files of rows: each format, and what is said about each way in which a file can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.tasks.tables import cell_texts, read_table, table_from_rows


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_is_quoted_and_lines_are_counted_through_line_breaks_in_cells(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.csv", 'head,tail\n"a, b","say ""x""\nmore"\r\nc,d\n'))
    assert table.columns == ("head", "tail")
    assert table.rows == ((2, ("a, b", 'say "x"\nmore')), (4, ("c", "d")))


def test_tsv_is_not_quoted(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.tsv", 'head\ttail\n"a\tb"\u2028c\n\n\tx\n\n'))
    assert table.rows == ((2, ('"a', 'b"\u2028c')), (3, ()), (4, ("", "x")))


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    assert read_table(put(tmp_path, "a.csv", b"\xef\xbb\xbfhead,tail\na,b\n")).columns == ("head", "tail")


def test_jsonl_has_the_union_of_keys(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", '{"head": "a", "tail": ["b", "c"]}\n\n{"head": "d", "more": 1}\n')
    table = read_table(path)
    assert table.columns == ("head", "tail", "more")
    assert table.rows == ((1, ("a", ["b", "c"], None)), (2, ()), (3, ("d", None, 1)))


def test_parquet(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"head": ["a", "b"], "tail": [["x", "y"], ["z"]]}), path)
    assert read_table(path).rows == ((1, ("a", ["x", "y"])), (2, ("b", ["z"])))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", " \n\n", "the file is empty"),
        ("a.csv", "head,tail\n", "a header and no rows"),
        ("a.csv", "head,head\na,b\n", "'head' stands twice"),
        ("a.csv", "head,tail\na,b,c\nx,y\nz\n", "2 cells expected.*line 2 has 3, line 4 has 1"),
        ("a.csv", 'head,tail\na,"b\n', r"a\.csv:2: not valid CSV"),
        ("a.tsv", "head\ttail\na\n", "line 2 has 1"),
        ("a.jsonl", '{"head": "a"}\n{"head": \n', r"a\.jsonl:2: not valid JSON"),
        ("a.jsonl", "[1]\n", "expected an object, found list"),
        ("a.parquet", "no parquet", "not a Parquet file"),
        ("a.txt", "x", r"'\.txt' tells no format"),
        ("a.csv", "head,tail\na,b\n".encode("utf-16"), "UTF-16"),
        ("a.csv", b"head,tail\na,b\nc,caf\xe9\n", r"a\.csv:3: not UTF-8: byte 19 \(0xe9\)"),
        ("a.csv", b"\xef\xbb\xbfhead,tail\nc,caf\xe9\n", r"a\.csv:2: not UTF-8: byte 18 \(0xe9\)"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(put(tmp_path, name, content))


def test_a_missing_file_lists_its_neighbours(tmp_path: Path) -> None:
    put(tmp_path, "training.csv", "head,tail\na,b\n")
    with pytest.raises(DataError, match=r"no such file\n.*holds training\.csv"):
        read_table(tmp_path / "train.csv")


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        (" a ", ("a",)),
        (None, ("",)),
        (float("nan"), ("",)),
        (3, ("3",)),
        (["a", " b"], ("a", "b")),
        ([], ("",)),
    ],
)
def test_what_a_cell_may_hold(cell: object, texts: tuple[str, ...]) -> None:
    assert cell_texts(cell, "here") == texts


@pytest.mark.parametrize("cell", [True, {"a": 1}, b"x", "half \ud800"])
def test_what_a_cell_may_not_hold(cell: object) -> None:
    with pytest.raises(DataError, match="here: "):
        cell_texts(cell, "here")


@given(st.lists(st.fixed_dictionaries({"head": st.text(), "tail": st.text()}), min_size=1, max_size=5))
def test_rows_in_memory_keep_every_text(rows: list[dict[str, str]]) -> None:
    table = table_from_rows(rows, name="rows")
    assert [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows] == rows
    assert table.sha256 == table_from_rows(json.loads(json.dumps(rows)), name="other").sha256


def test_rows_in_memory_that_are_none() -> None:
    with pytest.raises(DataError, match="there are no rows"):
        table_from_rows([], name="rows")
    with pytest.raises(DataError, match="rows:2: a row must be a mapping, found str"):
        table_from_rows([{"head": "a"}, "b"], name="rows")  # type: ignore[list-item]
