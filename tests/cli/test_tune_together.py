"""`mto tune TASK TASK … --method prompt`: one folder a task, with the vectors that they share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mto.prompts import load_prompt
from tests.cli.conftest import Mto

TASKS = ("household/ObjectUse", "household/xWant")
SMALL = ("--shots", "4", "--rates", "0.3", "--steps", "0,1", "--vectors", "3", "-q")


def test_each_task_gets_a_folder_with_the_shared_vectors(mto: Mto, mini: str) -> None:
    words = ("--method", "prompt", *SMALL, "--family", "post-pt", "--encoder", "embedding")
    told = mto("tune", *TASKS, *words, "--shared", "2", "--out", "runs/both", "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["family"], found["encoder"]) == ("shared-post-pt", "embedding")
    assert [one["task"] for one in found["tasks"]] == list(TASKS)
    # One number of vectors was asked for, and it is that of every soft prompt.
    assert all(one["vectors"] == {"shared": 3, "#1": 3} for one in found["tasks"])
    one, other = (load_prompt(item["out"]) for item in found["tasks"])
    assert torch.equal(one.vectors["shared"], other.vectors["shared"])
    Path("new.csv").write_text("head\nhammer\n")
    for item in found["tasks"]:
        assert mto("predict", "--run", item["out"], "--input", "new.csv", "--output", "-").exit_code == 0
    again = mto("tune", *TASKS, *words, "--out", "runs/both")
    assert again.exit_code == 2 and "holds a tuned model already" in again.stderr
    text = mto("tune", *TASKS, *words, "--out", "runs/both", "--overwrite")
    assert (
        text.exit_code == 0 and "household/xWant: 3 shared, 3 own; runs/both/household-xWant" in text.stdout
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*TASKS,), "soft prompts alone"),
        ((*TASKS, "--method", "prompt", "--family", "auto"), "one family"),
        ((TASKS[0], "--method", "prompt", "--shared", "2"), "shares nothing"),
        ((TASKS[0], TASKS[0], "--method", "prompt"), "one name"),
        ((*TASKS, "--method", "prompt", "--family", "mapping"), "holds no soft prompt"),
        (("batch_rows=4",), "no task is named"),
    ],
)
def test_mistakes_are_named(mto: Mto, mini: str, words: tuple[str, ...], said: str) -> None:
    told = mto("tune", *words, "-q")
    assert told.exit_code == 2 and said in told.stderr
