"""One encoder-decoder checkpoint in evaluation: encoder once, decoder step by step, head where it is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from mto.errors import DataError, FamilyError
from mto.evaluate.packed import packed_linears

PRECISIONS = ("fp32", "bf16")
PACK_FROM = 32  # questions: packing costs about as much time as it saves on 25
_KNOWN_SHAPES = ("t5", "bart")  # whose head `Forward.logits` is tested against, see tests/evaluate


@dataclass(frozen=True, eq=False)
class Memory:
    """What the decoder attends to, one row a decoder row: encoder states, their mask, keys and values."""

    states: Tensor
    """``[B, S, width]``"""
    mask: Tensor
    """``[B, S]``"""
    cache: Any

    def select(self, rows: Tensor) -> Memory:
        """A memory of these rows of this one, in this order; a row may stand several times."""
        halves = []
        for half in (self.cache.self_attention_cache, self.cache.cross_attention_cache):
            taken = DynamicCache()
            for index, layer in enumerate(half.layers):
                taken.update(layer.keys.index_select(0, rows), layer.values.index_select(0, rows), index)
            halves.append(taken)
        return Memory(
            self.states.index_select(0, rows), self.mask.index_select(0, rows), EncoderDecoderCache(*halves)
        )


class Forward:
    """Calls the parts of a model. Use inside `evaluating`.

    The head is applied apart from the decoder, so that no logits are made for positions that nobody asks about.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = model.device
        self._encoder, self._decoder = model.get_encoder(), model.get_decoder()
        self._head = model.get_output_embeddings()
        self._bias = getattr(model, "final_logits_bias", None)  # BART's shape
        scaled = bool(getattr(model.config, "scale_decoder_outputs", False))  # T5 1.0 with its tied head
        self._scale = float(model.config.d_model) ** -0.5 if scaled else 1.0
        if model.config.model_type not in _KNOWN_SHAPES:
            self._check_head()

    def encode(self, ids: Tensor, mask: Tensor) -> Memory:
        """Run the encoder on ``[B, S]`` ids."""
        states = self._encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return Memory(states, mask, EncoderDecoderCache(DynamicCache(), DynamicCache()))

    def decode(self, ids: Tensor, memory: Memory, *, keep: bool) -> Tensor:
        """Decoder states ``[B, T, width]`` of decoder inputs ``[B, T]`` that follow what the cache holds.

        With ``keep`` the cache grows by these positions; without it nothing is cached, and `memory.cache` is not
        read either.
        """
        out = self._decoder(
            input_ids=ids,
            encoder_hidden_states=memory.states,
            encoder_attention_mask=memory.mask,
            past_key_values=memory.cache if keep else None,
            use_cache=keep,
        )
        return out.last_hidden_state

    def logits(self, states: Tensor) -> Tensor:
        """Logits ``[N, vocabulary]`` of decoder states ``[N, width]``."""
        logits = self._head(states * self._scale if self._scale != 1.0 else states)
        return logits if self._bias is None else logits + self._bias

    def _check_head(self) -> None:
        ids = torch.zeros((1, 2), dtype=torch.long, device=self.device)
        mask = torch.ones_like(ids)
        with torch.no_grad():
            ours = self.logits(self.decode(ids, self.encode(ids, mask), keep=False))
            theirs = self.model(input_ids=ids, attention_mask=mask, decoder_input_ids=ids).logits
        if not torch.allclose(ours.float(), theirs.float(), atol=1e-3):
            raise FamilyError(
                f"models of shape '{self.model.config.model_type}' make their logits in a way that mto does not know",
                hint="known shapes: " + ", ".join(_KNOWN_SHAPES),
            )


@contextlib.contextmanager
def evaluating(model: Any, precision: str = "fp32", *, rows: int = 0) -> Iterator[Forward]:
    """Dropout off, no gradients, the asked precision; the model's own mode is restored afterwards.

    Args:
        model: an encoder-decoder model.
        precision: ``fp32``, or ``bf16`` for bf16 autocast.
        rows: how many questions there are; from 32 on the linear layers are packed where that can be (`packed`).

    Raises:
        DataError: an unknown precision.
    """
    if precision not in PRECISIONS:
        raise DataError(f"no precision is named '{precision}'", hint="use " + " or ".join(PRECISIONS))
    was_training = model.training
    model.eval()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    packs = packed_linears(model, dtype) if rows >= PACK_FROM else contextlib.nullcontext()
    casts = torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
    try:
        with torch.inference_mode(), casts, packs:
            yield Forward(model)
    finally:
        model.train(was_training)
