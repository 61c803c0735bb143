"""Prompt-tuning as the documentation of PEFT shows it: `get_peft_model`, a plain loop with AdamW, `generate`; defaults else."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

KINDS = ("prompt tuning", "p-tuning, mlp", "p-tuning, lstm")


def peft_model(model: Any, kind: str, vectors: int, seed: int) -> Any:
    """A copy of the model with PEFT's prompt of this kind before everything else; only the prompt is trained."""
    from peft import PromptEncoderConfig, PromptTuningConfig, get_peft_model

    torch.manual_seed(seed)
    config: Any
    if kind == "prompt tuning":
        config = PromptTuningConfig(task_type="SEQ_2_SEQ_LM", num_virtual_tokens=vectors)
    else:
        config = PromptEncoderConfig(
            task_type="SEQ_2_SEQ_LM",
            num_virtual_tokens=vectors,
            encoder_reparameterization_type="MLP" if kind.endswith("mlp") else "LSTM",
            encoder_hidden_size=model.get_input_embeddings().weight.shape[1],
        )
    return get_peft_model(copy.deepcopy(model), config)


class Training:
    """One training; `step` is one update.

    Args:
        compiled: let `torch.compile` make the forward pass.
        bf16: bf16 autocast.
    """

    def __init__(self, model: Any, rate: float, *, compiled: bool = False, bf16: bool = False) -> None:
        self.model, self._bf16 = model, bf16
        self._forward = torch.compile(model) if compiled else model
        self._optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=rate)

    def loss(self, ids: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        """Mean over labels."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bf16):
            loss: Tensor = self._forward(input_ids=ids, attention_mask=mask, labels=labels).loss
        return loss

    def step(self, ids: Tensor, mask: Tensor, labels: Tensor) -> float:
        """One update."""
        self.model.train()
        loss = self.loss(ids, mask, labels)
        loss.backward()
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(loss.detach())


@torch.no_grad()
def answers(model: Any, ids: Tensor, mask: Tensor, new_tokens: int) -> Tensor:
    """Greedy ids of one batch."""
    model.eval()
    written: Tensor = model.generate(
        input_ids=ids, attention_mask=mask, max_new_tokens=new_tokens, do_sample=False
    )
    return written
