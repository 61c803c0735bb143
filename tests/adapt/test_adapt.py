"""A whole adaptation on a tiny checkpoint: what it writes, what it says of itself, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import mto
from mto.adapt import AdaptResult, adapt
from mto.adapt.run import adapted_metadata
from mto.errors import ConfigError, DataError, Interrupted, RunError, TrainingError
from mto.families import load_model, save_model
from mto.train import Callback
from tests.adapt.prepared import config, general, pair, pairs, prepared
from tests.conftest import missing


def weights(path: Path) -> dict[str, torch.Tensor]:
    return dict(load_model(path).model.state_dict())


def test_an_adapted_checkpoint_is_an_ordinary_one_with_a_card(tmp_path: Path) -> None:
    lines: list[str] = []
    result = adapt(config(tmp_path, keep_best=False), tmp_path / "run", say=lines.append)
    assert result.model == tmp_path / "run" / "model" and result.worked
    loaded = load_model(result.model)
    plain = transformers.AutoModelForSeq2SeqLM.from_pretrained(result.model)
    assert all(torch.equal(t, plain.state_dict()[n]) for n, t in loaded.model.state_dict().items())
    metadata = loaded.metadata
    assert metadata.latest == result.objectives and 0 < metadata.latest["lm"] < 1
    assert metadata.tokens_seen == result.tokens > 1000 and metadata.sentinels
    (entry,) = metadata.adapted
    assert (entry["set"], entry["objective"], entry["tasks"]) == ("task", "auto", ["Use", "Want"])
    assert entry["revision"] == load_model(tmp_path / "tiny").revision != loaded.revision
    assert "Use: denoising: the router sends" in "\n".join(lines)
    card = (result.model / "README.md").read_text()
    assert "No label was used" in card and "| pairs/mixed |" in card and "| general/lm |" in card
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_it_learns_the_pairs_and_tells_what_it_forgets(tmp_path: Path) -> None:
    result = adapt(config(tmp_path, objective="denoising", epochs=6), tmp_path / "run")
    assert result.watched == "pairs/denoising" and result.after["loss"] == result.after["pairs/denoising"]
    assert result.after["loss"] < 0.8 * result.before["loss"] and result.kept_step > 0
    names = {"pairs/denoising", "pairs/lm", "general/denoising", "general/lm"}
    assert {n for n in result.after if "/" in n and "bits" not in n} == names
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    measured = [e for e in events if e["kind"] == "validation"]
    assert measured[0]["step"] == 0 and len(measured) == 7
    assert {e["general/lm"] for e in measured} != {measured[0]["general/lm"]}
    stored = json.loads((tmp_path / "run" / "result.json").read_text())
    assert stored["after"] == dict(result.after)


@pytest.mark.parametrize("name", ["lm", "mixed", "spans", "prefixes", "ul2"])
def test_every_objective_trains_and_says_its_shares(tmp_path: Path, name: str) -> None:
    result = adapt(config(tmp_path, objective=name, epochs=1, keep_best=False), tmp_path / "run")
    shares = load_model(result.model).metadata.latest
    wanted = {"lm": {"lm"}, "prefixes": {"lm"}, "spans": {"denoising"}}.get(name, {"denoising", "lm"})
    assert {*shares} == wanted and sum(shares.values()) == pytest.approx(1, abs=1e-3)
    on_sentences = name in ("spans", "prefixes", "ul2")
    assert result.watched == (f"sentences/{name}" if on_sentences else f"pairs/{name}")
    assert {"pairs/denoising", "pairs/lm"} <= result.after.keys()


def test_a_control_set_is_trained_like_the_pairs(tmp_path: Path) -> None:
    settings = config(tmp_path, set="random-spans", objective="denoising", epochs=1)
    prepared(tmp_path / "prepared", "random-spans", [pair(t, "run", "", "lm") for t in "abcdefgh"])
    result = adapt(settings, tmp_path / "run")
    assert result.counts["pairs"] == 8 and "general text" in (result.model / "README.md").read_text()


def test_replay_reads_general_text_in_its_share(tmp_path: Path) -> None:
    held = general(20)
    (tmp_path / "more.txt").write_text("\n".join([*held, *general(40, start=5)]))
    settings = {"epochs": 1, "objective": "lm", "keep_best": False}
    plain = adapt(config(tmp_path, **settings), tmp_path / "plain")
    replayed = adapt(
        config(tmp_path, **settings, replay=str(tmp_path / "more.txt"), replay_share=0.4),
        tmp_path / "replayed",
    )
    assert plain.counts["replay"] == 0 and 0 < replayed.counts["replay"] <= 40
    assert plain.objectives == {"lm": 1.0}
    # The checkpoint was taught denoising, so that is how general text is written.
    assert 0.3 < replayed.objectives["denoising"] < 0.6
    assert replayed.after["general/denoising"] < plain.after["general/denoising"]


def test_a_published_t5_stays_one_and_keeps_its_head(tmp_path: Path, tiny_t5_untied: Any) -> None:
    save_model(tiny_t5_untied.model, tiny_t5_untied.adapter, tmp_path / "t5-v1_1", dtype="float32")
    before = load_model(tmp_path / "t5-v1_1")
    assert before.adapter.name == "t5" and before.metadata.objectives == {"denoising": 1.0}
    result = adapt(
        config(tmp_path, model=str(tmp_path / "t5-v1_1"), objective="lm", keep_best=False, epochs=1),
        tmp_path / "run",
    )
    after = load_model(result.model)
    assert after.adapter.name == "t5" and after.adapter.fingerprint == before.adapter.fingerprint
    # What a published checkpoint saw in all is not known to mto; the last stage is.
    assert (after.metadata.objectives, after.metadata.speaks) == ({"denoising": 1.0}, {"lm": 1.0})
    assert after.model.lm_head.weight.data_ptr() != after.model.shared.weight.data_ptr()
    twice = adapt(config(tmp_path, model=str(result.model), objective="lm", epochs=1), tmp_path / "twice")
    assert len(load_model(twice.model).metadata.adapted) == 2


@pytest.mark.parametrize("kind", ["bart", "t5", "t5-untied"])
def test_lora_trains_a_little_and_is_merged(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "bart":
        settings = config(tmp_path, lora={"rank": 2}, rate=0.03, objective="lm")
    else:
        tiny = request.getfixturevalue({"t5": "tiny_t5", "t5-untied": "tiny_t5_untied"}[kind])
        save_model(tiny.model, tiny.adapter, tmp_path / "own", dtype="float32")
        settings = config(tmp_path, model=str(tmp_path / "own"), lora={"rank": 2}, rate=0.03, objective="lm")
    try:
        result = adapt(settings, tmp_path / "run")
    except ConfigError as error:
        assert "PEFT" in error.message
        missing("extra 'peft' (pip install 'mto[peft]')")
    before, after = weights(Path(settings.model)), weights(result.model)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("attn" in n.lower() or "attention" in n.lower() for n in changed)
    assert result.after["loss"] < result.before["loss"]
    head = load_model(result.model).model
    tied = head.get_output_embeddings().weight.data_ptr() == head.get_input_embeddings().weight.data_ptr()
    assert tied == (kind != "t5-untied")
    with pytest.raises(ConfigError, match="lora"):
        adapt(settings, tmp_path / "other", lora={"rank": 2, "targets": ["nothing"]})
    with pytest.raises(ConfigError, match="cannot take a low-rank update"):
        adapt(settings, tmp_path / "third", lora={"rank": 2, "targets": ["lm_head"]})


class StopAt(Callback):
    def on_step(self, progress: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("more", [{"objective": "ul2"}, {"lora": {"rank": 2}}], ids=["ul2", "lora"])
def test_stopped_work_goes_on_and_finished_work_is_not_done_again(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    if "lora" in more:
        pytest.importorskip("peft")
    settings = config(tmp_path, epochs=4, **more)
    whole = adapt(settings, tmp_path / "whole")
    with pytest.raises(Interrupted):
        adapt(settings, tmp_path / "stopped", callbacks=[StopAt()])
    resumed = adapt(settings, tmp_path / "stopped")
    assert (resumed.steps, resumed.before, resumed.after) == (whole.steps, whole.before, whole.after)
    assert load_model(resumed.model).revision == load_model(whole.model).revision
    again = adapt(settings, tmp_path / "whole")
    assert (
        not again.worked
        and again.after == whole.after
        and again == AdaptResult(**{**vars(whole), "worked": False})
    )


def test_early_stopping_keeps_the_best_weights(tmp_path: Path) -> None:
    # Such a rate only breaks things: nothing is better than the beginning.
    result = adapt(config(tmp_path, rate=5.0, epochs=20, objective="lm", patience=2), tmp_path / "run")
    assert result.stopped_because == "patience" and result.kept_step == 0 and result.after == result.before
    metadata = load_model(result.model).metadata
    assert metadata.tokens_seen == 0 and metadata.latest == {}
    assert load_model(result.model).revision == load_model(tmp_path / "tiny").revision


def test_other_settings_pairs_or_weights_in_the_same_folder_are_refused(tmp_path: Path) -> None:
    settings = config(tmp_path, epochs=1)
    adapt(settings, tmp_path / "run")
    with pytest.raises(RunError, match="different: epochs"):
        adapt(settings, tmp_path / "run", epochs=2)
    # Another place for the same things is no other run.
    (tmp_path / "prepared").rename(tmp_path / "moved")
    assert not adapt(settings, tmp_path / "run", pairs=tmp_path / "moved").worked
    prepared(tmp_path / "moved", given=pairs()[:60])
    with pytest.raises(RunError, match=r"different: pairs\)"):
        adapt(settings, tmp_path / "run", pairs=tmp_path / "moved")


def test_what_cannot_be_read_is_told_before_anything_is_written(tmp_path: Path) -> None:
    settings = config(tmp_path)
    with pytest.raises(DataError, match="holds no 'general' pairs"):
        adapt(settings, tmp_path / "run", set="general")
    with pytest.raises(DataError, match="no such file"):
        adapt(settings, tmp_path / "run", retention=tmp_path / "nothing.txt")
    with pytest.raises(DataError, match="cannot be read"):
        adapt(settings, tmp_path / "run", replay=tmp_path / "nothing.txt")
    with pytest.raises(DataError, match="no held-out pair fits"):
        adapt(settings, tmp_path / "run", max_tokens=3)
    (tmp_path / "prepared" / "pairs" / "task" / "part-00001.json").unlink()
    with pytest.raises(DataError, match="the shard is not finished"):
        adapt(settings, tmp_path / "run")
    with pytest.raises(ConfigError, match="needs a folder"):
        adapt(settings)
    assert not (tmp_path / "run").exists()


def test_without_general_text_it_says_so(tmp_path: Path) -> None:
    settings = config(tmp_path, epochs=1)
    (tmp_path / "prepared" / "held-out.txt").unlink()
    lines: list[str] = []
    result = adapt(settings, tmp_path / "run", say=lines.append)
    assert any("retention is not measured" in line for line in lines)
    assert "was not measured" in (result.model / "README.md").read_text()


def test_a_broken_training_says_why(tmp_path: Path) -> None:
    settings = config(tmp_path)
    tiny = load_model(tmp_path / "tiny")
    tiny.model.model.shared.weight.data[5] = float("nan")
    save_model(tiny.model, tiny.adapter, tmp_path / "broken", dtype="float32", metadata=tiny.metadata)
    with pytest.raises(TrainingError, match="the loss is nan"):
        adapt(settings, tmp_path / "run", model=str(tmp_path / "broken"))


def test_shares_over_all_tokens_count_what_was_seen_before(tmp_path: Path) -> None:
    result = adapt(config(tmp_path, objective="lm", epochs=1, keep_best=False), tmp_path / "run")
    from mto.adapt.inputs import read_inputs

    inputs = read_inputs(config(tmp_path, objective="lm"))
    before = inputs.loaded.metadata.model_copy(
        update={"objectives": {"denoising": 1.0}, "tokens_seen": 3 * result.tokens}
    )
    object.__setattr__(inputs.loaded, "metadata", before)
    after = adapted_metadata(config(tmp_path, objective="lm"), inputs, result)
    assert after.objectives == {"denoising": 0.75, "lm": 0.25} and after.latest == {"lm": 1.0}


def test_the_public_name_can_be_called(tmp_path: Path) -> None:
    settings = config(tmp_path, epochs=1).model_dump()
    assert mto.adapt(out=tmp_path / "run", **settings).steps > 0
    assert mto.AdaptConfig(pairs="x").model == "mini"
