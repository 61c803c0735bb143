"""An encoder becomes an encoder-decoder that computes the same hidden states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from mto.errors import FamilyError
from mto.families import find_adapter, sentinel_ids, word_start_rows
from mto.pretrain.encoder_start import from_encoder, load_encoder
from mto.pretrain.vocabulary import EOS, MASK, PAD, UNK, cut_word_pieces

TEXTS = [
    "a hammer is used for driving nails into wood .",
    "the small dog sleeps in the warm kitchen all day .",
]


def start_from(path: Path, layers: tuple[int, ...], size: int) -> tuple[Any, Any, Any, dict[int, int]]:
    encoder = load_encoder(path)
    old = transformers.AutoTokenizer.from_pretrained(path)
    tokenizer, kept = cut_word_pieces(old, TEXTS * 3, size, 20)
    vocabulary = tokenizer.get_vocab()
    model = from_encoder(
        encoder, kept, len(vocabulary), decoder_layers=layers, sentinel_rows=sentinel_ids(tokenizer, len(vocabulary)),
        special_rows={"pad": vocabulary[PAD], "eos": vocabulary[EOS], "unk": vocabulary[UNK], "mask": vocabulary[MASK]},
        old_special_rows={"pad": old.pad_token_id, "eos": old.sep_token_id, "unk": old.unk_token_id, "mask": old.mask_token_id},
    )  # fmt: skip
    return encoder, model, tokenizer, kept


def largest_difference(encoder: Any, model: Any, tokenizer: Any, kept: dict[int, int]) -> float:
    model.config.mto = {"objectives": {}, "sentinels": "numbered"}
    adapter = find_adapter(model.config, tokenizer)
    worst = 0.0
    for text in TEXTS:
        ids = adapter.encode(text)
        assert adapter.unk_id not in ids and adapter.decode(ids).replace(" ", "") == text.replace(" ", "")
        with torch.no_grad():
            old = encoder(torch.tensor([[kept[i] for i in ids]])).last_hidden_state
            new = model.model.encoder(torch.tensor([ids])).last_hidden_state
        worst = max(worst, float((old - new).abs().max()))
    return worst


def test_hidden_states_of_minilm_equal_up_to_the_norms_epsilon(minilm_dir: Path) -> None:
    encoder, model, tokenizer, kept = start_from(minilm_dir, (0, 2, 3, 5), 4096)
    assert largest_difference(encoder, model, tokenizer, kept) < 2e-3  # the epsilons differ: 1e-12 and 1e-5
    for module in model.model.encoder.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-12
    assert largest_difference(encoder, model, tokenizer, kept) < 2e-5
    assert len(model.model.decoder.layers) == 4
    layer = encoder.encoder.layer[5].attention.self
    assert torch.equal(model.model.decoder.layers[3].encoder_attn.q_proj.weight, layer.query.weight)
    assert torch.equal(model.model.decoder.layers[3].self_attn.k_proj.weight, layer.key.weight)


def test_sentinels_start_near_the_mask_and_differ(minilm_dir: Path) -> None:
    encoder, model, tokenizer, _ = start_from(minilm_dir, (0,), 4096)
    rows = model.model.shared.weight.detach()[list(sentinel_ids(tokenizer, len(tokenizer)))]
    mask = encoder.embeddings.word_embeddings.weight.detach()[
        transformers.AutoTokenizer.from_pretrained(minilm_dir).mask_token_id
    ]
    assert float((rows - mask).norm(dim=1).max()) < float(mask.norm())
    assert len({tuple(row[:4].tolist()) for row in rows}) == 20
    assert model.config.forced_eos_token_id is None and model.config.decoder_start_token_id == 0


def test_other_encoders_and_layers_are_refused(tmp_path: Path, minilm_dir: Path) -> None:
    config = transformers.DistilBertConfig(vocab_size=30, dim=8, n_layers=1, n_heads=2, hidden_dim=16)
    transformers.DistilBertModel(config).save_pretrained(tmp_path / "d")
    with pytest.raises(FamilyError, match="'distilbert' encoder cannot become"):
        load_encoder(tmp_path / "d")
    with pytest.raises(FamilyError, match=r"ask for encoder layers \[9\] of 6"):
        start_from(minilm_dir, (0, 9), 4096)


def test_cut_vocabulary_keeps_what_the_corpus_uses_and_can_spell_the_rest(minilm_dir: Path) -> None:
    old = transformers.AutoTokenizer.from_pretrained(minilm_dir)
    tokenizer, kept = cut_word_pieces(old, TEXTS, 500, 20)
    vocabulary = tokenizer.get_vocab()
    assert len(vocabulary) == 500 and [vocabulary[t] for t in (PAD, EOS, UNK, MASK)] == [0, 1, 2, 3]
    assert {"hammer", "kitchen", "nails"} <= vocabulary.keys()
    assert all(old.convert_ids_to_tokens(b) == tokenizer.convert_ids_to_tokens(a) for a, b in kept.items())
    ids = tokenizer.backend_tokenizer.encode("xylophone").ids
    assert vocabulary[UNK] not in ids and len(ids) > 3
    starts = word_start_rows(tokenizer)
    assert starts[vocabulary["hammer"]] and not starts[vocabulary["##s"]]
    with pytest.raises(FamilyError, match="no room"):
        cut_word_pieces(old, TEXTS, 60, 20)
