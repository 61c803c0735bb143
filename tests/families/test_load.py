"""Loading and saving: heads, dtypes, metadata, and what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from mto.errors import FamilyError, UnknownNameError
from mto.families import SENTINEL_SPELLING, TrainingMetadata, find_adapter, load_model, save_model
from tests.conftest import bart_model, t5_model, t5_tokenizer, word_tokenizer


def loss(model: Any) -> float:
    source = torch.tensor([[5, 6, 7, 8, 1], [9, 10, 1, 0, 0]])
    labels = torch.tensor([[11, 12, 1], [13, 1, -100]])
    with torch.no_grad():
        return float(model(input_ids=source, attention_mask=(source != 0).long(), labels=labels).loss)


def test_save_and_load_keep_the_loss_and_the_head(tiny: Any, tmp_path: Path) -> None:
    path = save_model(tiny.model, tiny.adapter, tmp_path / "m", dtype="float32")
    again = load_model(path)
    assert loss(again.model) == pytest.approx(loss(tiny.model), abs=1e-6)
    again.model.tie_weights()  # a careless library call must not overwrite an untied head
    assert loss(again.model) == pytest.approx(loss(tiny.model), abs=1e-6)
    twice = load_model(save_model(again.model, again.adapter, tmp_path / "n", dtype="float32"))
    assert loss(twice.model) == pytest.approx(loss(tiny.model), abs=1e-6)
    assert twice.revision == again.revision and again.adapter.fingerprint == tiny.adapter.fingerprint


def test_bf16_copy_on_disk_fp32_in_memory(tiny: Any, tmp_path: Path) -> None:
    path = save_model(tiny.model, tiny.adapter, tmp_path / "m")
    assert next(tiny.model.parameters()).dtype == torch.float32
    assert next(load_model(path).model.parameters()).dtype == torch.float32
    assert next(load_model(path, dtype="bfloat16").model.parameters()).dtype == torch.bfloat16
    assert '"dtype": "bfloat16"' in (path / "config.json").read_text()


def test_metadata_travel_and_decide_the_kind(tmp_path: Path) -> None:
    tokenizer = t5_tokenizer()
    model = t5_model(tokenizer, tied=False)
    adapter = find_adapter(model.config, tokenizer)
    assert adapter.name == "t5"
    metadata = TrainingMetadata(objectives={"lm": 1.0}, sentinels="numbered by appearance", tokens_seen=7)
    again = load_model(save_model(model, adapter, tmp_path / "m", metadata=metadata))
    assert again.adapter.name == "sentinel-text"  # T5-shaped, but mto says how it was taught
    assert again.metadata.tokens_seen == 7 and again.metadata.objectives == {"lm": 1.0}


def test_variants_of_t5_are_data(tmp_path: Path) -> None:
    tokenizer = t5_tokenizer()
    for tied, name, objective in [(True, "t5-base", "supervised"), (False, "t5-v1_1-base", "denoising"),
                                  (False, "t5-base-lm-adapt", "lm"), (False, "flan-t5-base", "supervised")]:  # fmt: skip
        model = t5_model(tokenizer, tied=tied)
        loaded = load_model(save_model(model, find_adapter(model.config, tokenizer), tmp_path / name))
        assert objective in loaded.metadata.objectives, name
        assert loaded.adapter.name == "t5"


def test_byt5_is_no_t5() -> None:
    tokenizer = transformers.ByT5Tokenizer()
    config = transformers.T5Config(
        vocab_size=384, feed_forward_proj="gated-gelu", pad_token_id=0, eos_token_id=1
    )
    assert (
        tokenizer.convert_tokens_to_ids(SENTINEL_SPELLING.format(0)) < 384
    )  # it has such tokens all the same
    with pytest.raises(
        FamilyError, match=r"(?s)no family kind.*ByT5Tokenizer is not a fast.*known kinds: .*t5 \("
    ):
        find_adapter(config, tokenizer)


def test_unknown_kind_lists_the_known_ones() -> None:
    tokenizer = word_tokenizer()
    config = bart_model(tokenizer).config
    del config.mto
    with pytest.raises(FamilyError, match=r"(?s)shape 'bart'.*known kinds: sentinel-text .*t5 \("):
        find_adapter(config, tokenizer)


def test_a_checkpoint_without_sentinels_is_named_and_the_kinds_once(tmp_path: Path) -> None:
    tokenizer = word_tokenizer(0)
    t5_model(tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(FamilyError, match="0 sentinels") as caught:
        load_model(tmp_path)
    assert caught.value.where == str(tmp_path)
    assert str(caught.value).count("known kinds") == 1 == str(caught.value).count("sentinel-text")


def test_ul2_and_t5_without_sentinels_are_not_taken_for_t5() -> None:
    model = t5_model(t5_tokenizer(), tied=False)
    model.config.feed_forward_proj = "gated-silu"
    with pytest.raises(FamilyError):
        find_adapter(model.config, t5_tokenizer())
    model.config.feed_forward_proj = "gated-gelu"
    with pytest.raises(FamilyError, match="0 sentinels"):
        find_adapter(model.config, t5_tokenizer(), rows=40)  # sentinels past the embedding do not count


def test_unknown_names_and_broken_folders(tiny_bart: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no checkpoint is named 'minni'"):
        load_model("minni")
    with pytest.raises(UnknownNameError, match="no such checkpoint folder"):
        load_model(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FamilyError, match=r"no config\.json"):
        load_model(tmp_path / "empty")
    path = save_model(tiny_bart.model, tiny_bart.adapter, tmp_path / "m")
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(FamilyError, match=r"broken|cannot be loaded"):
        load_model(path)
    weights.unlink()
    with pytest.raises(FamilyError, match="cannot be loaded"):
        load_model(path)


def test_a_checkpoint_that_lacks_weights_is_refused(tiny_bart: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = save_model(tiny_bart.model, tiny_bart.adapter, tmp_path / "m")
    state = load_file(path / "model.safetensors")
    state.pop("model.encoder.layers.0.fc1.weight")
    save_file(state, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(FamilyError, match="missing and would be random"):
        load_model(path)
