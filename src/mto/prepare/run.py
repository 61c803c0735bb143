"""A whole preparation: raw text in, shards of pairs out, with a summary; goes on where it was stopped.

Passes: clean (by piece), exact duplicates (by bucket of hashes), select (by part), merge, make pairs (by shard). Each unit of a pass is done
by whichever process is free (`mto.prepare.engines`); what it gives depends on its inputs and the seed alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mto.errors import DataError, Interrupted
from mto.prepare import asked
from mto.prepare import work as w
from mto.prepare.cleaning import KEPT
from mto.prepare.config import PrepareConfig, read_prepare_config
from mto.prepare.datasheet import write_datasheet
from mto.prepare.decontaminate import guarded, to_json
from mto.prepare.dedup import check_installed
from mto.prepare.engines import Engine, engine_for
from mto.prepare.maker import MakerOrder, find_maker
from mto.prepare.merging import Chosen, merge, wanted_general, write_batches
from mto.prepare.pairs import SETS, pairs_folder
from mto.prepare.pieces import find_pieces
from mto.prepare.prepared import HELD_OUT, Prepared, read_prepared
from mto.prepare.summing import Cleaned, Counted, summary
from mto.runs import RunFolder, write_json, write_text
from mto.tasks import Task, draw_split
from mto.train.memory import give_back_memory

CODE = 1
"""Goes up whenever equal inputs would give other pairs."""
FILES = 2
"""Goes up whenever the files of unfinished work look another way; finished preparations stay."""
BUCKET = 2_000_000
"""Hashes in a bucket of the search for duplicates, about: 50 MB of memory."""
STEP = "prepare"
Progress = Callable[[str, int, int], None]
"""Called with the pass, the units done, and the units in all."""


def prepare(
    tasks: str | Sequence[str],
    *,
    corpus: str | Path | Sequence[str | Path],
    out: str | Path,
    config: str | Path | None = None,
    changes: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> Prepared:
    """Turn raw text into task-related pairs.

    Args:
        tasks: names, task files or files of rows.
        corpus: files, folders, globs, or ``hf:NAME``.
        out: the folder to make, or to go on in.
        config: a YAML file with values of `PrepareConfig`; what is given here wins over it.
        changes: ``key.path=value``.
        settings: values of `PrepareConfig`.

    Raises:
        MtoError: tasks or text cannot be read, the folder holds something else, no sentence fits, or a pass fails.
        Interrupted: Ctrl-C; the same call goes on.
    """
    listed = [tasks] if isinstance(tasks, str) else list(tasks)
    texts = [corpus] if isinstance(corpus, str | Path) else list(corpus)
    given = {"tasks": listed, "corpus": [str(text) for text in texts], **settings}
    return prepare_config(read_prepare_config(config, changes, **given), out, progress=progress)


def prepare_config(config: PrepareConfig, out: str | Path, *, progress: Progress | None = None) -> Prepared:
    """Prepare as a configuration says; a finished preparation is read back.

    Raises:
        MtoError: tasks or text cannot be read, the folder holds something else, no sentence fits, or a pass fails.
        Interrupted: Ctrl-C; the same call goes on.
    """
    try:
        return _Preparation(config, Path(out), progress or (lambda *_: None)).run()
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped by Ctrl-C; what is finished is kept", where=str(out), hint="run the same command again"
        ) from None


def _with_usual_shots(config: PrepareConfig, tasks: Sequence[Task]) -> PrepareConfig:
    """The same with the fewest labelled rows that a task asks for, where nobody said how many: as a run draws them."""
    if "shots" in config.model_fields_set:
        return config
    return config.model_copy(update={"shots": min(task.usual_shots for task in tasks)})


class _Preparation:
    """One preparation at work."""

    def __init__(self, config: PrepareConfig, out: Path, progress: Progress) -> None:
        self.out, self._progress = out, progress
        self.work = out / w.WORK
        self.tasks = [asked.load(ref, config) for ref in config.tasks]
        self.config = config = _with_usual_shots(config, self.tasks)
        self.splits = [draw_split(task, shots=config.shots, seed=config.seed) for task in self.tasks]
        self.pieces = find_pieces(config.corpus, config.piece_bytes, column=config.column)
        self.guarded = guarded(self.tasks)

    def run(self) -> Prepared:
        """Do what is not done."""
        w.keep_little()
        folder = RunFolder.create(self.out, self.config.fixed())
        key = _hash(CODE, self.config.fixed(), [asdict(p) for p in self.pieces], self._data())
        if folder.done(STEP, key) is not None:
            self._tidy()
            return read_prepared(self.out)
        check_installed(self.config.select.near_duplicates)
        folder.event("start", pieces=len(self.pieces))
        order = self._set_up(key)
        with engine_for(self.config, self.out) as engine:
            cleaned, parts = self._clean(engine, key)
            kept = cleaned.counts[KEPT]
            text = _hash(key, len(parts), kept)
            buckets = max(1, -(-kept // BUCKET))
            units = [(f"{n:05d}", {"number": n, "buckets": buckets}) for n in range(buckets)]
            repeated = sum(found["duplicates"] for found in self._pass(engine, w.DUPLICATES, text, units))
            fits = self._select(engine, text, parts, kept - repeated, buckets)
            chosen = self._choose(parts)
            digests = write_batches(self.work, chosen, self.config.shard_sentences)
            give_back_memory()
            pairs, making = self._make(engine, order, digests)
        counted = Counted(cleaned, repeated, fits, chosen, pairs, making, len(digests))
        notes = [*asked.told(self.tasks), *order.get("notes", ())]
        prepared = summary(self.config, self.tasks, self.splits, self.guarded, counted, notes)
        self._finish(prepared, chosen)
        folder.finish(STEP, key, {"pairs": prepared.pairs})
        folder.event("end", pairs=prepared.pairs)
        self._tidy()
        return prepared

    def _data(self) -> list[Any]:
        return [[task.name, task.source.sha256, [*task.phrases, *task.wordings]] for task in self.tasks]

    def _set_up(self, key: str) -> dict[str, Any]:
        """Write what every process reads; the maker trains here what it has to."""
        config = self.config
        self._progress("set-up", 0, 1)
        order = find_maker(config.maker).set_up(
            MakerOrder(
                self.out, tuple(self.tasks), tuple(self.splits), config.controls, config.seed, config.making
            )
        )
        self._progress("set-up", 1, 1)
        tasks = [asked.selected_by(task, split) for task, split in zip(self.tasks, self.splits, strict=True)]
        plan = {"config": config.model_dump(mode="json"), "tasks": tasks, "maker": order, "key": key}
        write_json(self.work / w.PLAN, plan)
        write_json(self.work / w.GUARDED, to_json(self.guarded))
        return order

    def _pass(
        self, engine: Engine, stage: str, key: str, units: Sequence[tuple[str, dict[str, Any]]]
    ) -> Iterator[dict[str, Any]]:
        """Do the units of a pass that are not done, then give what each counted, in order, as the disk has it."""
        every = [
            {**values, "stage": stage, "name": name, "key": _hash(FILES, stage, key, values)}
            for name, values in units
        ]
        waiting = [unit for unit in every if w.done(self.out, unit) is None]
        finished = len(every) - len(waiting)
        self._progress(stage, finished, len(every))
        for number, _ in enumerate(engine.run(waiting), finished + 1):
            self._progress(stage, number, len(every))
        give_back_memory()  # holes that one pass left are not added to what the next one needs
        return (result for unit in every if (result := w.done(self.out, unit)) is not None)

    def _clean(self, engine: Engine, key: str) -> tuple[Cleaned, list[dict[str, Any]]]:
        """The first pass. Parts are numbered, lines are counted on from piece to piece, and counts of words are kept for the second pass."""
        units = [(f"{n:05d}", {"piece": asdict(piece)}) for n, piece in enumerate(self.pieces)]
        cleaned = Cleaned()
        parts: list[dict[str, Any]] = []
        for piece, result in zip(self.pieces, self._pass(engine, w.CLEAN, key, units), strict=True):
            before = cleaned.add(piece, result)
            parts.extend({**part, "file": piece.name, "before": before} for part in result["parts"])
        kept = cleaned.counts[KEPT]
        if not kept:
            raise DataError(
                f"no sentence of the text was kept ({cleaned.why_dropped()})",
                where=", ".join(self.config.corpus),
                hint="look at the settings under clean, or at the text",
            )
        write_json(self.work / w.PARTS, parts)
        frequency = dict(sorted(cleaned.frequency.items()))
        write_json(
            self.work / w.TERMS,
            {"frequency": frequency, "sentences": kept, "length": cleaned.words / kept},
        )
        return cleaned, parts

    def _select(
        self, engine: Engine, key: str, parts: Sequence[dict[str, Any]], unique: int, buckets: int
    ) -> list[Counter[str]]:
        """The second pass; gives how many sentences fit each task.

        General sentences are those whose lot lies under a threshold that gives twice as many as can be wanted.
        """
        most = len(self.tasks) * self.config.select.per_task
        needed = most + sum(wanted_general(self.config, most))
        share = min(1.0, (2 * needed + 1000) / max(1, unique))
        threshold = (1 << 64) if share == 1.0 else int(share * 2**64)
        units = [
            (part["name"], {"part": n, "buckets": buckets, "threshold": threshold})
            for n, part in enumerate(parts)
        ]
        fits: list[Counter[str]] = [Counter() for _ in self.tasks]
        for result in self._pass(engine, w.SELECT, key, units):
            for total, found in zip(fits, result["fits"], strict=True):
                total.update(found)
        return fits

    def _make(
        self, engine: Engine, order: dict[str, Any], digests: Sequence[str]
    ) -> tuple[Counter[str], Counter[str]]:
        """The last pass. A shard depends on its sentences and its maker alone, not on where the text lay."""
        pairs: Counter[str] = Counter()
        making: Counter[str] = Counter()
        key = _hash(CODE, self.config.seed, self.config.controls, order)
        units = [(f"{n:05d}", {"number": n, "batch": digest}) for n, digest in enumerate(digests)]
        for result in self._pass(engine, w.MAKE, key, units):
            pairs.update(result["pairs"])
            making.update(result["counts"])
        return pairs, making

    def _choose(self, parts: Sequence[dict[str, Any]]) -> Chosen:
        self._progress("merge", 0, 1)
        chosen = merge(self.work, parts, [task.name for task in self.tasks], self.config)
        if not chosen.task:
            raise DataError(
                "no sentence of the text fits the tasks",
                where=", ".join(self.config.corpus),
                hint="give more text, more labelled rows (--shots), or other phrases",
            )
        self._progress("merge", 1, 1)
        return chosen

    def _finish(self, prepared: Prepared, chosen: Chosen) -> None:
        """Write what stands beside the pairs: held-out sentences, the summary, and the datasheet, which is made from it."""
        write_text(
            self.out / HELD_OUT, "".join(f"{selected.sentence.text}\n" for selected in chosen.held_out)
        )
        for name in SETS:
            for path in pairs_folder(self.out, name).glob("part-*.*"):
                if int(path.stem.partition("-")[2]) >= prepared.shards or name not in prepared.pairs:
                    path.unlink()  # of an earlier state of the inputs
            for path in pairs_folder(self.out, name).glob(".part-*"):
                path.unlink()  # begun by a process that was killed
        write_datasheet(self.out, prepared)
        prepared.write(self.out)
        write_datasheet(self.out)

    def _tidy(self) -> None:
        """Take away what only the work needed."""
        if not self.config.keep_work:
            shutil.rmtree(self.work, ignore_errors=True)


def _hash(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def plan(config: PrepareConfig) -> dict[str, Any]:
    """What a preparation would do, without doing it: tasks with their rows, files, pieces, triples that are looked for.

    Raises:
        MtoError: tasks or text cannot be read.
    """
    at_work = _Preparation(config, Path(), lambda *_: None)
    tasks = zip(at_work.tasks, at_work.splits, strict=True)
    return {
        "tasks": [
            {"name": t.name, "rows": len(split.train), "phrases": len(t.phrases)} for t, split in tasks
        ],
        "files": len({piece.source for piece in at_work.pieces}),
        "pieces": len(at_work.pieces),
        "guarded": sum(len(example.tails) for example in at_work.guarded),
    }
