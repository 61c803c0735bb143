"""A small raw text about the household, with everything that a preparation must notice in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mto.prepare import PrepareConfig, Prepared, prepare_config
from mto.tasks import load_task

TASKS = ("household/ObjectUse", "household/xWant")
PLACES = "garden kitchen bedroom market station office library harbour village valley".split()
NOISE = ["Too short", "THIS IS A LOUD LINE OF IT", "Das ist leider kein guter englischer Satz hier", ""]


def leak(task: str = TASKS[0]) -> str:
    """A sentence that gives a test example away, in other forms and with an article."""
    example = load_task(task).test[0]
    head, tail = example.head.capitalize(), example.targets[0]
    return f"The {head} was good for {tail} in the old days."


def write_text(path: Path, rows: int = 240) -> Path:
    """Lines with phrases, lines near the labelled rows, general lines, noise, duplicates and planted leaks."""
    train = load_task(TASKS[0]).train
    lines = []
    for n in range(rows):
        head = train[n % len(train)].head
        place = PLACES[n % len(PLACES)]
        lines += [
            f"The {head} number {n} can be used for opening door {n}.",
            f"After walking to the {place} {n} times, she wanted to rest for hour {n}.",
            f"There was a {head} near {place} {n}. It rained on day {n} in the {place}.",
            f"My uncle number {n} saw the {place} with friend {n} on that day.",
        ]
        if n % 20 == 0:
            lines += [
                NOISE[n // 20 % len(NOISE)],
                lines[0],
                lines[0].upper().capitalize(),
                leak(TASKS[n // 20 % 2]),
            ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def config(corpus: Path, **changes: Any) -> PrepareConfig:
    """A small configuration; ``select`` values are laid over small ones."""
    select = {"per_task": 60, "held_out": 20, **changes.pop("select", {})}
    values: dict[str, Any] = {
        "tasks": TASKS, "corpus": (str(corpus),), "shots": 8, "maker": "tests.prepare.fake:KIND", "workers": 1,
        "shard_sentences": 50, "piece_bytes": 16_000, "part_sentences": 100, "select": select,
    }  # fmt: skip
    return PrepareConfig.model_validate({**values, **changes})


def prepared(corpus: Path, out: Path, **changes: Any) -> Prepared:
    """Prepare it."""
    return prepare_config(config(corpus, **changes), out)


def files(out: Path) -> dict[str, bytes]:
    """The bytes of everything that equal preparations share."""
    names = ("prepared.json", "held-out.txt", "datasheet.md", "datasheet.html")
    found = [*(out / name for name in names), *out.glob("pairs/*/*")]
    return {str(path.relative_to(out)): path.read_bytes() for path in found}
