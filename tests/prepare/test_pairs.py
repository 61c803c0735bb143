"""Shards of pairs: what is written is read back, equal pairs give equal bytes, and broken shards are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import DataError
from mto.prepare.pairs import Pair, pairs_folder, read_pairs, shard_done, write_shard

PAIRS = st.builds(
    Pair,
    before=st.text(),
    target=st.text(),
    after=st.text(),
    objective=st.sampled_from(["denoising", "lm"]),
    probability=st.floats(0, 1),
    task=st.text(),
    by=st.text(),
    score=st.floats(allow_nan=False),
    sentence=st.text(),
    where=st.text(),
)


def pair(target: str = "pounding nails") -> Pair:
    return Pair("a hammer is used for", target, "", "denoising", 0.9, "t", "phrase", 1.0, "s", "f:1")


@settings(max_examples=20, deadline=None)
@given(pairs=st.lists(PAIRS, max_size=5))
def test_what_is_written_is_read_back(pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("prepared")
    write_shard(pairs_folder(out, "task"), 0, pairs, "key")
    write_shard(pairs_folder(out, "task"), 1, [pair()], "key")
    assert list(read_pairs(out)) == [*pairs, pair()]


def test_equal_pairs_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_shard(tmp_path / name, 0, [pair(), pair("tents")], "key")
    assert (tmp_path / "one/part-00000.parquet").read_bytes() == (
        tmp_path / "other/part-00000.parquet"
    ).read_bytes()


def test_a_shard_counts_only_with_its_manifest_and_key(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path, "task")
    write_shard(folder, 0, [pair()], "key", {"no span": 3})
    found = shard_done(folder, 0, "key")
    assert found is not None
    assert (found["rows"], found["counts"]) == (1, {"no span": 3})
    assert shard_done(folder, 0, "other") is None
    assert shard_done(folder, 1, "key") is None
    (folder / "part-00000.json").unlink()
    assert shard_done(folder, 0, "key") is None
    with pytest.raises(DataError, match="not finished"):
        list(read_pairs(tmp_path))


def test_a_changed_shard_and_a_missing_set_are_told(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path, "task")
    write_shard(folder, 0, [pair()], "key")
    (folder / "part-00000.parquet").write_bytes(b"something else")
    with pytest.raises(DataError, match="bytes have changed"):
        list(read_pairs(tmp_path))
    with pytest.raises(DataError, match=r"no 'general' pairs \(found: task\)"):
        list(read_pairs(tmp_path, "general"))
