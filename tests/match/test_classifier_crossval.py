"""Leave-one-relation-out: what is left out, what is stored, and what the figures say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mto.errors import DataError
from mto.match.classifier import (
    Fold,
    Labelled,
    LeaveOneOut,
    leave_one_out,
    study_classifiers,
    summarise,
    train_fast_classifier,
)
from mto.match.classifier import study as study_module
from mto.tasks import Row, TaskType


def relation(name: str, type: TaskType, heads: int = 10) -> Labelled:
    rows = tuple(Row(f"{name} {n}", {"head": f"h{n}"}, "tail", ("tail",), "") for n in range(heads))
    return Labelled(rows, type, name)


SETS = (
    relation("one/A", "mask-filling"), relation("one/B", "mask-filling"), relation("one/C", "map-phrasal"),
    relation("two/A", "mask-filling"), relation("two/D", "map-phrasal"),
)  # fmt: skip


@dataclass
class Same:
    """Says the same of every row; remembers what it was trained on."""

    told: float
    name: str = "same"
    seen: list[str] = field(default_factory=list)

    def predict(self, rows: Sequence[Row], *, phrase: str | None = None) -> np.ndarray:
        return np.full(len(rows), self.told)


def test_no_classifier_sees_the_relation_that_it_is_judged_on() -> None:
    seen = []

    def fit(rows: Sequence[Labelled]) -> Same:
        seen.append([one.relation for one in rows])
        return Same(0.9)

    result = leave_one_out(SETS, SETS[:3], fit)
    assert seen[0] == ["one/B", "one/C", "two/D"]
    assert seen[2] == ["one/A", "one/B", "two/A", "two/D"]
    assert [one.vote_right for one in result.relations] == [True, True, False]
    assert result.tasks.value == pytest.approx(2 / 3)
    assert result.chance == pytest.approx(2 / 3)
    assert result.nats.value == pytest.approx(-(2 * np.log(0.9) + np.log(0.1)) / 3)
    assert LeaveOneOut.model_validate_json(result.model_dump_json()) == result


def test_folds_that_were_stored_are_not_computed_again() -> None:
    stored: list[Fold] = []
    first = leave_one_out(SETS, SETS[:2], lambda rows: Same(0.7), on_fold=stored.append)
    back = [Fold.model_validate_json(fold.model_dump_json()) for fold in stored]

    def fails(rows: Sequence[Labelled]) -> Same:
        raise AssertionError("computed again")

    assert leave_one_out(SETS, SETS[:2], fails, done=back) == first
    new: list[Fold] = []
    leave_one_out(SETS, SETS[:3], lambda rows: Same(0.7), done=back, on_fold=new.append)
    assert [fold.relation for fold in new] == ["one/C"]


def fold(name: str, told: Sequence[float], heads: Sequence[str] | None = None) -> Fold:
    return Fold(
        relation=name, type="mask-filling", mask_filling=tuple(told), unseen=(name,),
        heads=tuple(heads or map(str, range(len(told)))), classifier="by hand",
    )  # fmt: skip


def test_the_mean_is_over_relations_and_heads() -> None:
    # Two rows of head 0 count as one head; 40 heads of b weigh as much as 2 of a.
    a = fold("a", [0.9, 0.1, 0.9], ["0", "0", "1"])
    b = fold("b", [0.1] * 40)
    result = summarise([a, b])
    assert result.relations[0].examples.value == 0.75
    assert result.relations[0].heads == 2
    assert result.examples.value == pytest.approx(0.375)
    assert result.relations[1].few_right == 0.0


def test_a_vote_of_thirty_is_less_sure_than_one_of_all() -> None:
    told = [0.9] * 52 + [0.1] * 48
    one = summarise([fold("a", told)]).relations[0]
    assert one.vote_right
    assert 0.5 < one.few_right < 0.7


def test_intervals_know_that_relations_differ() -> None:
    alike = summarise([fold(f"r{n}", [0.9] * 75 + [0.1] * 25) for n in range(8)])
    apart = summarise([fold(f"r{n}", [0.9] * 100 if n % 4 else [0.1] * 100) for n in range(8)])
    assert alike.examples.value == apart.examples.value == 0.75
    assert apart.examples.high - apart.examples.low > 3 * (alike.examples.high - alike.examples.low)


def test_bad_input() -> None:
    with pytest.raises(DataError, match="nothing can be judged"):
        leave_one_out(SETS, [], lambda rows: Same(0.5))
    with pytest.raises(DataError, match="stands twice: one/A"):
        leave_one_out(SETS, [SETS[0], SETS[0]], lambda rows: Same(0.5))
    with pytest.raises(DataError, match="has no rows"):
        leave_one_out(SETS, [replace(SETS[0], rows=())], lambda rows: Same(0.5))
    with pytest.raises(DataError, match="has seen that relation"):
        summarise([fold("a", [0.5]).model_copy(update={"unseen": ("b",)})])


def test_a_study_that_was_stopped_goes_on(
    tiny_t5: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: tuple[TaskType, ...] = ("mask-filling", "map-phrasal")
    few = tuple(relation(f"household/{n}", kinds[n % 2], 4) for n in range(6))
    as_atomic = tuple(replace(one, relation=f"atomic2020/{one.meaning}") for one in few)

    def quick(*given: Any, **named: Any) -> Any:
        return train_fast_classifier(*given, **named, penalties=(0.1,))

    def rows(name: str = "household", data: str | None = None) -> tuple[Labelled, ...]:
        return few if data is None else as_atomic

    monkeypatch.setattr(study_module, "training_rows", rows)
    monkeypatch.setattr(study_module, "held_out_rows", rows)
    monkeypatch.setattr(study_module, "train_fast_classifier", quick)
    told: list[tuple[str, str]] = []

    def stop_after(count: int) -> Any:
        def on_fold(label: str, fold: Fold) -> None:
            told.append((label, fold.relation))
            if len(told) == count:
                raise KeyboardInterrupt

        return on_fold

    with pytest.raises(KeyboardInterrupt):
        study_classifiers(tiny_t5, "nowhere", folder=tmp_path, on_fold=stop_after(20))
    stopped = study_classifiers(tiny_t5, "nowhere", folder=tmp_path, on_fold=stop_after(-1))
    assert len(told) == len(set(told)) == 18 * 6
    whole = study_classifiers(tiny_t5, "nowhere")
    assert stopped == whole
    assert len(whole.rows) == 18
    # Other weights take no fold of these.
    other = replace(tiny_t5, revision="other")
    study_classifiers(other, "nowhere", folder=tmp_path, on_fold=stop_after(-1))
    assert len(told) == 2 * 18 * 6
