"""Malformed task files and rows of every kind: each is an error that a person can act on, never a traceback of the library's."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.errors import MtoError
from mto.tasks import draw_split, load_task
from tests.tasks.starter import write_starter

CHOICE, CLASS, TEXT = "multiple-choice", "classification", "text-to-text"
ROWS: list[tuple[str, str]] = [
    (CHOICE, ""),
    (CHOICE, "\n\n"),
    (CHOICE, "not json"),
    (CHOICE, "[1, 2]"),
    (CHOICE, "{}"),
    (CHOICE, '{"question": "a"}'),
    (CHOICE, '{"question": "a", "choices": null, "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": [], "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": "b", "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": ["b", ""], "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": null}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": -1}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": 2}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": 0.5}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": "b"}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": [0, 1]}'),
    (CHOICE, '{"question": "a", "choices": ["b", "c"], "answer": {"x": 0}}'),
    (CHOICE, '{"question": ["a", "b"], "choices": ["b", "c"], "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": ["b", " B"], "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": ["b", {"x": 1}], "answer": 0}'),
    (CHOICE, '{"question": "a", "choices": ["1","2","3","4","5","6","7","8","9","10","11"], "answer": 0}'),
    (CHOICE, '{"question": "\\ud800", "choices": ["b", "c"], "answer": 0}'),
    (CHOICE, '{"question": true, "choices": {"text": ["b", "c"]}, "answer": 0}'),
    (CLASS, '{"text": "a", "label": "positve"}'),
    (CLASS, '{"text": "a", "label": ["positive", "negative"]}'),
    (CLASS, '{"text": "a", "label": null}'),
    (CLASS, '{"text": null, "label": "positive"}'),
    (CLASS, '{"text": {"x": 1}, "label": "positive"}'),
    (CLASS, '{"text": "a", "label": "positive"}\n{"text": "A ", "label": "negative"}'),
    (CLASS, '{"text": "a", "label": "positive"}\n{"text": "b", "label": "positive"}'),
    (TEXT, '{"source": "a"}'),
    (TEXT, '{"source": "a", "target": []}'),
    (TEXT, '{"source": "", "target": "b"}'),
    (TEXT, '{"source": "a", "target": {"b": 1}}'),
]
FILES: list[tuple[str, str, str]] = [
    (CHOICE, "kind: multiple-choice", "kind: 3"),
    (CHOICE, "kind: multiple-choice", "kind: [multiple-choice]"),
    (CHOICE, "answers: index", "answers: first"),
    (CHOICE, "choices: choices", "choices: []"),
    (CHOICE, "choices: choices", "choices: {a: b}"),
    (CHOICE, "choices: choices", "choices: chocies"),
    (CHOICE, "{{ question }} The answer is", "{{ question"),
    (CHOICE, "{{ question }} The answer is", "{{ question }} {{ answer }}"),
    (CHOICE, "name: own", "name: [own"),
    (CHOICE, "name: own", "name: own\nrelations: {Use: {}}"),
    (CLASS, "words: [great, good]", "words: great"),
    (CLASS, "words: [great, good]", "words: [terrible]"),
    (CLASS, "  negative: {words: [terrible, bad]}\n", ""),
    (CLASS, "{{ text }} It was", "It was"),
    (TEXT, "{train: train.jsonl, test: test.jsonl}", "{test: test.jsonl}"),
    (TEXT, "{train: train.jsonl, test: test.jsonl}", "{train: nowhere.jsonl}"),
    (TEXT, "columns: {source: source", "column: {source: source"),
]


@pytest.mark.parametrize(("kind", "rows"), ROWS)
def test_malformed_rows_are_refused(kind: str, rows: str, tmp_path: Path) -> None:
    task, train, _ = write_starter(kind, tmp_path)  # type: ignore[arg-type]
    train.write_text(rows, encoding="utf-8")
    with pytest.raises(MtoError) as caught:
        draw_split(load_task(task), shots=1, seed=0)
    assert len(str(caught.value)) < 2000 and ("own" in str(caught.value) or "jsonl" in str(caught.value))


@pytest.mark.parametrize(("kind", "old", "new"), FILES)
def test_malformed_task_files_are_refused(kind: str, old: str, new: str, tmp_path: Path) -> None:
    task, *_ = write_starter(kind, tmp_path)  # type: ignore[arg-type]
    text = task.read_text()
    assert old in text
    task.write_text(text.replace(old, new, 1))
    with pytest.raises(MtoError) as caught:
        load_task(task)
    assert "task.yaml" in str(caught.value) or "jsonl" in str(caught.value)
