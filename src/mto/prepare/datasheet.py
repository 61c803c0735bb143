"""The datasheet of a prepared folder: where the text came from, what happened to it at each step, and what the pairs look like.

In: a finished preparation. Out: ``datasheet.md`` and ``datasheet.html`` beside its summary; equal folders give equal sheets. The pairs are
read once, one at a time, so that the size of a folder does not matter.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mto.prepare.pairs import Pair, PairSet, read_pairs
from mto.prepare.prepared import Prepared, read_prepared
from mto.prepare.sheet import Part, to_html, to_markdown
from mto.runs import write_text

SHOWN = 20
"""Random pairs that are shown of each set."""
MARKDOWN, HTML = "datasheet.md", "datasheet.html"
_TITLE = "Datasheet of prepared pairs"
_SETS: Mapping[PairSet, str] = {
    "task": "Task pairs: sentences of the tasks, cut where the splitter says",
    "random-spans": "Control, random spans: the same sentences, as long a span at a random place",
    "random-prefixes": "Control, random prefixes: the same sentences, cut between two random words",
    "general": "Control, general text: sentences that were chosen for no task, cut as the task's are",
}
_STEPS = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (7, 8), (9, 12), (13, 20), (21, None))


@dataclass
class _Seen:
    """What the pairs of one set are like, gathered while they pass."""

    sources: Counter[int] = field(default_factory=Counter)
    targets: Counter[int] = field(default_factory=Counter)
    chances: Counter[int] = field(default_factory=Counter)
    objectives: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    tasks: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown: list[tuple[int, Pair]] = field(default_factory=list)
    pairs: int = 0


def write_datasheet(out: str | Path, prepared: Prepared | None = None) -> tuple[Path, Path]:
    """Write the datasheet of a prepared folder in Markdown and in HTML; gives the two paths.

    Args:
        prepared: the summary; None: the one that stands in the folder.

    Raises:
        RunError: no finished preparation is there, or the disk is full.
        DataError: the pairs have changed since they were written.
    """
    out = Path(out)
    prepared = prepared or read_prepared(out)
    parts = list(datasheet_parts(prepared, {name: read_pairs(out, name) for name in _sets(prepared)}))
    write_text(out / MARKDOWN, to_markdown(_TITLE, parts))
    write_text(out / HTML, to_html(_TITLE, parts))
    return out / MARKDOWN, out / HTML


def datasheet_parts(prepared: Prepared, pairs: Mapping[PairSet, Iterable[Pair]]) -> Iterator[Part]:
    """The parts of a datasheet.

    Args:
        prepared: the summary.
        pairs: of each set that was made; read once each.
    """
    yield _head(prepared)
    yield _inputs(prepared)
    if prepared.notes:
        yield Part("What applies to these tasks", text=prepared.notes)
    yield _steps(prepared)
    yield from _leaks(prepared)
    yield _selection(prepared)
    if prepared.making:
        yield Part(
            "How the pairs were made",
            text=("Every sentence that gave no pair is counted under the reason.",),
            columns=("what", "count"),
            rows=_counts(prepared.making),
        )
    for name, some in pairs.items():
        yield from _pairs(name, _look(some, prepared.seed, name))


def _sets(prepared: Prepared) -> list[PairSet]:
    return [name for name in _SETS if prepared.pairs.get(name)]


def _head(prepared: Prepared) -> Part:
    shots = "all labelled rows" if prepared.shots is None else f"{prepared.shots} labelled rows a task"
    return Part(
        text=(
            f"{sum(prepared.pairs.values()):,} pairs in {prepared.shards:,} shards, made for {', '.join(prepared.tasks)} from {shots}, "
            f"seed {prepared.seed}. {prepared.held_out:,} general sentences were kept apart, to measure what adaptation forgets.",
            f"Licence of the raw text, as the user stated it: {prepared.licence}. The pairs are parts of that text, so it holds for them too.",
        ),
        columns=("set", "pairs"),
        rows=tuple((name, f"{count:,}") for name, count in prepared.pairs.items()),
    )


def _inputs(prepared: Prepared) -> Part:
    rows = tuple((one.name, one.kind, f"{one.lines:,}", f"{one.pieces:,}") for one in prepared.inputs)
    return Part("Source", columns=("input", "kind", "lines", "pieces of work"), rows=rows)


def _steps(prepared: Prepared) -> Part:
    return Part("From text to sentences", columns=("step", "count"), rows=_counts(prepared.steps))


def _leaks(prepared: Prepared) -> Iterator[Part]:
    rows = tuple(
        (
            one.task,
            f"{one.triples:,}",
            f"{one.found:,}",
            _percent(one.share_found),
            f"{one.dropped:,}",
            _percent(one.share_dropped),
        )
        for one in prepared.leaks
    )
    yield Part(
        "Decontamination",
        text=(
            "A sentence that holds head and tail of one dev or test example (lower case, lemmas, no articles, no \"to\") was dropped, "
            "for the controls too." + (" What stands for head and tail of an item is told above." if prepared.notes else ""),
        ),
        columns=("task", "examples", "found in the text", "share", "sentences dropped", "share of sentences"),
        rows=rows,
    )  # fmt: skip
    examples = tuple((one.task, *found) for one in prepared.leaks for found in one.examples)
    if examples:
        yield Part("Dropped, for example", 3, columns=("task", "sentence", "head", "tail"), rows=examples)


def _selection(prepared: Prepared) -> Part:
    kinds = sorted({kind for one in prepared.selection for kind in (*one.fits, *one.chosen)})
    rows = tuple(
        (
            one.task,
            f"{one.rows:,}",
            *(f"{one.chosen.get(kind, 0):,} of {one.fits.get(kind, 0):,}" for kind in kinds),
            f"{one.near_duplicates:,}",
        )
        for one in prepared.selection
    )
    columns = ("task", "labelled rows", *(f"chosen by {kind}" for kind in kinds), "near-duplicates left out")
    return Part("Selection", columns=columns, rows=rows)


def _look(pairs: Iterable[Pair], seed: int, name: str) -> _Seen:
    """Read the pairs once; which are shown is drawn by the seed."""
    seen = _Seen()
    draw = random.Random(int.from_bytes(hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()[:8], "big"))
    for number, pair in enumerate(pairs):
        seen.pairs += 1
        seen.sources[_bin(len(pair.source.split()))] += 1
        seen.targets[_bin(len(pair.target.split()))] += 1
        seen.chances[min(9, int(10 * pair.probability))] += 1
        seen.objectives[pair.objective] += 1
        seen.by[pair.by] += 1
        seen.tasks[pair.task, pair.objective] += 1
        place = number if number < SHOWN else draw.randrange(number + 1)
        if place < SHOWN:
            seen.shown[place : place + 1] = [(number, pair)]
    return seen


def _pairs(name: PairSet, seen: _Seen) -> Iterator[Part]:
    yield Part(_SETS[name], text=(f"{seen.pairs:,} pairs.",))
    if not seen.pairs:
        return
    if name in ("task", "general"):
        yield _objectives(seen)
        yield Part("Router: probability of mask-filling", 3, bars=_chances(seen.chances))
    yield Part("Words of the source", 3, bars=_lengths(seen.sources))
    yield Part("Words of the target", 3, bars=_lengths(seen.targets))
    rows = tuple(
        (
            pair.task or "(none)",
            f"{pair.before} [ {pair.target} ] {pair.after}".strip(),
            pair.objective,
            f"{pair.probability:.2f}",
            pair.by,
            pair.where,
        )
        for _, pair in sorted(seen.shown, key=lambda one: one[0])
    )
    columns = ("task", "sentence, the target in brackets", "objective", "probability", "by", "where")
    yield Part(f"{len(rows)} pairs at random", 3, columns=columns, rows=rows)


def _objectives(seen: _Seen) -> Part:
    tasks = sorted({task for task, _ in seen.tasks})
    rows = []
    for task in tasks:
        denoising, lm = seen.tasks[task, "denoising"], seen.tasks[task, "lm"]
        rows.append(
            (task or "(none)", f"{denoising:,}", f"{lm:,}", _percent(denoising / max(1, denoising + lm)))
        )
    found = ", ".join(f"{by}: {count:,}" for by, count in sorted(seen.by.items()))
    return Part(
        "Objectives", 3, (f"Spans found by {found}.",), ("task", "denoising", "lm", "share of denoising"), tuple(rows)
    )  # fmt: skip


def _bin(words: int) -> int:
    return next(number for number, (_, high) in enumerate(_STEPS) if high is None or words <= high)


def _lengths(found: Counter[int]) -> tuple[tuple[str, int], ...]:
    labels = [
        f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}" for low, high in _STEPS
    ]
    return tuple((label, found[number]) for number, label in enumerate(labels))


def _chances(found: Counter[int]) -> tuple[tuple[str, int], ...]:
    return tuple((f"{n / 10:.1f}-{(n + 1) / 10:.1f}", found[n]) for n in range(10))


def _counts(counts: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple((name, f"{count:,}") for name, count in counts.items())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
