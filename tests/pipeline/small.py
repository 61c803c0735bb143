"""A tiny checkpoint on disk, a small task, and results without what differs from one time to the next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from mto.families import save_model
from tests.conftest import bart_model, word_tokenizer
from tests.conftest import loaded as wrap

THINGS = (
    "hammer nail kitchen knife book library car bread house garden water cook dog cat food "
    "red_hammer big_nail small_knife red_car big_house small_garden big_dog red_book small_cat"
).split()
USES = "clean wash eat cook find run".split()
SETTINGS: dict[str, Any] = {
    "families": ("mapping", "masked-prompting"),
    "choose": "dev",
    "shots": 4,
    "seeds": 2,
    "max_test": 4,
    "tune": {"rates": [1e-3, 3e-3], "ladder": [0, 1, 2], "extend": False},
}
"""A comparison of four cells that takes a second or two."""
WORDS = [
    "--families", "mapping,masked-prompting", "--choose", "dev", "--shots", "4", "--seeds", "2", "--max-test", "4",
    "--rates", "1e-3,3e-3", "--steps", "0,1,2", "tune.extend=false",
]  # fmt: skip
"""The same as words of the command line."""


def save_tiny(folder: Path, seed: int = 0) -> Path:
    """Write the tiny sentinel-text checkpoint, fp32."""
    tokenizer = word_tokenizer()
    tiny = wrap(bart_model(tokenizer, seed=seed), tokenizer, "tiny")
    return save_model(tiny.model, tiny.adapter, folder, dtype="float32", metadata=tiny.metadata)


def rows(start: int, end: int) -> str:
    """Rows of a CSV file with a header."""
    lines = [f"{THINGS[n].replace('_', ' ')},{USES[n % len(USES)]} {USES[n % 4]}" for n in range(start, end)]
    return "\n".join(["head,tail", *lines]) + "\n"


def write_task(folder: Path, *, test: bool = True) -> Path:
    """A task of train and test file: 16 heads to learn from, 8 to test on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.csv").write_text(rows(0, 16))
    splits = "{train: train.csv}"
    if test:
        (folder / "test.csv").write_text(rows(16, 24))
        splits = "{train: train.csv, test: test.csv}"
    text = f"name: tools\ndata:\n  splits: {splits}\nrelations:\n  Use:\n    phrases: ['the {{{{ head }}}} is used to']\n"
    (folder / "tools.yaml").write_text(text)
    return folder / "tools.yaml"


def lasting(path: Path) -> str:
    """``results.json`` without times, environment and command line, everything else in its order."""
    value = json.loads((path / "results.json").read_text())

    def strip(item: Any) -> Any:
        if isinstance(item, dict):
            return {
                k: strip(v)
                for k, v in item.items()
                if k not in ("seconds", "hours", "environment", "command")
            }
        return [strip(one) for one in item] if isinstance(item, list) else item

    return json.dumps(strip(value))


def done_cells(path: Path) -> list[str]:
    """Names of the cells that are finished."""
    cells = path / "steps" / "cells"
    return sorted(str(p.relative_to(cells)) for p in cells.rglob("[!.]*.json"))


def copy(source: Path, target: Path) -> Path:
    """A copy of a run folder."""
    shutil.copytree(source, target)
    return target
