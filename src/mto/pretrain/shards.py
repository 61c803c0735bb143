"""Tokenised text on disk: written once per file and tokenizer, read by memory map."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mto.errors import DataError
from mto.families import Adapter
from mto.prepare.opening import read_lines
from mto.prepare.sentences import sentences
from mto.pretrain.vocabulary import batched
from mto.runs import atomic_directory, read_json, write_json

FORMAT = 2
# Lines are held out in blocks, so that whole windows of neighbouring lines are unseen too.
BLOCK = 40
PARTS = ("train", "held-out")


@dataclass(frozen=True, eq=False)
class Shard:
    """One part (train or held-out) of one text file, as ids.

    Attributes:
        name: of the text file.
        ids: uint16 or int32 `[N]`, sentences end to end, no EOS.
        starts: int64 `[S + 1]`, where each sentence starts, and the end.
        characters: of the text, for reports.
    """

    name: str
    ids: np.ndarray
    starts: np.ndarray
    characters: int

    @property
    def lengths(self) -> np.ndarray:
        """Tokens in each sentence: int64 `[S]`."""
        return np.diff(self.starts)


def build_shards(
    files: Sequence[Path],
    adapter: Adapter,
    folder: Path,
    *,
    held_out: float,
    progress: Callable[[str], None] | None = None,
) -> dict[str, list[Shard]]:
    """Tokenise each file once and return its parts; what is there already is read back.

    Args:
        files: text files.
        adapter: its tokenizer makes the ids.
        folder: where shards live; a shard is a folder that appears whole or not at all.
        held_out: share of blocks of lines kept for validation.

    Returns:
        ``{"train": [...], "held-out": [...]}``, one shard a file each.

    Raises:
        DataError: a file holds no usable line, or two files share a name.
    """
    names = [path.name for path in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"two text files share the name {twice[0]}", hint="rename one of them")
    found: dict[str, list[Shard]] = {part: [] for part in PARTS}
    for number, path in enumerate(files, 1):
        key = _key(path, adapter, held_out)
        place = folder / f"{path.name.split('.')[0]}-{key}"
        if not (place / "manifest.json").exists():
            if progress:
                progress(f"tokenising {path.name} ({number} of {len(files)})")
            _write(path, adapter, place, held_out)
        for part in PARTS:
            found[part].append(_read(place, part))
    return found


def _key(path: Path, adapter: Adapter, held_out: float) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    text = f"{FORMAT} {content} {adapter.fingerprint} {held_out} {BLOCK}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write(path: Path, adapter: Adapter, place: Path, held_out: float) -> None:
    dtype = np.uint16 if adapter.vocab_rows <= 2**16 else np.int32
    ids: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    lengths: dict[str, list[int]] = {part: [] for part in PARTS}
    characters = dict.fromkeys(PARTS, 0)
    for number, block in enumerate(batched(read_lines(path), BLOCK * 25)):
        for part, texts in _parts(block, number, path.name, held_out):
            rows = adapter.encode_many(texts)
            ids[part].append(np.fromiter((i for row in rows for i in row), dtype=dtype))
            lengths[part].extend(len(row) for row in rows)
            characters[part] += sum(map(len, texts))
    if not any(lengths.values()):
        raise DataError("holds no line of text", where=str(path))
    with atomic_directory(place) as folder:
        for part in PARTS:
            starts = np.concatenate([[0], np.cumsum(lengths[part], dtype=np.int64)]).astype(np.int64)
            np.save(
                folder / f"{part}.ids.npy", np.concatenate(ids[part]) if ids[part] else np.empty(0, dtype)
            )
            np.save(folder / f"{part}.starts.npy", starts)
        write_json(folder / "manifest.json", {"name": path.name, "characters": characters, "format": FORMAT})


def _parts(block: list[str], number: int, name: str, held_out: float) -> Iterator[tuple[str, list[str]]]:
    """Deal the lines of a block of blocks to the two parts, by a hash of the file's name and the block's number."""
    for at in range(0, len(block), BLOCK):
        digest = hashlib.sha256(f"{name} {number} {at}".encode()).digest()
        part = PARTS[int.from_bytes(digest[:6], "big") / 2**48 < held_out]
        yield part, [s for line in block[at : at + BLOCK] for s in sentences(line)]


def _read(place: Path, part: str) -> Shard:
    manifest = read_json(place / "manifest.json")
    ids = np.load(place / f"{part}.ids.npy", mmap_mode="r", allow_pickle=False)
    starts = np.load(place / f"{part}.starts.npy", allow_pickle=False)
    return Shard(manifest["name"], ids, starts, manifest["characters"][part])
