"""The summary of a preparation, added up from what its units counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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

_SHOWN = 5


@dataclass
class Cleaned:
    """The first pass, added up piece by piece; its size does not depend on the number of pieces.

    Attributes:
        counts: lines, sentences, reasons for dropping.
        inputs: of each file or data set, by its number: name, kind, pieces, lines.
        frequency: sentences that hold each of the labelled rows' words.
        words: in all sentences that were kept.
        triples: numbers of the dev and test triples that stand in some sentence.
        dropped: sentences that were dropped, by task.
        examples: of them, by task.
    """

    counts: Counter[str] = field(default_factory=Counter)
    inputs: dict[int, dict[str, Any]] = field(default_factory=dict)
    frequency: Counter[str] = field(default_factory=Counter)
    words: int = 0
    triples: set[int] = field(default_factory=set)
    dropped: Counter[int] = field(default_factory=Counter)
    examples: dict[int, list[tuple[str, str, str]]] = field(default_factory=dict)

    def add(self, piece: Piece, result: dict[str, Any]) -> int:
        """Add what one piece counted; gives the lines of its file that came before it."""
        new = {"name": piece.name, "kind": piece.kind, "pieces": 0, "lines": 0}
        told = self.inputs.setdefault(piece.source, new)
        before: int = told["lines"]
        told["pieces"] += 1
        told["lines"] += result["counts"][LINES]
        self.counts.update(result["counts"])
        self.frequency.update(result["frequency"])
        self.words += result["words"]
        leaks = result["leaks"]
        self.triples.update(leaks["triples"])
        self.dropped.update({int(task): count for task, count in leaks["dropped"].items()})
        for task, rows in leaks["examples"].items():
            shown = self.examples.setdefault(int(task), [])
            shown.extend((row[0], row[1], row[2]) for row in rows[: _SHOWN - len(shown)])
        return before

    def why_dropped(self) -> str:
        """The counts in one line."""
        names = (SENTENCES, *REASONS, LEAKS)
        return (
            ", ".join(f"{name}: {self.counts[name]}" for name in names if self.counts[name]) or "it is empty"
        )


@dataclass(frozen=True)
class Counted:
    """What all passes gave.

    Attributes:
        cleaned: the first pass.
        repeated: exact duplicates.
        fits: for each task, sentences that fit it, by what found them.
        chosen: the chosen sentences.
        pairs: of each set.
        making: what the making of pairs counted.
        shards: number of shards.
    """

    cleaned: Cleaned
    repeated: int
    fits: Sequence[Counter[str]]
    chosen: Chosen
    pairs: Counter[str]
    making: Counter[str]
    shards: int


def summary(
    config: PrepareConfig,
    tasks: Sequence[Task],
    splits: Sequence[Split],
    examples: Sequence[Guarded],
    counted: Counted,
    notes: Sequence[str] = (),
) -> Prepared:
    """The summary.

    Args:
        examples: the dev and test examples that were looked for.
        notes: what applies to the tasks and what does not.
    """
    counts, chosen = counted.cleaned.counts, counted.chosen
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
        inputs=tuple(InputFile(**told) for told in counted.cleaned.inputs.values()),
        steps=steps,
        leaks=_leaks(tasks, examples, counted.cleaned, steps[KEPT] + steps[LEAKS]),
        selection=tuple(_task_count(n, task, splits[n], counted) for n, task in enumerate(tasks)),
        making=dict(sorted(counted.making.items())),
        pairs={name: counted.pairs[name] for name in made_sets(config.controls)},
        shards=counted.shards,
        held_out=len(chosen.held_out),
        notes=tuple(notes),
    )


def _leaks(
    tasks: Sequence[Task], examples: Sequence[Guarded], cleaned: Cleaned, clean: int
) -> tuple[LeakCount, ...]:
    index = LeakIndex(examples, Normaliser())
    every = Counter(task for task, _, _ in index.triples)
    found = Counter(index.triples[number][0] for number in cleaned.triples)
    return tuple(
        LeakCount(
            task=task.name,
            triples=every[n],
            unusable=index.unusable.get(n, 0),
            found=found[n],
            dropped=cleaned.dropped[n],
            share_found=round(found[n] / max(1, every[n]), 4),
            share_dropped=round(cleaned.dropped[n] / max(1, clean), 4),
            examples=tuple(cleaned.examples.get(n, ())),
        )
        for n, task in enumerate(tasks)
    )


def _task_count(number: int, task: Task, split: Split, counted: Counted) -> TaskCount:
    by = Counter(selected.by for selected in counted.chosen.task if selected.task == task.name)
    return TaskCount(
        task=task.name,
        rows=len(split.train),
        fits=dict(sorted(counted.fits[number].items())),
        near_duplicates=counted.chosen.near.get(task.name, 0),
        chosen=dict(sorted(by.items())),
    )
