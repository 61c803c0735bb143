"""The first pass over the text: sentences are cut, cleaned, cleared of test examples, hashed and counted.

In: a piece. Out: parts of cleaned text (Parquet), the hashes of each part in order, and counts: why sentences were dropped, which test
examples were found, how many sentences hold each word of the labelled rows.
"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from mto.prepare.clean import blanks, problem
from mto.prepare.decontaminate import LeakIndex, from_json
from mto.prepare.dedup import sentence_hash
from mto.prepare.pieces import Piece
from mto.prepare.readers import read_piece
from mto.prepare.select import query_words
from mto.prepare.sentences import Cutter, cutters
from mto.prepare.work import GUARDED, Bench, Unit
from mto.runs import read_json, write_bytes

LINES, SENTENCES, LEAKS, KEPT = "lines", "sentences", "dropped for a test example", "kept"
_EXAMPLES = 5


def clean_piece(bench: Bench, unit: Unit) -> dict[str, Any]:
    """Clean one piece."""
    tools = bench.once("cleaning", lambda: _Tools(bench))
    piece = Piece(**unit["piece"])
    counts: Counter[str] = Counter()
    frequency: Counter[str] = Counter()
    words_in_all = 0
    leaks = _Leaks(tools.index)
    writer = _Writer(bench.work / "text", unit["name"], bench.config.part_sentences)
    lines = 0
    for number, line in read_piece(piece, bench.config.column):
        lines = number
        if not line:
            continue
        for cut in tools.cutter(line):
            text = blanks(cut)
            counts[SENTENCES] += 1
            reason = problem(text, bench.config.clean)
            if reason is not None:
                counts[reason] += 1
                continue
            words = bench.normalise(text)
            found = tools.index.find(words)
            if found:
                counts[LEAKS] += 1
                leaks.add(text, found)
                continue
            frequency.update(tools.terms.intersection(words))
            words_in_all += len(words)
            writer.add(text, number)
    counts[LINES], counts[KEPT] = lines, writer.total
    return {
        "counts": dict(counts), "parts": writer.close(), "frequency": dict(sorted(frequency.items())),
        "words": words_in_all, "leaks": leaks.told(),
    }  # fmt: skip


class _Tools:
    """What cleaning needs besides the configuration; made once a process."""

    def __init__(self, bench: Bench) -> None:
        self.cutter: Cutter = cutters.get(bench.config.sentences)()
        self.index = LeakIndex(from_json(read_json(bench.work / GUARDED)), bench.normalise)
        rows = (query_words(task["rows"], bench.normalise) for task in bench.plan["tasks"])
        self.terms = frozenset(word for task in rows for row in task for word in row)


class _Leaks:
    """Counts what was dropped, by task."""

    def __init__(self, index: LeakIndex) -> None:
        self._index = index
        self._triples: set[int] = set()
        self._dropped: Counter[int] = Counter()
        self._examples: dict[int, list[list[str]]] = {}

    def add(self, text: str, found: list[tuple[int, int]]) -> None:
        self._triples.update(number for _, number in found)
        for task in {task for task, _ in found}:
            self._dropped[task] += 1
        for task, number in found:
            shown = self._examples.setdefault(task, [])
            if len(shown) < _EXAMPLES:
                shown.append([text, *self._index.triples[number][1:]])

    def told(self) -> dict[str, Any]:
        return {
            "triples": sorted(self._triples),
            "dropped": {str(task): count for task, count in sorted(self._dropped.items())},
            "examples": {str(task): shown for task, shown in sorted(self._examples.items())},
        }


class _Writer:
    """Writes sentences in parts of a bounded size."""

    def __init__(self, folder: Path, name: str, size: int) -> None:
        self._folder, self._name, self._size = folder, name, size
        self._texts: list[str] = []
        self._lines: list[int] = []
        self._rows: list[int] = []
        self.total = 0

    def add(self, text: str, line: int) -> None:
        self._texts.append(text)
        self._lines.append(line)
        self.total += 1
        if len(self._texts) >= self._size:
            self._write()

    def close(self) -> list[dict[str, Any]]:
        """Name and number of sentences of each part."""
        if self._texts:
            self._write()
        return [{"name": f"{self._name}-{n:03d}", "rows": rows} for n, rows in enumerate(self._rows)]

    def _write(self) -> None:
        import pyarrow as arrow
        import pyarrow.parquet as parquet

        place = self._folder / f"{self._name}-{len(self._rows):03d}"
        table = arrow.table({"text": self._texts, "line": arrow.array(self._lines, arrow.int64())})
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, compression="zstd", compression_level=1, use_dictionary=False)
        hashes = np.array([sentence_hash(text) for text in self._texts], np.uint64)
        order = np.argsort(hashes, kind="stable")
        write_bytes(place.with_suffix(".parquet"), buffer.getvalue())
        write_array(place.with_suffix(".hashes.npy"), hashes[order])
        write_array(place.with_suffix(".order.npy"), order.astype(np.uint32))
        self._rows.append(len(self._texts))
        self._texts, self._lines = [], []


def write_array(path: Path, values: Any) -> None:
    """Write an array atomically."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    write_bytes(path, buffer.getvalue())
