"""A whole run that takes seconds: a tiny checkpoint, two small tasks, and text about their heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pipeline.small import THINGS, USES, rows

SETTINGS: dict[str, Any] = {
    "shots": 4,
    "seeds": 2,
    "max_test": 4,
    "workers": 1,
    "device": "cpu",
    "matching": {"signals": ["guidelines", "depthrank"], "denoiser": False},
    "tune": {"rates": [1e-3, 3e-3], "ladder": [0, 1, 2], "extend": False},
    "prepare": {
        "making": {"splitter": {"kind": "rules"}, "least_source": 1},
        "select": {"held_out": 6, "per_task": 30},
        "clean": {"words": [3, 40]},
    },
    "adapt": {"epochs": 2, "batch_tokens": 256, "precision": "fp32", "dtype": "float32", "dropout": 0.0},
    "adapt_threads": 1,
}


def write_tasks(folder: Path) -> tuple[str, str]:
    """Two tasks with test data over the same heads, with phrases of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.csv").write_text(rows(0, 16))
    (folder / "test.csv").write_text(rows(16, 24))
    for name, phrase in (("Use", "the {{ head }} is used to"), ("Want", "the {{ head }} wants to")):
        text = (
            f"name: {name.lower()}s\ndata:\n  splits: {{train: train.csv, test: test.csv}}\n"
            f"relations:\n  {name}:\n    phrases: ['{phrase}']\n"
        )
        (folder / f"{name.lower()}.yaml").write_text(text)
    return str(folder / "use.yaml"), str(folder / "want.yaml")


def write_text(folder: Path) -> str:
    """Sentences that hold the phrases, and general ones."""
    folder.mkdir(parents=True, exist_ok=True)
    things = [thing.replace("_", " ") for thing in THINGS]
    lines = [f"the {thing} is used to {use} the garden." for thing in things for use in USES[:3]]
    lines += [f"the {thing} wants to {use} the big house." for thing in things for use in USES[3:]]
    lines += [
        f"a small person can find the {thing} in the red car {n} times." for n, thing in enumerate(things)
    ]
    lines += [f"he ran at the {thing} and it was on water number {n}." for n, thing in enumerate(things)]
    (folder / "text.txt").write_text("".join(f"{line}\n" for line in lines))
    return str(folder / "text.txt")
