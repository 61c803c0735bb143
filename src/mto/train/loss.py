"""The loss of a sequence-to-sequence model: decoder states by the model, cross-entropy by the fused function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from mto.train.batches import Batch
from mto.train.cross_entropy import IGNORE, fused_cross_entropy
from mto.train.real_rows import real_rows_of

States = Callable[..., Tensor]
# Model types whose forward was compared with the two functions below. Any other type goes through its own loss.
T5_LIKE = frozenset({"t5", "mt5"})
BART_LIKE = frozenset({"bart", "mbart"})


def decoder_states(
    model: Any, input_ids: Tensor, attention_mask: Tensor | None, decoder_input_ids: Tensor
) -> Tensor:
    """Run encoder and decoder; [B, T, D] states as the head takes them (T5's tied scaling included)."""
    if model.config.model_type in BART_LIKE:
        return model.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            use_cache=False,
        )[0]
    encoded = model.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
    states = model.decoder(
        input_ids=decoder_input_ids,
        encoder_hidden_states=encoded,
        encoder_attention_mask=attention_mask,
        use_cache=False,
    )[0]
    if getattr(model.config, "scale_decoder_outputs", False):
        states = states * (model.model_dim**-0.5)
    return states


def is_fusable(model: Any) -> bool:
    """True when `seq2seq_loss` can use the fused cross-entropy for this model."""
    kind = getattr(getattr(model, "config", None), "model_type", None)
    return kind in T5_LIKE or kind in BART_LIKE


def seq2seq_loss(
    model: Any, batch: Batch, *, factor: float | None = None, states: States = decoder_states
) -> Tensor:
    """Negative log-likelihood of the labels, in nats.

    Args:
        model: a T5- or BART-shaped ``…ForConditionalGeneration`` (others: their own loss is used).
        batch: labels are shifted right by the model's own rule to make the decoder's input.
        factor: multiplies the *sum* over labels; None: the mean over the labels of the batch, as ``model(**batch).loss``.
        states: replaces `decoder_states`, for example by its compiled form.

    Returns:
        A scalar tensor with gradient.
    """
    count = int((batch.labels != IGNORE).sum())
    if factor is None:
        factor = 1.0 / max(1, count)
    if not is_fusable(model):
        output = model(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            labels=batch.labels,
            use_cache=False,
        )
        return output.loss.float() * (count * factor)
    with real_rows_of(batch):
        hidden = states(
            model,
            batch.input_ids,
            batch.attention_mask,
            model.prepare_decoder_input_ids_from_labels(labels=batch.labels),
        )
    bias = getattr(model, "final_logits_bias", None)
    return fused_cross_entropy(hidden, model.lm_head.weight, batch.labels, bias=bias, factor=factor)
