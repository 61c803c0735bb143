"""Cleaning and selecting with `datasets.map`, as a careful user would write it: sentence by sentence, row by row.

The rules of cleaning are the library's; words are stemmed with a cache; test examples are looked up by the first words of their heads; each
sentence is scored against each labelled row by BM25. This is what `benchmarks/prepare.py` measures against; it is not used by the library.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from datasets import load_dataset
from nltk.stem.porter import PorterStemmer

from mto.prepare.clean import CleanConfig, problem
from mto.prepare.sentences import sentences
from mto.tasks import Task, draw_split

ARTICLES = {"a", "an", "the", "to"}
stem = lru_cache(maxsize=200_000)(PorterStemmer().stem)


def words(text: str) -> list[str]:
    """Stemmed words without articles."""
    return [stem(word) for word in re.findall(r"\w+", text.lower()) if word not in ARTICLES]


def clean(text: Path, tasks: list[Task], folder: Path) -> Any:
    """A data set of clean sentences that hold no test example."""
    tails: dict[tuple[str, ...], list[list[str]]] = {}
    for task in tasks:
        for example in (*task.dev, *task.test):
            head = tuple(words(example.head))
            tails.setdefault(head, []).extend(words(target) for target in example.targets)
    longest = max(map(len, tails))
    config = CleanConfig()

    def leaks(found: list[str]) -> bool:
        joined = f" {' '.join(found)} "
        for at in range(len(found)):
            for end in range(at + 1, min(at + longest, len(found)) + 1):
                for tail in tails.get(tuple(found[at:end]), ()):
                    if f" {' '.join(tail)} " in joined:
                        return True
        return False

    def step(batch: dict[str, list[str]]) -> dict[str, list[Any]]:
        kept: dict[str, list[Any]] = {"sentence": [], "words": []}
        for line in batch["text"]:
            for sentence in sentences(line):
                if problem(sentence, config) is None and not leaks(found := words(sentence)):
                    kept["sentence"].append(sentence)
                    kept["words"].append(found)
        return kept

    data = load_dataset("text", data_files=str(text), split="train", cache_dir=str(folder))
    return data.map(step, batched=True, remove_columns=["text"])


def select(data: Any, tasks: list[Task], shots: int) -> Any:
    """The data set with a score of each sentence for each task."""
    rows = [[words(f"{r.head} {r.target}") for r in draw_split(t, shots=shots, seed=0).train] for t in tasks]
    frequency: Counter[str] = Counter()
    length = 0
    for found in data.select_columns(["words"]):
        frequency.update(set(found["words"]))
        length += len(found["words"])
    count, mean = len(data), length / max(1, len(data))

    def score(found: list[str], row: list[str]) -> float:
        held = Counter(found)
        total = 0.0
        for word in set(row):
            if f := held.get(word):
                n = frequency[word]
                idf = math.log(1 + (count - n + 0.5) / (n + 0.5))
                total += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * len(found) / mean))
        return total

    def step(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {
            "scores": [[max(score(found, row) for row in task) for task in rows] for found in batch["words"]]
        }

    return data.map(step, batched=True)
