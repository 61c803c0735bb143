"""Raw text in all its forms: pieces lose and double no line, and what cannot be read is named."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import DataError
from mto.prepare.pieces import find_pieces
from mto.prepare.readers import read_piece
from mto.prepare.sentences import cutters

LINES = ["One line.", "", "Two, with an é.", "三 lines", "the last"]


def read(corpus: list[str], size: int = 1 << 20, column: str = "text") -> list[str]:
    """All texts, with the numbers that the pieces of a file add up to."""
    found: list[str] = []
    offsets: dict[int, int] = {}
    for piece in find_pieces(corpus, size, column=column):
        before = offsets.setdefault(piece.source, 0)
        for number, text in read_piece(piece, column):
            offsets[piece.source] = before + number
            if text:
                found.append(f"{piece.name}:{before + number}:{text}")
    return found


@settings(max_examples=200)
@given(
    lines=st.lists(st.text(alphabet="ab é\u3042", max_size=6), min_size=1, max_size=12),
    end=st.sampled_from(["", "\n", "\n\n", "\r\n"]),
    size=st.integers(1, 30),
)
def test_pieces_of_any_size_lose_and_double_no_line(
    lines: list[str], end: str, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    data = ("\n".join(lines) + end).encode()
    path.write_bytes(data or b"\n")
    assert read([str(path)], size) == read([str(path)])
    expected = [f"a.txt:{n}:{line.strip()}" for n, line in enumerate(lines, 1) if line.strip()]
    assert read([str(path)], size) == expected


def test_every_form_gives_the_same_texts(tmp_path: Path) -> None:
    plain = "\n".join(LINES).encode()
    rows = "\n".join(json.dumps({"text": line, "n": 1}) for line in LINES).encode()
    (tmp_path / "a.txt").write_bytes(plain)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "c.xz").write_bytes(lzma.compress(plain))
    (tmp_path / "d.jsonl").write_bytes(rows)
    (tmp_path / "e.jsonl.bz2").write_bytes(bz2.compress(rows))
    table = arrow.table({"text": LINES, "n": list(range(5))})
    parquet.write_table(table, tmp_path / "f.parquet", row_group_size=2)
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / "g.txt.zst").write_bytes(zstandard.compress(plain))
    for path in sorted(tmp_path.iterdir()):
        for size in (7, 1 << 20):
            texts = [row.split(":", 1)[1] for row in read([str(path)], size)]
            assert texts == ["1:One line.", "3:Two, with an é.", "4:三 lines", "5:the last"], (path, size)
    assert len(find_pieces([str(tmp_path / "f.parquet")], 1)) == 3


def test_a_saved_data_set_is_read(tmp_path: Path) -> None:
    import datasets

    data = datasets.Dataset.from_dict({"body": ["one", "two"]})
    datasets.DatasetDict({"test": data}).save_to_disk(str(tmp_path / "saved"))
    name = f"hf:{tmp_path / 'saved'}"
    assert read([name], column="body") == [f"{name}:1:one", f"{name}:2:two"]
    with pytest.raises(DataError, match=r"no split 'train' \(found: test\)"):
        find_pieces([f"{name}:train"], 10)
    with pytest.raises(DataError, match="no column 'text'"):
        find_pieces([name], 10)


def test_folders_globs_and_repeats(tmp_path: Path) -> None:
    for name in ("x/a.txt", "x/sub/a.txt", "x/notes.pdf", "y/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("line")
    folder, glob = str(tmp_path / "x"), str(tmp_path / "**" / "*.txt")
    assert read([folder]) == ["a.txt:1:line", "sub/a.txt:1:line"]
    assert len(read([folder, glob, folder])) == 3
    # Two files of one name from different places are told apart.
    assert read([glob])[0] == f"{tmp_path}/x/a.txt:1:line"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    def told(name: str, data: bytes, size: int = 1 << 20) -> str:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError) as error:
            read([str(tmp_path / name)], size)
        return str(error.value)

    assert "bad.txt:3: is not UTF-8" in told("bad.txt", b"good\n\nbad \xff\n")
    assert "bad.txt:3: is not UTF-8" in told("bad.txt", b"good\n\nbad \xff\n", 4)
    assert "cut.xz" in told("cut.xz", lzma.compress(b"good line\n" * 1000)[:-20])
    assert "cut.txt.gz" in told("cut.txt.gz", gzip.compress(b"good line\n" * 1000)[:-20])
    assert "rows.jsonl:2: not valid JSON" in told("rows.jsonl", b'{"text": "a"}\n{"text"')
    assert "rows.jsonl:1: has no column 'text' (found: body)" in told("rows.jsonl", b'{"body": "a"}')
    assert "holds int, not text" in told("rows.jsonl", b'{"text": 1}')
    assert "as Parquet" in told("rows.parquet", b"nonsense")
    assert "is empty" in told("empty.txt", b"")
    assert "cannot read '.pdf' files" in told("a.pdf", b"x")
    with pytest.raises(DataError, match="no file matches"):
        read([str(tmp_path / "*.tex")])
    (tmp_path / "void").mkdir()
    with pytest.raises(DataError, match="holds no text"):
        read([str(tmp_path / "void")])


@pytest.mark.parametrize("name", ["spacy", "wtpsplit"])
def test_a_cutter_that_is_not_installed_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(DataError, match=f"pip install {name}"):
        cutters.get(name)()
