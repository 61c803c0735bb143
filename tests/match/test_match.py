"""All signals together, and the answer as a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mto
from mto.errors import DataError, MtoError
from mto.match import MatchConfig, match_rows, read_match
from mto.match.probe import ProbeConfig
from mto.match.run import draw_labelled
from mto.tasks import Row

TASK = mto.load_task("household/ObjectUse")
SPLIT = mto.draw_split(TASK, shots=8, seed=0)


def weights(loaded: Any) -> dict[str, Any]:
    return {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}


def test_every_signal_is_asked_and_the_weights_stay(tiny_bart: Any) -> None:
    before, heard, probed = weights(tiny_bart), [], []
    config = MatchConfig(
        signals=("guidelines", "depthrank", "classifier", "probe"), tuned_shots=4, probe=ProbeConfig(budget_steps=12, folds=2)
    )  # fmt: skip
    found = match_rows(
        tiny_bart, TASK, SPLIT.train, dev=SPLIT.dev, config=config, data_seed=0, progress=lambda s, m: heard.append(s),
        probing=lambda status: probed.append((status.rung, status.arm)),
    )  # fmt: skip
    one = found.best
    assert (found.train_rows, found.dev_rows, found.data_seed) == (8, 8, 0)
    assert set(one.type.leans) == {"guidelines", "depthrank", "tuned_depthrank", "classifier", "probe"}
    assert {f.family for f in one.family.forecasts} == {
        "mapping",
        "masked-mapping",
        "prompting",
        "masked-prompting",
    }
    assert found.family in {f.family for f in one.family.forecasts}
    assert found.objective == ("denoising" if one.type.type == "mask-filling" else "lm")
    assert one.tuned is not None and one.tuned.shots == 4 and one.denoiser is not None
    assert all(f.tuned_bits is not None and f.agrees is not None for f in one.evidence.families)
    assert found.probe is not None and found.probe.steps <= 12
    assert heard == ["guidelines", "probe", "depthrank", "depthrank after tuning", "classifier", "denoiser"]
    assert probed[:2] == [(0, "mapping"), (0, "masked-mapping")] and probed[-1][0] > 0
    after = weights(tiny_bart)
    assert all((after[name] == tensor).all() for name, tensor in before.items())


def test_the_file_gives_back_the_answer(tiny_bart: Any, tmp_path: Path) -> None:
    found = match_rows(
        tiny_bart, TASK, SPLIT.train, config=MatchConfig(signals=("guidelines",), denoiser=False)
    )
    assert found.best.classified is None and found.best.denoiser is None
    assert set(found.best.type.leans) == {"guidelines"}
    path = found.write(tmp_path / "match.json")
    assert read_match(path) == found == read_match(tmp_path)
    path.write_text(path.read_text().replace('"version": 1,', '"version": 9,', 1))
    with pytest.raises(DataError, match="version 9"):
        read_match(path)
    path.write_text('{"version": 1, "task": "x"}')
    with pytest.raises(DataError, match="no result of matching"):
        read_match(path)


def test_candidates_are_ranked_by_bits_a_byte(tiny_bart: Any, tiny_t5: Any) -> None:
    config = MatchConfig(signals=("guidelines",), denoiser=False)
    loads = []

    def load() -> Any:
        loads.append(1)
        return tiny_t5

    found = match_rows({"a": tiny_bart, "b": load}, TASK, SPLIT.train, config=config)
    assert loads == [1]
    bits = [one.bits_per_byte.value for one in found.models]
    assert bits == sorted(bits) and {one.model for one in found.models} == {"a", "b"}
    assert found.model("b").model == "b"
    assert found.candidates is not None and found.candidates.first == found.models[0].model
    more = found.candidates.behind[0].bits
    assert more.value == pytest.approx(bits[1] - bits[0]) and more.low <= more.value <= more.high
    with pytest.raises(DataError, match="'c' was not matched"):
        found.model("c")


def test_the_same_seed_gives_the_same_answer(tiny_t5: Any) -> None:
    config = MatchConfig(signals=("guidelines", "classifier"), denoiser=False)
    one, other = (match_rows(tiny_t5, TASK, SPLIT.train, config=config) for _ in range(2))
    assert one.model_copy(update={"seconds": 0.0}) == other.model_copy(update={"seconds": 0.0})


def rows(pairs: list[tuple[str, str]]) -> list[Row]:
    return [
        Row(str(n), {"head": head, "relation": "ObjectUse"}, tail, (tail,), f"rows:{n}")
        for n, (head, tail) in enumerate(pairs)
    ]


def test_little_data_gets_an_answer_that_says_so(tiny_bart: Any) -> None:
    config = MatchConfig(signals=("guidelines",))
    found = match_rows(
        tiny_bart, TASK, rows([("hammer", "nail"), ("knife", "food"), ("car", "water")]), config=config
    )
    assert any("only 3 labelled rows" in note for note in found.notes)
    same = match_rows(
        tiny_bart, TASK, rows([(w, "food") for w in ("dog", "cat", "car", "book", "bread")]), config=config
    )
    assert same.guess is not None and "all targets are 'food'" in same.guess and same.notes[0] == same.guess
    assert match_rows(tiny_bart, TASK, SPLIT.train, config=config).guess is None


def test_one_family_and_a_model_without_masks(tiny_bart: Any) -> None:
    config = MatchConfig(signals=("depthrank",), families=("prompting",))
    found = match_rows(tiny_bart, TASK, SPLIT.train, config=config)
    assert found.family == "prompting" and found.best.family.confidence == 1.0
    assert found.best.family.says == "prompting is the only family that was asked for"
    assert found.best.type.leans == {}  # nothing pairs up
    mute = replace(tiny_bart, adapter=replace(tiny_bart.adapter, sentinel_ids=()))
    found = match_rows(mute, TASK, SPLIT.train, config=MatchConfig(signals=("guidelines",)))
    assert [out.family for out in found.best.scores.left_out] == ["masked-mapping", "masked-prompting"]
    assert found.best.denoiser is None


def test_what_cannot_be_matched_is_told(tiny_bart: Any) -> None:
    with pytest.raises(MtoError):
        match_rows(tiny_bart, TASK, [])
    with pytest.raises(DataError, match="no checkpoint"):
        match_rows({}, TASK, SPLIT.train)
    with pytest.raises(DataError, match="config or settings"):
        mto.match(TASK, tiny_bart, config=MatchConfig(), denoiser=False)
    with pytest.raises(DataError, match="same name"):
        mto.match(TASK, [tiny_bart, tiny_bart])


def test_the_rows_are_those_that_a_run_tunes_on() -> None:
    own = mto.draw_split(TASK, shots=8, seed=3, max_test=100)
    drawn = draw_labelled(TASK, 8, 3)
    assert (drawn.train, drawn.dev) == (own.train, own.dev)
    assert len(draw_labelled(TASK, 10**6, 0).train) == len(TASK.train)


def test_the_public_function(tiny_bart: Any) -> None:
    found = mto.match("household/xWant", tiny_bart, shots=6, seed=1, signals=("guidelines",), denoiser=False)
    assert (found.task, found.train_rows, found.data_seed) == ("household/xWant", 6, 1)
    assert found.best.type.type == "map-phrasal"
