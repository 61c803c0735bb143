"""A starter of each kind is valid as it stands; what is odd is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mto.errors import RunError
from mto.pipeline.validating import validate_task
from mto.tasks.starter import write_starter

KINDS = {"completion": None, "multiple-choice": 50.0, "classification": 50.0, "text-to-text": None}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_starter_is_valid(kind: str, tiny_dir: Path, tmp_path: Path) -> None:
    task, *_ = write_starter(kind, tmp_path / "own")
    found = validate_task(task, model=tiny_dir)
    assert (found.kind, dict(found.splits), found.odd) == (kind, {"train": 8, "dev": 0, "test": 4}, 0)
    assert found.guessing == KINDS[kind] and bool(found.answers) == (KINDS[kind] is not None)
    assert all(check.longest for check in found.families), found.families
    with pytest.raises(RunError, match=r"task\.yaml: is there already"):
        write_starter(kind, tmp_path / "own")


def test_odd_rows_and_families_that_cannot_be_written_are_told(tiny_dir: Path, tmp_path: Path) -> None:
    task, train, _ = write_starter("text-to-text", tmp_path)
    train.write_text(train.read_text() + json.dumps({"source": "", "target": "x"}) + "\n")
    task.write_text(
        "\n".join(line for line in task.read_text().splitlines() if not line.startswith("phrases"))
    )
    found = validate_task(task, model=tiny_dir)
    assert found.odd == 1 and "train.jsonl:9" in found.first_odd[0]
    told = {check.family: check.reason for check in found.families}
    assert not told["mapping"] and "needs a phrase" in told["prompting"]
