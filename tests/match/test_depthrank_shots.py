from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mto.errors import DataError, TrainingError
from mto.match.depthrank import FamilyScores, Recipe, cross_scores, maskability, score_families, tuned_scores
from mto.match.depthrank.shots import _cuts

from .depthrank_rows import small_rows, small_task

TASK = small_task()
ROWS = small_rows(TASK, 10)
TRAIN, HELD = ROWS[:5], ROWS[5:]
QUICK = Recipe(epochs=4, batch_rows=4, rate=3e-3, optimizer="adamw")


def weights(loaded: Any) -> list[torch.Tensor]:
    return [p.detach().clone() for p in loaded.model.parameters()]


def same(before: list[torch.Tensor], loaded: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, loaded.model.parameters(), strict=True))


def test_tuning_makes_the_targets_likelier_and_is_undone(tiny: Any) -> None:
    before = weights(tiny)
    near = [
        replace(row, id=row.id + "x") for row in TRAIN
    ]  # the same rows under other ids: they must become likelier
    told = []
    tuned = tuned_scores(
        tiny, TASK, TRAIN, near, ["mapping", "masked-mapping"], recipe=QUICK,
        progress=lambda *status: told.append(status),
    )  # fmt: skip
    assert same(before, tiny) and not tiny.model.training
    plain = score_families(tiny, TASK, near, ["mapping", "masked-mapping"])
    for name in ("mapping", "masked-mapping"):
        assert tuned.family(name).bits_per_byte.value < plain.family(name).bits_per_byte.value - 0.1
    assert (tuned.shots, tuned.labelled, tuned.recipe, tuned.folds) == (5, 5, QUICK, None)
    assert told == [("mapping", 0, 2), ("masked-mapping", 1, 2)]


def test_equal_input_gives_equal_bytes_and_another_seed_others(tiny_bart: Any) -> None:
    one = tuned_scores(tiny_bart, TASK, TRAIN, HELD, ["prompting"], recipe=QUICK)
    two = tuned_scores(tiny_bart, TASK, TRAIN, HELD, ["prompting"], recipe=QUICK)
    assert one.model_dump_json() == two.model_dump_json()
    assert FamilyScores.model_validate_json(one.model_dump_json()) == one
    other = tuned_scores(tiny_bart, TASK, TRAIN, HELD, ["prompting"], recipe=QUICK, seed=1)
    assert other.families[0].row_bits != one.families[0].row_bits


def test_each_family_is_tuned_from_the_same_start(tiny_t5: Any) -> None:
    alone = tuned_scores(tiny_t5, TASK, TRAIN, HELD, ["prompting"], recipe=QUICK)
    after = tuned_scores(tiny_t5, TASK, TRAIN, HELD, ["masked-mapping", "prompting"], recipe=QUICK)
    assert alone.family("prompting").row_bits == after.family("prompting").row_bits


def test_no_rows_are_zero_shots(tiny_t5: Any) -> None:
    got = tuned_scores(tiny_t5, TASK, [], HELD)
    want = score_families(tiny_t5, TASK, HELD, labelled=())
    assert got == want and got.shots == 0


def test_frequencies_come_from_the_rows_that_are_tuned_on(tiny_t5: Any) -> None:
    still = Recipe(epochs=1, batch_rows=8, rate=1e-12, optimizer="adamw")
    got = tuned_scores(tiny_t5, TASK, TRAIN, HELD, ["mapping"], recipe=still).families[0]
    want = score_families(tiny_t5, TASK, HELD, ["mapping"], labelled=TRAIN).families[0]
    assert got.row_weighted == pytest.approx(want.row_weighted, rel=0.05)


def test_folds_hold_each_head_out_once(tiny_t5: Any) -> None:
    twins = [*ROWS, replace(ROWS[0], target="run"), replace(ROWS[3], target="eat")]
    cuts = _cuts(TASK, twins, 4, None, seed=3)
    assert sorted(n for _, held in cuts for n in held) == list(range(12))
    for train, held in cuts:
        assert not {twins[n].id for n in train} & {twins[n].id for n in held}
    few = _cuts(TASK, twins, 4, 3, seed=3)
    assert [held for _, held in few] == [held for _, held in cuts]
    assert all(len(train) == 3 and set(train) <= set(cuts[n][0]) for n, (train, _) in enumerate(few))
    assert len(_cuts(TASK, ROWS[:3], 5, None, seed=0)) == 3


def test_cross_scores_puts_every_row_in_its_place(tiny_bart: Any) -> None:
    before = weights(tiny_bart)
    scores = cross_scores(
        tiny_bart, TASK, ROWS, ["prompting", "masked-prompting"], k=3, recipe=QUICK, keep_tokens=True
    )
    assert same(before, tiny_bart)
    assert (scores.folds, scores.shots) == (3, 6) and [row.id for row in scores.rows] == [r.id for r in ROWS]
    family = scores.family("prompting")
    assert family.tokens is not None
    for n, row in enumerate(ROWS):
        assert family.tokens[n][0].target == row.target
        assert family.row_depth_rank[n] == pytest.approx(family.tokens[n][0].depth_rank)
    cuts = _cuts(TASK, ROWS, 3, None, 0)
    train, held = cuts[1]
    alone = tuned_scores(
        tiny_bart, TASK, [ROWS[n] for n in train], [ROWS[n] for n in held], ["prompting"], recipe=QUICK
    )
    assert [family.row_bits[n] for n in held] == pytest.approx(alone.families[0].row_bits)
    report = maskability(scores)
    assert report.pairs[0].heads == 10 and report.pairs[0].shots == 6


def test_cross_scores_at_few_shots_and_all_targets(tiny_bart: Any) -> None:
    dev = [replace(row, references=(row.target, "run", "eat food and run")) for row in ROWS]
    scores = cross_scores(tiny_bart, TASK, dev, ["mapping"], k=2, shots=2, targets="all", recipe=QUICK)
    assert scores.shots == 2 and all(len(row.targets) == 3 for row in scores.rows)
    assert np.isfinite(scores.families[0].row_depth_rank).all()


def test_recipes() -> None:
    for kind, optimizer in (("t5", "adafactor"), ("sentinel-text", "adamw")):
        settled, rate = Recipe().settle(kind)
        assert (settled.optimizer, rate, settled.batch_rows) == (optimizer, 1e-4, 8)
    settled, rate = QUICK.settle("t5", max_source=9, seed=4)
    assert (settled.optimizer, rate, settled.max_source, settled.seed) == ("adamw", 3e-3, 9, 4)


def test_bad_input(tiny_bart: Any) -> None:
    with pytest.raises(DataError, match="1 heads are tuned on and scored"):
        tuned_scores(tiny_bart, TASK, TRAIN, [TRAIN[0], *HELD])
    with pytest.raises(DataError, match="one head"):
        tuned_scores(tiny_bart, TASK, TRAIN, HELD[:1])
    with pytest.raises(DataError, match="no rows"):
        cross_scores(tiny_bart, TASK, [])
    with pytest.raises(DataError, match="one head"):
        cross_scores(tiny_bart, TASK, ROWS[:1])
    with pytest.raises(DataError, match="shots is 0"):
        cross_scores(tiny_bart, TASK, ROWS, shots=0)
    before = weights(tiny_bart)
    wild = Recipe(epochs=30, batch_rows=4, rate=1e30, optimizer="adamw")
    with pytest.raises((TrainingError, DataError)):
        tuned_scores(tiny_bart, TASK, TRAIN, HELD, ["mapping"], recipe=wild)
    assert same(before, tiny_bart)
