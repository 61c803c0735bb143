"""A small task of each kind for tests: a task file, and rows that it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mto.errors import RunError
from mto.runs import write_text
from mto.tasks.form import Kind

_TEXT: dict[Kind, str] = {
    "completion": """relations:
  Use:
    phrases: ["The {{ head }} is used for"]   # ends right where the answer begins
""",
    "multiple-choice": """phrases: ["{{ question }} The answer is"]   # for Prompting and MaskedPrompting; may be left out
""",
    "classification": """labels:   # words stand for a label behind a phrase; data: what stands in the rows, the name where left out
  positive: {words: [great, good]}
  negative: {words: [terrible, bad]}
phrases: ["{{ text }} It was"]
""",
    "text-to-text": """phrases: ["{{ source }}. In a sentence:"]   # for Prompting and MaskedPrompting; may be left out
""",
}
_COLUMNS: dict[Kind, str] = {
    "completion": "{head: head, tail: tail}",
    "multiple-choice": "{question: question, choices: choices, answer: answer}   # context and fact may be added",
    "classification": "{text: text, label: label}   # text2 may be added",
    "text-to-text": "{source: source, target: target}",
}
_ANSWERS = "  answers: index   # how the answer is given: index (from 0), number (from 1), letter or text\n"


def write_starter(kind: Kind, folder: str | Path) -> list[Path]:
    """Write ``task.yaml``, ``train.jsonl`` and ``test.jsonl`` into a folder.

    Returns:
        The files, the task file first.

    Raises:
        RunError: one of them is there already; nothing is written then.
    """
    folder = Path(folder)
    paths = [folder / name for name in ("task.yaml", "train.jsonl", "test.jsonl")]
    there = next((path for path in paths if path.exists()), None)
    if there is not None:
        raise RunError("is there already", where=str(there), hint="name another folder")
    answers = _ANSWERS if kind == "multiple-choice" else ""
    task = (
        f"# A {kind} task.\n"
        f"name: own\nkind: {kind}\n{_TEXT[kind]}data:\n"
        f"  splits: {{train: train.jsonl, test: test.jsonl}}   # dev may be added; without test the score is k-fold\n"
        f"  columns: {_COLUMNS[kind]}\n{answers}"
    )
    rows = _rows(kind)
    write_text(paths[0], task)
    for path, part in ((paths[1], rows[:8]), (paths[2], rows[8:])):
        write_text(path, "".join(json.dumps(row) + "\n" for row in part))
    return paths


def _rows(kind: Kind) -> list[dict[str, Any]]:
    uses = {
        "hammer": "pounding nails", "saw": "cutting wood", "broom": "sweeping the floor", "kettle": "boiling water",
        "needle": "sewing", "ladder": "reaching a high shelf", "sponge": "washing dishes", "lamp": "lighting a room",
        "spade": "digging", "iron": "smoothing clothes", "pen": "writing", "pan": "frying eggs",
    }  # fmt: skip
    texts = list(uses.values())
    rows: list[dict[str, Any]] = []
    for n, (thing, use) in enumerate(uses.items()):
        other, good = texts[(n + 5) % len(texts)], n % 2
        made: dict[Kind, dict[str, Any]] = {
            "completion": {"head": thing, "tail": use},
            "multiple-choice": {
                "question": f"What is a {thing} used for?", "choices": [use, other][:: 1 if good else -1], "answer": 1 - good,
            },
            "classification": {
                "text": f"This {thing} is {'all I need' if good else 'of no use'}.", "label": "positive" if good else "negative",
            },
            "text-to-text": {"source": f"{thing}, {use}", "target": [f"A {thing} is used for {use}."]},
        }  # fmt: skip
        rows.append(made[kind])
    return rows
