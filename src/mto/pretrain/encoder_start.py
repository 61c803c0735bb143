"""An encoder-decoder from a BERT-like encoder (Rothe, Narayan and Severyn 2020, TACL 8).

BERT and BART share post-layer-norm blocks, learned positions, GELU and biases, so every encoder weight carries
over; token type 0 folds into the positions. The two differ in the layer norm's epsilon alone (1e-12 and 1e-5).
Decoder layers start from chosen encoder layers, cross-attention from their self-attention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from mto.errors import FamilyError
from mto.families.load import quiet

# BART keeps two position rows in front that it never reads.
POSITION_OFFSET = 2
ATTENTION = {
    "attention.self.query": "q_proj",
    "attention.self.key": "k_proj",
    "attention.self.value": "v_proj",
    "attention.output.dense": "out_proj",
}
FEED_FORWARD = {"intermediate.dense": "fc1", "output.dense": "fc2", "output.LayerNorm": "final_layer_norm"}


def load_encoder(path: str | Path) -> Any:
    """A BERT-like encoder in fp32. Raises `FamilyError` when it is not BERT-shaped."""
    with quiet():
        encoder = transformers.AutoModel.from_pretrained(path, dtype=torch.float32, use_safetensors=True)
    kind = encoder.config.model_type
    if kind != "bert" or getattr(encoder.config, "position_embedding_type", "absolute") != "absolute":
        raise FamilyError(
            f"a '{kind}' encoder cannot become an encoder-decoder here",
            where=str(path),
            hint="give one of BERT's shape (model_type 'bert', absolute positions)",
        )
    return encoder.eval()


def from_encoder(
    encoder: Any,
    kept: Mapping[int, int],
    rows: int,
    *,
    decoder_layers: Sequence[int],
    sentinel_rows: Sequence[int],
    special_rows: Mapping[str, int],
    old_special_rows: Mapping[str, int],
    seed: int = 0,
    noise: float = 0.02,
) -> Any:
    """Build a `BartForConditionalGeneration` whose encoder computes what `encoder` computes.

    Args:
        encoder: from `load_encoder`.
        kept: new row to old row, for every piece carried over (see `cut_word_pieces`).
        rows: rows of the new embedding.
        decoder_layers: for each decoder layer, the encoder layer that it starts from.
        sentinel_rows: rows that start from the mask's row plus noise.
        special_rows: new rows of ``pad``, ``eos``, ``unk``, ``mask``.
        old_special_rows: old rows of the same.
        seed: of the noise.
        noise: its standard deviation as a share of the embedding's own.

    Raises:
        FamilyError: a layer number is out of range.
    """
    config = encoder.config
    wrong = [n for n in decoder_layers if not 0 <= n < config.num_hidden_layers]
    if wrong or not decoder_layers:
        raise FamilyError(
            f"decoder layers {list(decoder_layers)} ask for encoder layers {wrong} of {config.num_hidden_layers}"
        )
    model = transformers.BartForConditionalGeneration(_shape(config, rows, len(decoder_layers), special_rows))
    old = encoder.state_dict()
    table = _embedding(
        old["embeddings.word_embeddings.weight"],
        kept,
        rows,
        sentinel_rows,
        special_rows,
        old_special_rows,
        seed,
        noise,
    )
    positions = (
        old["embeddings.position_embeddings.weight"] + old["embeddings.token_type_embeddings.weight"][0]
    )
    state = model.state_dict()
    with torch.no_grad():
        state["model.shared.weight"].copy_(table)
        for side in ("encoder", "decoder"):
            state[f"model.{side}.embed_positions.weight"][POSITION_OFFSET:].copy_(positions)
            _copy(state, f"model.{side}.layernorm_embedding", old, "embeddings.LayerNorm")
        for layer in range(config.num_hidden_layers):
            _layer(state, f"model.encoder.layers.{layer}", old, layer, cross=False)
        for target, layer in enumerate(decoder_layers):
            _layer(state, f"model.decoder.layers.{target}", old, layer, cross=True)
    model.tie_weights()
    return model.eval()


def _shape(config: Any, rows: int, decoder_layers: int, special: Mapping[str, int]) -> Any:
    return transformers.BartConfig(
        vocab_size=rows,
        d_model=config.hidden_size,
        encoder_layers=config.num_hidden_layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=config.num_attention_heads,
        decoder_attention_heads=config.num_attention_heads,
        encoder_ffn_dim=config.intermediate_size,
        decoder_ffn_dim=config.intermediate_size,
        max_position_embeddings=config.max_position_embeddings,
        activation_function=config.hidden_act,
        dropout=0.1,
        attention_dropout=0.0,
        pad_token_id=special["pad"],
        eos_token_id=special["eos"],
        bos_token_id=None,
        decoder_start_token_id=special["pad"],
        forced_eos_token_id=None,  # BART's default would force an end token (and so an empty last step)
    )


def _embedding(
    old: Tensor, kept: Mapping[int, int], rows: int, sentinels: Sequence[int], special: Mapping[str, int],
    old_special: Mapping[str, int], seed: int, noise: float,
) -> Tensor:  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    table = torch.zeros(rows, old.shape[1])
    new_rows = torch.tensor(list(kept), dtype=torch.long)
    table[new_rows] = old[torch.tensor(list(kept.values()), dtype=torch.long)]
    for name, row in special.items():
        table[row] = old[old_special[name]]
    mask = old[old_special["mask"]]
    spread = noise * float(old.std()) if noise else 0.0
    for row in sentinels:
        table[row] = mask + spread * torch.randn(mask.shape, generator=generator)
    return table


def _layer(state: dict[str, Tensor], to: str, old: dict[str, Tensor], layer: int, *, cross: bool) -> None:
    at = f"encoder.layer.{layer}"
    for block in ("self_attn", "encoder_attn") if cross else ("self_attn",):
        for source, target in ATTENTION.items():
            _copy(state, f"{to}.{block}.{target}", old, f"{at}.{source}")
        _copy(state, f"{to}.{block}_layer_norm", old, f"{at}.attention.output.LayerNorm")
    for source, target in FEED_FORWARD.items():
        _copy(state, f"{to}.{target}", old, f"{at}.{source}")


def _copy(state: dict[str, Tensor], to: str, old: dict[str, Tensor], at: str) -> None:
    for part in ("weight", "bias"):
        state[f"{to}.{part}"].copy_(old[f"{at}.{part}"])
