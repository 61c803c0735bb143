"""Reading and cutting plain text."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mto.errors import DataError
from mto.prepare.opening import read_lines
from mto.prepare.sentences import sentences
from mto.pretrain.text import find_files


def test_every_kind_of_file_gives_the_same_lines(tmp_path: Path) -> None:
    text = "One line.\n\n  Two, with an é.  \n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with lzma.open(tmp_path / "b.xz", "wt", encoding="utf-8") as file:
        file.write(text)
    with gzip.open(tmp_path / "c.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    files = find_files(["*.txt", "*.xz", "*.gz", "a.*"], tmp_path)
    assert [f.name for f in files] == ["a.txt", "b.xz", "c.gz"]
    assert all(list(read_lines(f)) == ["One line.", "Two, with an é."] for f in files)


def test_missing_unknown_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file matches"):
        find_files(["*.txt"], tmp_path)
    (tmp_path / "a.zip").write_bytes(b"x")
    with pytest.raises(DataError, match=r"cannot read '\.zip'"):
        find_files(["*"], tmp_path)
    (tmp_path / "b.txt").write_bytes(b"good\nbad \xff\n")
    with pytest.raises(DataError, match=r"b\.txt:\d: is not UTF-8"):
        list(read_lines(tmp_path / "b.txt"))
    (tmp_path / "c.xz").write_bytes(lzma.compress(b"good line\n" * 1000)[:-20])
    with pytest.raises(DataError, match=r"c\.xz"):
        list(read_lines(tmp_path / "c.xz"))


@given(st.text(alphabet="abcA B.!?\"'’) \n5", max_size=80))
def test_cutting_loses_nothing_but_blanks(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert all(piece.strip() == piece and piece for piece in sentences(text))


def test_common_sentences() -> None:
    assert sentences("It rained. We stayed! Why? Because.") == [
        "It rained.",
        "We stayed!",
        "Why?",
        "Because.",
    ]
    assert sentences("Dr. Who met Mrs. J. Smith in St. Ives. He left.") == [
        "Dr. Who met Mrs. J. Smith in St. Ives.",
        "He left.",
    ]
    assert sentences("It costs 3.50 now. e.g. this one") == ["It costs 3.50 now. e.g. this one"]
