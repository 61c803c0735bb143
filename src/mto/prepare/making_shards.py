"""The last pass: a batch of chosen sentences becomes one shard of pairs in each set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mto.prepare.pairs import SETS, Pair, PairSet, pairs_folder, write_shard
from mto.prepare.sentence import Selected, Sentence
from mto.prepare.work import Bench, Unit, one_thread
from mto.runs import read_json
from mto.train.memory import give_back_memory

BATCHES = "batches"


def batch_json(batch: Sequence[Selected]) -> list[list[Any]]:
    """Chosen sentences as JSON; `_batch` reads it back."""
    return [[s.sentence.text, s.sentence.where, s.task, s.score, s.by] for s in batch]


def _batch(rows: Sequence[Sequence[Any]]) -> list[Selected]:
    return [Selected(Sentence(text, where), task, score, by) for text, where, task, score, by in rows]


def made_sets(controls: bool) -> tuple[PairSet, ...]:
    """The sets that are written."""
    return SETS if controls else SETS[:1]


def make_shard(bench: Bench, unit: Unit) -> dict[str, Any]:
    """Make the pairs of one batch and write them.

    General sentences that are mixed into the task's set are made into pairs as those of the set ``general`` are.
    """
    number, config = unit["number"], bench.config
    stored = read_json(bench.work / BATCHES / f"{number:05d}.json")
    with one_thread():
        made = bench.maker.make(_batch(stored["task"] + stored["general"]), seed=config.seed, number=number)
        pairs: dict[PairSet, tuple[Pair, ...]] = {name: tuple(made.pairs.get(name, ())) for name in SETS}
        counts = {name: made.counts[name] for name in sorted(made.counts)}
        if stored["mixed"]:
            mixed = bench.maker.make(_batch(stored["mixed"]), seed=config.seed, number=number)
            pairs["task"] += tuple(mixed.pairs.get("general", ()))
    rows = {}
    for name in made_sets(config.controls):
        write_shard(pairs_folder(bench.folder, name), number, pairs[name], unit["key"], counts)
        rows[name] = len(pairs[name])
    give_back_memory()  # batches of all lengths leave holes in the heap, and a worker makes many shards
    return {"pairs": rows, "counts": counts}
