"""The summary of a preparation, added up from what its units counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mto.prepare.clean import REASONS
from mto.prepare.cleaning import KEPT, LEAKS, LINES, SENTENCES
from mto.prepare.config import PrepareConfig
from mto.prepare.decontaminate import Guarded, LeakIndex
from mto.prepare.making_shards import made_sets
from mto.prepare.merging import Chosen
from mto.prepare.pieces import Piece
from mto.prepare.prepared import InputFile, LeakCount, Prepared, TaskCount
from mto.prepare.words import Normaliser
from mto.tasks import Split, Task

Results = Sequence[dict[str, Any]]
"""What the units of one pass counted, in order."""
_SHOWN = 5


@dataclass(frozen=True)
class Counted:
    """What all passes gave.

    Attributes:
        cleaned: of each piece.
        repeated: exact duplicates.
        selected: of each part.
        chosen: the chosen sentences.
        made: of each shard.
    """

    cleaned: Results
    repeated: int
    selected: Results
    chosen: Chosen
    made: Results


def added(results: Results, name: str = "counts") -> Counter[str]:
    """Counts of several units, added up."""
    total: Counter[str] = Counter()
    for result in results:
        total.update(result[name])
    return total


def why_dropped(cleaned: Results) -> str:
    """The counts of cleaning in one line."""
    counts = added(cleaned)
    names = (SENTENCES, *REASONS, LEAKS)
    return ", ".join(f"{name}: {counts[name]}" for name in names if counts[name]) or "it is empty"


def summary(
    config: PrepareConfig,
    tasks: Sequence[Task],
    splits: Sequence[Split],
    pieces: Sequence[Piece],
    examples: Sequence[Guarded],
    counted: Counted,
) -> Prepared:
    """The summary.

    Args:
        examples: the dev and test examples that were looked for.
    """
    counts, chosen = added(counted.cleaned), counted.chosen
    pairs = added(counted.made, "pairs")
    steps = {name: counts[name] for name in (LINES, SENTENCES, *REASONS, LEAKS, KEPT)}
    steps |= {
        "exact duplicates": counted.repeated,
        "near-duplicates": sum(chosen.near.values()),
        "chosen for tasks": len(chosen.task),
        "general, mixed in": len(chosen.mixed),
        "general, for the control": len(chosen.general),
        "general, held out": len(chosen.held_out),
    }
    return Prepared(
        tasks=tuple(task.name for task in tasks),
        shots=config.shots,
        seed=config.seed,
        licence=config.licence,
        inputs=_inputs(pieces, counted.cleaned),
        steps=steps,
        leaks=_leaks(tasks, examples, counted.cleaned, steps[KEPT] + steps[LEAKS]),
        selection=tuple(_task_count(n, task, splits[n], counted) for n, task in enumerate(tasks)),
        making=dict(sorted(added(counted.made).items())),
        pairs={name: pairs[name] for name in made_sets(config.controls)},
        shards=len(counted.made),
        held_out=len(chosen.held_out),
    )


def _inputs(pieces: Sequence[Piece], cleaned: Results) -> tuple[InputFile, ...]:
    found: dict[int, dict[str, Any]] = {}
    for piece, result in zip(pieces, cleaned, strict=True):
        new = {"name": piece.name, "kind": piece.kind, "pieces": 0, "lines": 0}
        told = found.setdefault(piece.source, new)
        told["pieces"] += 1
        told["lines"] += result["counts"][LINES]
    return tuple(InputFile(**told) for told in found.values())


def _leaks(
    tasks: Sequence[Task], examples: Sequence[Guarded], cleaned: Results, clean: int
) -> tuple[LeakCount, ...]:
    index = LeakIndex(examples, Normaliser())
    every = Counter(task for task, _, _ in index.triples)
    found = Counter(index.triples[n][0] for n in {n for r in cleaned for n in r["leaks"]["triples"]})
    dropped: Counter[str] = Counter()
    shown: dict[int, list[tuple[str, str, str]]] = {n: [] for n in range(len(tasks))}
    for result in cleaned:
        dropped.update(result["leaks"]["dropped"])
        for task, rows in result["leaks"]["examples"].items():
            shown[int(task)].extend((row[0], row[1], row[2]) for row in rows)
    return tuple(
        LeakCount(
            task=task.name,
            triples=every[n],
            unusable=index.unusable.get(n, 0),
            found=found[n],
            dropped=dropped[str(n)],
            share_found=round(found[n] / max(1, every[n]), 4),
            share_dropped=round(dropped[str(n)] / max(1, clean), 4),
            examples=tuple(shown[n][:_SHOWN]),
        )
        for n, task in enumerate(tasks)
    )


def _task_count(number: int, task: Task, split: Split, counted: Counted) -> TaskCount:
    fits: Counter[str] = Counter()
    for part in counted.selected:
        fits.update(part["fits"][number])
    by = Counter(selected.by for selected in counted.chosen.task if selected.task == task.name)
    return TaskCount(
        task=task.name,
        rows=len(split.train),
        fits=dict(sorted(fits.items())),
        near_duplicates=counted.chosen.near.get(task.name, 0),
        chosen=dict(sorted(by.items())),
    )
