"""The second pass: exact duplicates are found bucket by bucket, then each part gives its best sentences for every task."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mto.prepare.cleaning import write_array
from mto.prepare.dedup import bucket_range, later_duplicates, of_part, shuffled
from mto.prepare.select import Scorer, Selector, bm25_scorer, embedding_scorer
from mto.prepare.work import TERMS, Bench, Unit, one_thread
from mto.runs import read_json, write_json

BATCH = 1000
"""Sentences that are scored at once."""
FOUND = "found"


def find_duplicates(bench: Bench, unit: Unit) -> dict[str, Any]:
    """Find the later ones of equal sentences in one bucket of hashes."""
    text = bench.work / "text"
    parts = (
        (_array(text / f"{part['name']}.hashes.npy"), _array(text / f"{part['name']}.order.npy"))
        for part in bench.parts
    )
    low, high = bucket_range(unit["number"], unit["buckets"])
    found = later_duplicates(parts, low, high)
    write_array(_bucket(bench, unit["number"]), found)
    return {"duplicates": len(found)}


def _bucket(bench: Bench, number: int) -> Path:
    return bench.work / "buckets" / f"{number:05d}.npy"


def _array(path: Path) -> NDArray[Any]:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def spare(per_task: int) -> int:
    """Candidates that are kept for a task: some more than wanted, because near-duplicates go later."""
    return per_task + per_task // 2 + 10


def select_part(bench: Bench, unit: Unit) -> dict[str, Any]:
    """Choose from one part: the best candidates for each task, and random sentences by the lowest hashes.

    Writes ``found/NAME.json``: for each task rows of [score, place, what found it, text, line], and general rows of
    [hash, place, text, line]. Rows of a classification have the label whose word stands in them behind the line.
    """
    import pyarrow.parquet as parquet

    part = bench.parts[unit["part"]]
    place = bench.work / "text" / part["name"]
    lots = _lots(bench, place)
    repeated = set(_repeated(bench, unit).tolist())
    selector = bench.once("selecting", lambda: _selector(bench))
    best = [_Best(spare(bench.config.select.per_task)) for _ in bench.plan["tasks"]]
    general: list[list[Any]] = []
    at = 0
    with parquet.ParquetFile(place.with_suffix(".parquet")) as file:
        for batch in file.iter_batches(BATCH):
            rows = list(enumerate(zip(*(c.to_pylist() for c in batch.columns), strict=True), at))
            at += len(rows)
            rows = [row for row in rows if row[0] not in repeated]
            numbers = np.array([number for number, _ in rows], np.int64)
            texts = [text for _, (text, _) in rows]
            words = [bench.normalise(text) for text in texts]
            fits = selector.fits(texts, words, lots[numbers])
            for (number, (text, line)), found in zip(rows, fits, strict=True):
                for task, score, by, label in found:
                    best[task].add([score, number, by, text, line, label])
                if lots[number] < unit["threshold"]:
                    general.append([int(lots[number]), number, text, line])
    write_json(
        bench.work / FOUND / f"{part['name']}.json",
        {"tasks": [task.rows() for task in best], "general": sorted(general)},
    )
    return {"fits": [dict(sorted(task.counts.items())) for task in best], "general": len(general)}


class _Best:
    """Keeps the best rows of each label, by score and then by place; a task without labels has one group."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[str, list[list[Any]]] = {}
        self.counts: Counter[str] = Counter()

    def add(self, row: list[Any]) -> None:
        self.counts[row[2]] += 1
        rows = self._rows.setdefault(row[5], [])
        rows.append(row)
        if len(rows) > 4 * self._most:
            rows[:] = self._best(rows)

    def rows(self) -> list[list[Any]]:
        return [row for label in sorted(self._rows) for row in self._best(self._rows[label])]

    def _best(self, rows: list[list[Any]]) -> list[list[Any]]:
        return sorted(rows, key=lambda row: (-row[0], row[1]))[: self._most]


def _lots(bench: Bench, place: Path) -> NDArray[np.uint64]:
    """For each sentence of a part a random number that belongs to its text and the seed."""
    hashes, order = _array(place.with_suffix(".hashes.npy")), _array(place.with_suffix(".order.npy"))
    lots = np.empty(len(hashes), np.uint64)
    lots[order] = shuffled(hashes, bench.config.seed)
    return lots


def _repeated(bench: Bench, unit: Unit) -> NDArray[np.int64]:
    buckets = (_array(_bucket(bench, number)) for number in range(unit["buckets"]))
    return np.concatenate([of_part(found, unit["part"]) for found in buckets])


def _selector(bench: Bench) -> Selector:
    config = bench.config.select
    tasks = bench.plan["tasks"]
    phrases, labels = [task["phrases"] for task in tasks], [task["labels"] for task in tasks]
    return Selector(config, phrases, _scorer(bench), bench.normalise, labels)


def _scorer(bench: Bench) -> Scorer | None:
    config = bench.config.select
    rows = [task["rows"] for task in bench.plan["tasks"]]
    if config.retrieval == "none" or not any(rows):
        return None
    if config.retrieval == "bm25":
        return bm25_scorer(rows, read_json(bench.work / TERMS), config, bench.normalise)
    with one_thread():
        scorer = embedding_scorer(rows, config)

    def alone(texts: Any, words: Any) -> Any:
        with one_thread():
            return scorer(texts, words)

    return alone
