"""A small prepared folder, written by hand, and a tiny checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mto.adapt import AdaptConfig
from mto.config import parse
from mto.prepare.pairs import Pair, PairSet, pairs_folder, write_shard
from tests.pipeline.small import save_tiny

THINGS = "hammer nail kitchen knife book library dog cat house garden water bread".split()
USES = ("eat food", "run", "clean the house", "cook food", "find a book", "wash the car", "eat the bread")


def pair(
    thing: str = "hammer",
    use: str = "eat food",
    task: str = "Use",
    objective: Any = "denoising",
    after: str = "in the house",
) -> Pair:
    before = f"the {thing} is used to"
    sentence = f"{before} {use} {after}".strip()
    return Pair(before, use, after, objective, 0.9, task, "phrase", 1.0, sentence, "a.txt:1")


def pairs() -> list[Pair]:
    """84 pairs of two tasks: the router sends most of Use to denoising and most of Want to LM."""
    made = []
    for n, thing in enumerate(THINGS):
        for k, use in enumerate(USES):
            task = "Use" if k < 4 else "Want"
            router = "denoising" if (task == "Use") == ((n + k) % 5 > 0) else "lm"
            made.append(pair(thing, use, task, router, after="in the house" if task == "Use" else ""))
    return made


def prepared(folder: Path, which: PairSet = "task", given: list[Pair] | None = None) -> Path:
    """A prepared folder of two shards with general held-out text."""
    given = pairs() if given is None else given
    middle = len(given) // 2
    write_shard(pairs_folder(folder, which), 0, given[:middle], "key")
    write_shard(pairs_folder(folder, which), 1, given[middle:], "key")
    (folder / "held-out.txt").write_text("".join(f"{line}\n" for line in general(20)))
    return folder


def general(count: int, start: int = 0) -> list[str]:
    """Sentences that have nothing to do with the pairs."""
    words = "she he they it can find was found at for on big small red water".split()
    return [
        " ".join(words[(start + n * 7 + k * (3 + n % 4)) % len(words)] for k in range(8)) + "."
        for n in range(count)
    ]


def config(folder: Path, **more: Any) -> AdaptConfig:
    """A short adaptation of the tiny checkpoint in `folder` to the pairs in `folder`."""
    if not (folder / "tiny").exists():
        save_tiny(folder / "tiny")
    if not (folder / "prepared").exists():
        prepared(folder / "prepared")
    base = {
        "model": str(folder / "tiny"), "pairs": str(folder / "prepared"), "epochs": 2, "batch_tokens": 200, "max_tokens": 100,
        "rate": 3e-3, "precision": "fp32", "device": "cpu", "held_out": 0.1, "dtype": "float32", "dropout": 0.0,
    }  # fmt: skip
    return parse(AdaptConfig, base | more)
