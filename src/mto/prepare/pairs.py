"""Training pairs made from raw sentences: the value, and the shards on disk that hold them.

In: pairs, in a fixed order. Out: one Parquet file a shard with a manifest beside it, equal bytes for equal pairs. A shard counts only when
its manifest stands, which is written last. Fails on a full disk (nothing half-written stays), and on a shard whose bytes have changed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from mto.errors import DataError
from mto.runs import read_json, write_bytes, write_json

Objective = Literal["denoising", "lm"]
PairSet = Literal["task", "random-spans", "random-prefixes", "general"]
SETS: tuple[PairSet, ...] = ("task", "random-spans", "random-prefixes", "general")
"""The task-related pairs, and the three controls: random spans and random prefixes on the same sentences, and unselected text."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence with one span taken out of it (docs/method.md 6).

    Attributes:
        before: text in front of the span, without outer blanks; may be empty.
        target: the span.
        after: text behind the span, without outer blanks; a full stop that ended the sentence is left out.
        objective: what it trains with, where each pair has its own (``denoising`` or ``lm``): the router's choice.
        probability: that it is mask-filling, by the router.
        task: whose sentence it is; empty for general text.
        by: what found the span: ``model``, ``phrase``, ``last-phrase``, ``label-word``, ``first-words`` or ``random``.
        score: of the selection; see `Selected`.
        sentence: the whole sentence.
        where: ``file:line`` that the sentence came from.
    """

    before: str
    target: str
    after: str
    objective: Objective
    probability: float
    task: str
    by: str
    score: float
    sentence: str
    where: str

    @property
    def source(self) -> str:
        """The sentence without the span.

        >>> Pair("a hammer is used for", "pounding nails", "", "denoising", 0.9, "", "phrase", 0.0, "", "").source
        'a hammer is used for'
        """
        return f"{self.before} {self.after}".strip()


_NAMES = tuple(field.name for field in fields(Pair))


def pairs_folder(out: Path, which: PairSet) -> Path:
    """Where a prepared folder keeps one set of pairs."""
    return out / "pairs" / which


def write_shard(
    folder: Path, number: int, pairs: Sequence[Pair], key: str, counts: dict[str, int] | None = None
) -> None:
    """Write shard `number`: first the pairs, then the manifest that makes it count.

    Args:
        key: hash of everything that the pairs were made from; `shard_done` asks for it.
        counts: what was counted while they were made, such as how many sentences gave no pair.

    Raises:
        RunError: the disk is full; a shard that stood before stays.
    """
    data = _to_parquet(pairs)
    write_bytes(_file(folder, number), data)
    digest = hashlib.sha256(data).hexdigest()
    write_json(
        _manifest(folder, number),
        {"format": _FORMAT, "key": key, "rows": len(pairs), "sha256": digest, "counts": counts or {}},
    )


def shard_done(folder: Path, number: int, key: str) -> dict[str, Any] | None:
    """The manifest of a finished shard made from the same inputs, or None."""
    path = _manifest(folder, number)
    if not path.exists():
        return None
    manifest: dict[str, Any] = read_json(path)
    fits = (manifest.get("format"), manifest.get("key")) == (_FORMAT, key)
    return manifest if fits and _file(folder, number).exists() else None


def read_pairs(out: str | Path, which: PairSet = "task") -> Iterator[Pair]:
    """All pairs of one set of a prepared folder, in the order of the shards.

    Raises:
        DataError: there is no such set, a shard is not finished, or its bytes have changed.
    """
    folder = pairs_folder(Path(out), which)
    found = sorted(folder.glob("part-*.parquet"))
    if not found:
        have = [name for name in SETS if any(pairs_folder(Path(out), name).glob("part-*.parquet"))]
        raise DataError(
            f"holds no '{which}' pairs (found: {', '.join(have) or 'none'})",
            where=str(out),
            hint="give the folder that mto prepare made; controls are made unless --no-controls",
        )
    for path in found:
        yield from _read(path)


def _read(path: Path) -> list[Pair]:
    import pyarrow.parquet as parquet

    manifest = path.with_suffix(".json")
    if not manifest.exists():
        raise DataError("the shard is not finished", where=str(path), hint="run the same mto prepare again")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != read_json(manifest)["sha256"]:
        raise DataError(
            "the shard's bytes have changed since it was written",
            where=str(path),
            hint="delete it and its .json, and run the same mto prepare again",
        )
    return [Pair(**row) for row in parquet.read_table(io.BytesIO(data), columns=list(_NAMES)).to_pylist()]


def _to_parquet(pairs: Sequence[Pair]) -> bytes:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    text, number = arrow.string(), arrow.float64()
    kinds = {name: number if name in ("probability", "score") else text for name in (*_NAMES, "source")}
    columns = {name: [getattr(pair, name) for pair in pairs] for name in kinds}
    table = arrow.table(columns, schema=arrow.schema(list(kinds.items())))
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _file(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05d}.parquet"


def _manifest(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05d}.json"
