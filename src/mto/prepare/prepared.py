"""What a preparation found and made, counted at every step: the summary beside the pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from mto.config import Strict, parse
from mto.errors import RunError
from mto.runs import read_json, write_text

FILE = "prepared.json"
HELD_OUT = "held-out.txt"
"""General sentences, one a line, that no pair was made of."""
FORMAT = 1


class InputFile(Strict):
    """One file or data set of raw text."""

    name: str
    """As the places of sentences name it."""
    kind: str
    """text, jsonl, parquet or dataset."""
    pieces: int
    """Units of work that it was cut into."""
    lines: int
    """Lines or rows, empty ones included."""


class LeakCount(Strict):
    """What of one task's dev and test examples stood in the raw text."""

    task: str
    triples: int
    """Head and tail pairs of dev and test (of train, where there is no test file); of other kinds items with a right answer or label."""
    unusable: int
    """Those of them that hold no word to compare."""
    found: int
    """Those that stand in some sentence."""
    dropped: int
    """Sentences that were dropped for this task; a sentence may count for several."""
    share_found: float
    """``found / triples``."""
    share_dropped: float
    """``dropped`` as a share of the clean sentences."""
    examples: tuple[tuple[str, str, str], ...]
    """Some of them: sentence, head, tail; of an item its input and its right answer or label."""


class TaskCount(Strict):
    """What was chosen for one task."""

    task: str
    rows: int
    """Labelled rows that sentences were compared with."""
    fits: dict[str, int]
    """Sentences that fit it, by what found them, duplicates left out."""
    near_duplicates: int
    """Candidates that were left out as near-duplicates."""
    chosen: dict[str, int]
    """Sentences that were chosen, by what found them."""


class Prepared(Strict):
    """The summary of a prepared folder; equal preparations give equal summaries."""

    format: int = FORMAT
    tasks: tuple[str, ...]
    shots: int | None
    seed: int
    licence: str
    """Of the raw text, as the user stated it."""
    inputs: tuple[InputFile, ...]
    steps: dict[str, int]
    """Counts in the order of the steps: lines, sentences, each reason for dropping, kept, duplicates, chosen and so on."""
    leaks: tuple[LeakCount, ...]
    selection: tuple[TaskCount, ...]
    making: dict[str, int]
    """What the making of pairs counted."""
    pairs: dict[str, int]
    """Pairs of each set."""
    shards: int
    held_out: int
    """General sentences kept apart in ``held-out.txt``."""
    notes: tuple[str, ...] = ()
    """What applies to these tasks and what does not, a sentence each; not in the file where there is nothing to say."""

    @model_serializer(mode="wrap")
    def _without_empty_notes(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if name != "notes" or value}

    def write(self, out: Path) -> None:
        """Write it into a prepared folder; counts stay in the order of the steps, which sorted keys would lose."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False)
        write_text(out / FILE, text + "\n")


def read_prepared(out: str | Path) -> Prepared:
    """The summary of a prepared folder.

    Raises:
        RunError: the folder holds none, because nothing was prepared there or the preparation has not ended.
    """
    path = Path(out) / FILE
    if not path.exists():
        raise RunError(
            "holds no finished preparation", where=str(out), hint="give the folder that mto prepare made"
        )
    return parse(Prepared, read_json(path), source=str(path))
