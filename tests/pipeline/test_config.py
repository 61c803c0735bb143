"""The configuration of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.errors import ConfigError
from mto.pipeline import CompareConfig, default_out, read_compare_config


def test_a_number_of_seeds_stands_for_that_many() -> None:
    assert CompareConfig(tasks=("a",), seeds=4).seeds == (0, 1, 2, 3)
    assert CompareConfig(tasks=("a",), seeds=(7, 3)).seeds == (7, 3)


def test_file_options_and_changes_win_in_this_order(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("tasks: [a/b]\nshots: 5\nmax_test: 7\ntune: {rates: [1.0e-3], beams: 2}\n")
    config = read_compare_config(
        file, ["max_test=9", "tune.ladder=[0, 3]"], shots=6, tune={"rates": [2e-3], "ladder": [0, 1]}
    )
    assert (config.shots, config.max_test, config.tune.beams) == (6, 9, 2)
    assert (config.tune.rates, config.tune.ladder) == ((2e-3,), (0, 3))


def test_the_first_metric_decides_on_dev_too() -> None:
    assert read_compare_config(tasks=["a"], metrics=["exact_match", "rouge_l"]).tune.metric == "exact_match"
    given = read_compare_config(None, ["tune.metric=rouge_l3"], tasks=["a"], metrics=["exact_match"])
    assert given.tune.metric == "rouge_l3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: [a]\nshotz: 3\n", "did you mean 'shots'"),
        ("tasks: [a]\nshots: -1\n", "run.yaml:2"),
        ("tasks: [a, a]\n", "'a' stands twice"),
        ("shots: 3\n", "tasks: required"),
        ("tasks: [a]\ntune: {rates: [2, 1]}\n", "tune.rates"),
        ("- a\n", "expected a mapping"),
    ],
)  # fmt: skip
def test_problems_are_named_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_compare_config(tmp_path / "run.yaml")


def test_where_the_data_lie_and_who_works_do_not_make_another_run() -> None:
    one = CompareConfig(tasks=("a",), data="here", workers=1)
    two = CompareConfig(tasks=("a",), data="there", workers=7)
    assert one.fixed() == two.fixed() != CompareConfig(tasks=("a",), shots=3).fixed()


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"tasks": ("household/ObjectUse",)}, "household-ObjectUse-mini"),
        ({"tasks": ("data/my tools.csv",), "shots": 8}, "data-my-tools-mini-8"),
        ({"tasks": ("/x/y/tools.csv",), "model": "google/flan-t5-base"}, "tools-flan-t5-base"),
        ({"tasks": ("a/b", "a/c", "a/d", "a/e")}, "a-b-a-c-and-2-more-mini"),
    ],
)
def test_a_run_without_a_name_gets_one(settings: dict, name: str) -> None:
    assert default_out(CompareConfig(**settings)) == Path("runs") / name


def test_without_shots_one_seed_is_enough_unless_said() -> None:
    assert read_compare_config(tasks=["x"], shots=0).seeds == (0,)
    assert read_compare_config(tasks=["x"], shots=0, seeds=2).seeds == (0, 1)
    assert (
        len(read_compare_config(tasks=["x"], shots=4).seeds)
        == len(read_compare_config(tasks=["x"]).seeds)
        == 3
    )
