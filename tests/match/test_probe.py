"""The probe with real, if tiny, models: what it measures, what it leaves behind, and bad input."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mto.errors import DataError, Interrupted, TemplateError, TrainingError, UnknownNameError
from mto.evaluate.likelihood import likelihood
from mto.match.probe import Probe, ProbeConfig, probe
from mto.match.probe import checkpoints as checkpoints_module
from mto.match.probe.arms import arrange_rows, find_contestants
from mto.match.probe.checkpoints import Checkpoints
from mto.tasks import Row, Task, draw_split, example_id, load_task, task_from_rows
from mto.templates import TemplateFamily
from mto.tune import TuneConfig
from mto.tune.ladder import fit
from tests.tune.conftest import rows as make_rows

THINGS = "hammer nail kitchen knife book library dog cat house garden water bread".split()
SMALL = ProbeConfig(
    budget_steps=24, folds=2, rates=(3e-3,), tuning=TuneConfig(optimizer="adamw", batch_rows=4)
)


@pytest.fixture
def task() -> Task:
    parts = {"train": make_rows(THINGS[:8]), "dev": make_rows(THINGS[8:11]), "test": make_rows(THINGS[11:])}
    phrases = ["The {{ head }} is used for", "You use the {{ head }} to"]
    return task_from_rows(parts, name="Use", phrases=phrases)


@pytest.fixture
def some(task: Task) -> tuple[Row, ...]:
    return draw_split(task, shots=8, seed=1).train


@pytest.fixture
def further(task: Task) -> tuple[Row, ...]:
    return draw_split(task, shots=8, seed=1).dev


def answer(result: Probe) -> dict[str, Any]:
    return result.model_dump(exclude={"seconds"})


def tensors(loaded: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}


def unchanged(loaded: Any, before: dict[str, torch.Tensor]) -> bool:
    same = all(torch.equal(t, before[name]) for name, t in loaded.model.state_dict().items())
    return same and not loaded.model.training and all(p.grad is None for p in loaded.model.parameters())


def test_a_probe_of_four_families(tiny, task, some, further) -> None:
    before, told = tensors(tiny), []
    torch_state = torch.get_rng_state()
    result = probe(tiny, task, some, dev=further, config=SMALL, progress=told.append)
    assert unchanged(tiny, before) and torch.equal(torch_state, torch.get_rng_state())
    assert [rung.steps for rung in result.rungs] == [0, 1, 4]
    assert result.ended == "winner" and result.steps == 4 * 2 * 1 + 2 * 2 * 4 == 24
    assert sorted(result.ranking) == ["mapping", "masked-mapping", "masked-prompting", "prompting"]
    assert [arm.masked for arm in result.arms] == [False, True, False, True]
    assert [arm.phrase is None for arm in result.arms] == [True, True, False, False]
    assert (result.rows, result.heads, result.dev_rows, result.folds) == (8, 8, 3, 2)
    for rung in result.rungs:
        for score in rung.scores:
            assert score.bits is not None and len(score.rows) == 11 == len(result.row_ids)
            pooled = np.dot(score.rows, result.row_bytes) / sum(result.row_bytes)
            assert pooled == pytest.approx(score.bits.value)
            assert score.bits.low < score.bits.value < score.bits.high
    assert (result.last(result.ranking[0]).value or 0) <= (result.last(result.ranking[1]).value or 0)
    assert len(told) == 4 + 8 + 4 and told[-1].steps_made == 24 and told[0].best is None
    assert Probe.model_validate_json(result.model_dump_json()) == result  # to JSON and back
    assert result.ranking[0] in result.summary and "behind" in result.summary


def test_the_same_seed_gives_the_same_answer(tiny_bart, task, some) -> None:
    config = SMALL.model_copy(update={"budget_steps": 8})
    families = ["mapping", "masked-prompting"]
    first = probe(tiny_bart, task, some, families=families, config=config)
    torch.rand(3)
    assert answer(probe(tiny_bart, task, some, families=families, config=config)) == answer(first)
    assert answer(probe(tiny_bart, task, some, families=families, config=config, seed=1)) != answer(first)


def test_its_numbers_are_those_of_training_and_scoring_by_hand(tiny_t5, task, some, further) -> None:
    config = SMALL.model_copy(update={"budget_steps": 8, "metric": "rouge_l"})
    result = probe(
        tiny_t5, task, some, dev=further, families=["prompting", "masked-prompting"], config=config
    )
    table = arrange_rows(task, some, further, 2, 0)
    found, _ = find_contestants(
        Checkpoints(tiny_t5), task, table, ["prompting", "masked-prompting"], config, 0
    )
    contestant = found[1]
    untrained = likelihood(tiny_t5, contestant.encoded.dev_pairs)
    owner_bits = np.bincount(table.owner, weights=untrained.nll / np.log(2))
    score = result.rungs[0].score("masked-prompting")
    assert score is not None and score.rows == pytest.approx((owner_bits / table.bytes).tolist(), rel=1e-4)
    # one fold of the next rung, trained in one go to the look that was best
    score = result.rungs[1].score("masked-prompting")
    assert score is not None and score.rate == 3e-3 and score.steps > 0
    assert min(look.bits for look in score.looks) == score.value
    part = contestant.part(1)
    held = np.flatnonzero(table.fold == 1)
    assert len(part.train) == 8 - sum(held < 8) and len(part.dev.questions) == len(held)
    fit(tiny_t5, part, contestant.settled, 3e-3, score.steps)
    trained = likelihood(tiny_t5, part.dev_pairs).nll / np.log(2)
    owner = table.owner[table.fold[table.owner] == 1]
    by_hand = [trained[owner == row].sum() / table.bytes[row] for row in held]
    assert [score.rows[row] for row in held] == pytest.approx(by_hand, rel=1e-4)
    assert score.metric is not None and len(score.metric_rows) == 11
    assert score.metric.value == pytest.approx(np.mean(score.metric_rows))


@settings(max_examples=40)
@given(
    heads=st.lists(st.sampled_from("abcdefghijkl"), min_size=2, max_size=30),
    more=st.lists(st.sampled_from("ijklmnop"), max_size=10),
    k=st.integers(2, 6),
    seed=st.integers(0, 5),
)
def test_folds_are_disjoint_by_head_and_hold_out_every_row_once(heads, more, k, seed) -> None:
    def row(head: str, n: int) -> Row:
        fields = {"head": head, "relation": "Use"}
        return Row(example_id(fields), fields, f"target {n}", (f"target {n}", "other"), "x:1")

    task = task_from_rows([{"head": "x", "tail": "y"}], name="Use")
    labelled = [row(head, n) for n, head in enumerate(heads)]
    further = [row(head, n) for n, head in enumerate(more)]
    if len(set(heads)) < 2:
        with pytest.raises(DataError, match="1 labelled head"):
            arrange_rows(task, labelled, further, k, seed)
        return
    table = arrange_rows(task, labelled, further, k, seed)
    assert table.folds == min(k, len(set(heads)))
    assert set(table.fold[: table.labelled]) == set(range(table.folds))
    assert set(table.fold) <= set(range(table.folds))
    for fold in range(table.folds):
        held = {row.id for row, at in zip(table.all, table.fold, strict=True) if at == fold}
        learned = {
            row.id for row, at in zip(labelled, table.fold[: table.labelled], strict=True) if at != fold
        }
        assert learned and not held & learned
    left = [one for one in further if one.head not in heads]
    assert [one.target for one in table.all[table.labelled :]] == [one.target for one in left]
    assert any("left out" in note for note in table.notes) == (len(left) < len(further))
    sizes = np.bincount(table.owner)
    assert sizes.tolist() == [2] * len(table.all)
    assert table.bytes.tolist() == [len(one.target) + len("other") for one in table.all]


def test_one_family_wins_at_once(tiny_bart, task, some) -> None:
    result = probe(tiny_bart, task, some, families=["prompting"], config=SMALL)
    assert (result.ended, result.steps, len(result.rungs)) == ("winner", 0, 1)
    assert result.best.family == "prompting" and result.difference is None and not result.clear
    assert "nothing to choose" in result.notes[0] and "nothing to choose" in result.summary
    assert result.lean.value == 0.0 and "masked" in result.lean.saw


@pytest.mark.parametrize(("count", "folds"), [(2, 2), (3, 3)])
def test_few_rows_get_fewer_folds(tiny_bart, task, some, count: int, folds: int) -> None:
    result = probe(tiny_bart, task, some[:count], config=SMALL.model_copy(update={"folds": 4}))
    assert result.folds == folds and result.ended in ("winner", "budget")
    assert any(f"only {count} labelled heads" in note for note in result.notes)
    assert abs(result.lean.value) <= 1.0


def test_too_few_rows_are_a_clear_error(tiny_bart, task, some) -> None:
    for rows in ((), some[:1], (some[0], some[0])):
        with pytest.raises(DataError, match=r"[01] labelled heads?; a probe learns from some") as found:
            probe(tiny_bart, task, rows, config=SMALL)
        assert found.value.hint and "two rows" in found.value.hint


def test_equal_targets_work_and_it_says_so(tiny_bart, task, some) -> None:
    same = [replace(row, target="run", references=("run",)) for row in some]
    result = probe(tiny_bart, task, same, config=SMALL)
    assert result.ended == "winner"
    assert any("all 8 targets are equal ('run')" in note for note in result.notes)


def test_an_empty_target_is_named_by_its_place(tiny_bart, task, some) -> None:
    rows = [*some[:3], replace(some[3], target=" ", references=(" ",), where="own.csv:7")]
    with pytest.raises(DataError, match=r"own\.csv:7"):
        probe(tiny_bart, task, rows, config=SMALL)


def test_a_family_that_cannot_be_written_is_left_out(tiny_t5, task, some) -> None:
    without = replace(tiny_t5, adapter=replace(tiny_t5.adapter, sentinel_ids=()))
    config = SMALL.model_copy(update={"phrases": 2})
    result = probe(without, task, some, config=config)
    assert [left.name for left in result.left_out] == ["masked-mapping", "masked-prompting"]
    assert all("mask" in left.why for left in result.left_out)
    assert {arm.name for arm in result.arms} == {"mapping", "prompting", "prompting#2"}
    assert result.arm("prompting#2").phrase == task.phrases[1]
    assert result.lean.value == 0.0 and result.lean.saw == "no masked family to compare with"
    with pytest.raises(TemplateError, match="no family can be written: masked-mapping"):
        probe(without, task, some, families=["masked-mapping"], config=config)


def test_a_task_without_a_phrase_has_the_mapping_families(tiny_bart, task, some) -> None:
    result = probe(tiny_bart, replace(task, phrases=()), some, config=SMALL)
    assert {arm.family for arm in result.arms} == {"mapping", "masked-mapping"}
    assert len(result.left_out) == 2 and "phrase" in result.left_out[0].why


def test_bad_names_are_errors(tiny_bart, task, some) -> None:
    with pytest.raises(UnknownNameError, match="promptin"):
        probe(tiny_bart, task, some, families=["promptin"])
    with pytest.raises(UnknownNameError, match="rogue"):
        probe(tiny_bart, task, some, config=ProbeConfig(metric="rogue"))
    with pytest.raises(DataError, match="no template family"):
        probe(tiny_bart, task, some, families=[])
    with pytest.raises(DataError, match="no checkpoint"):
        probe({}, task, some)
    twin = TemplateFamily("mapping", source="{{ head }}", target="{{ answer }}")
    with pytest.raises(DataError, match="two different families"):
        probe(tiny_bart, task, some, families=["mapping", twin])
    with pytest.raises(ValueError, match="first_steps"):
        ProbeConfig(first_steps=100)


def test_several_checkpoints_compete_and_loaders_are_called_when_needed(
    tiny_t5, tiny_bart, task, some, monkeypatch
) -> None:
    calls: list[str] = []

    def loader() -> Any:
        calls.append("bart")
        return tiny_bart

    models = {"t5": tiny_t5, "bart": loader}
    before = {"t5": tensors(tiny_t5), "bart": tensors(tiny_bart)}
    families = ["mapping", "masked-mapping"]
    result = probe(models, task, some, families=families, config=SMALL)
    assert [arm.name for arm in result.arms] == [
        f"{model}/{family}" for model in ("t5", "bart") for family in families
    ]
    assert calls == ["bart"] and result.ended == "winner"
    assert result.lean.saw.startswith(f"{result.best.model}/")
    # with no room in memory the answer is the same, with more loading
    monkeypatch.setattr(checkpoints_module, "KEEP_BYTES", 0)
    both = {"t5": lambda: tiny_t5, "bart": loader}
    assert answer(probe(both, task, some, families=families, config=SMALL)) == answer(result)
    assert len(calls) >= 3
    assert unchanged(tiny_t5, before["t5"]) and unchanged(tiny_bart, before["bart"])


def test_weights_are_put_back_after_an_error_and_after_ctrl_c(tiny_bart, task, some, monkeypatch) -> None:
    before = tensors(tiny_bart)

    def full(status: Any) -> None:
        if status.rung == 1:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        probe(tiny_bart, task, some, config=SMALL, progress=full)
    assert unchanged(tiny_bart, before)

    asked: list[int] = []

    def press() -> bool:  # in the middle of a training
        asked.append(1)
        if len(asked) == 8:
            raise KeyboardInterrupt
        return False

    result = probe(tiny_bart, task, some, config=SMALL, stop=press)
    assert result.ended == "stopped" and len(result.rungs) == 1 and 0 < result.steps < 24
    assert unchanged(tiny_bart, before)
    with pytest.raises(Interrupted, match="no answer yet"):
        probe(tiny_bart, task, some, config=SMALL, stop=lambda: True)


def test_broken_weights_are_an_error_that_names_the_arms(tiny_bart, task, some) -> None:
    with torch.no_grad():
        tiny_bart.model.final_logits_bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="no arm can be scored: mapping"):
        probe(tiny_bart, task, some, config=SMALL)


def test_a_rate_that_diverges_is_no_end(tiny_bart, task, some) -> None:
    config = SMALL.model_copy(update={"rates": (3e-3, 1e30)})
    result = probe(tiny_bart, task, some, families=["mapping", "prompting"], config=config)
    assert result.ended == "winner"
    trained = [score for rung in result.rungs[1:] for score in rung.scores if not score.failed]
    assert trained and {score.rate for score in trained} <= {0.0, 3e-3}


def test_with_the_embedded_model() -> None:
    from mto.families import load_model

    loaded = load_model("mini")
    before = tensors(loaded)
    task = load_task("household/ObjectUse")
    rows = draw_split(task, shots=6, seed=0).train
    families = ["prompting", "masked-prompting"]
    result = probe(loaded, task, rows, families=families, config=ProbeConfig(budget_steps=8, folds=2))
    assert unchanged(loaded, before)
    assert result.steps == 8 and len(result.rungs) == 2
    for arm in result.arms:  # two steps help every family of a model that was never shown the task
        before_it, after = result.rungs[0].score(arm.name), result.rungs[1].score(arm.name)
        assert before_it is not None and after is not None
        assert [look.steps for look in after.looks] == [1, 2]
        assert after.looks[1].bits < after.looks[0].bits < before_it.looks[0].bits
    assert not result.lean.saw.startswith("no ")


def test_the_page_runs(tiny_bart, monkeypatch, capsys) -> None:
    page = Path(__file__).parents[2] / "docs" / "matching" / "probe.md"
    monkeypatch.setattr("mto.load_model", lambda ref: tiny_bart, raising=False)
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, "probe.md", "exec"), {})  # noqa: S102 - the page's own example
    assert "bits per target byte" in capsys.readouterr().out
