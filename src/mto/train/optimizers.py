"""Adafactor, AdamW and Muon behind one small face: `step(share)`, state as tensors and plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from mto.errors import TrainingError
from mto.train.config import TrainConfig

RMS_FLOOR = 1e-3


class Optimizers:
    """One or two torch optimisers that move together.

    Every group holds its peak rate under ``peak``; `step` sets ``lr = peak * share`` and, with `scale_by_rms`,
    times the RMS of the group's only tensor (at least 1e-3).
    """

    def __init__(self, parts: list[torch.optim.Optimizer], *, scale_by_rms: bool = False) -> None:
        self._parts, self._scale_by_rms = parts, scale_by_rms

    @property
    def groups(self) -> Iterable[dict[str, Any]]:
        """All parameter groups."""
        return (group for part in self._parts for group in part.param_groups)

    @torch.no_grad()
    def step(self, share: float) -> None:
        """Update the weights with `share` of the peak rates, and drop the gradients."""
        scales = self._scales() if self._scale_by_rms else None
        for index, group in enumerate(self.groups):
            group["lr"] = group["peak"] * share * (scales[index] if scales else 1.0)
        for part in self._parts:
            part.step()
        self.drop_gradients()

    def drop_gradients(self) -> None:
        """Free all gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)

    def _scales(self) -> list[float]:
        tensors = [group["params"][0] for group in self.groups]
        norms = torch.stack(torch._foreach_norm(tensors)).tolist()
        return [max(RMS_FLOOR, n / t.numel() ** 0.5) for n, t in zip(norms, tensors, strict=True)]

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors by name, and everything else as JSON-able values."""
        tensors: dict[str, Tensor] = {}
        plain: list[dict[str, Any]] = []
        for number, part in enumerate(self._parts):
            stored = part.state_dict()
            values: dict[str, dict[str, Any]] = {}
            for index, entries in stored["state"].items():
                for key, value in entries.items():
                    if isinstance(value, Tensor):
                        tensors[f"{number}.{index}.{key}"] = value.detach().contiguous()
                    else:
                        values.setdefault(str(index), {})[key] = value
            plain.append({"groups": stored["param_groups"], "values": values})
        return tensors, {"parts": plain}

    def load_state(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        """Put back what `state` gave. Raises `TrainingError` when it belongs to other parameters."""
        parts = plain["parts"]
        fits = len(parts) == len(self._parts) and all(
            [len(g["params"]) for g in stored["groups"]] == [len(g["params"]) for g in part.param_groups]
            for stored, part in zip(parts, self._parts, strict=True)
        )
        if not fits:
            raise TrainingError(
                "the stored optimiser state belongs to other parameters or another optimiser",
                hint="train with the settings of the checkpoint, or start from its weights alone (from_weights)",
            )
        for number, (part, stored) in enumerate(zip(self._parts, parts, strict=True)):
            state: dict[int, dict[str, Any]] = {int(i): dict(v) for i, v in stored["values"].items()}
            for name, tensor in tensors.items():
                at, index, key = name.split(".", 2)
                if int(at) == number:
                    state.setdefault(int(index), {})[key] = tensor
            groups = [
                {k: tuple(v) if k != "params" and isinstance(v, list) else v for k, v in group.items()}
                for group in stored["groups"]
            ]
            part.load_state_dict({"state": state, "param_groups": groups})


def build_optimizers(model: nn.Module, config: TrainConfig) -> Optimizers:
    """Make the optimiser that `config` asks for, over the parameters that require a gradient.

    Weight decay falls on matrices only. Muon takes the two-dimensional hidden matrices (no embedding, no head) and
    AdamW the rest; Muon's rate is matched to AdamW's RMS (Liu et al. 2025, "Muon is Scalable for LLM Training").

    Raises:
        TrainingError: nothing requires a gradient, or Muon finds no hidden matrix.
    """
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise TrainingError("no parameter of the model requires a gradient", hint="unfreeze something")
    if config.optimizer == "adafactor":
        return Optimizers([_adafactor([p for _, p in named], config)])
    if config.optimizer == "muon":
        outer = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
        outer |= {id(p) for n, p in named if n.startswith("lm_head") or ".lm_head" in n}
        hidden = [p for _, p in named if p.ndim == 2 and id(p) not in outer]
        if not hidden:
            raise TrainingError("Muon found no hidden matrix to train", hint="use optimizer 'adamw'")
        taken = {id(p) for p in hidden}
        rate = config.muon_rate or config.rate
        muon = torch.optim.Muon(
            hidden, lr=rate, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        muon.param_groups[0]["peak"] = rate
        return Optimizers([muon, _adamw([p for _, p in named if id(p) not in taken], config)])
    return Optimizers([_adamw([p for _, p in named], config)], scale_by_rms=config.scale_by_rms)


def _adamw(parameters: list[nn.Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    decay = config.weight_decay
    groups: list[dict[str, Any]]
    if config.scale_by_rms:
        groups = [{"params": [p], "weight_decay": decay if p.ndim > 1 else 0.0} for p in parameters]
    else:
        split = [
            ([p for p in parameters if p.ndim > 1], decay),
            ([p for p in parameters if p.ndim <= 1], 0.0),
        ]
        groups = [{"params": ps, "weight_decay": d} for ps, d in split if ps]
    for group in groups:
        group["peak"] = config.rate
    return torch.optim.AdamW(groups, lr=config.rate, betas=config.betas, eps=config.epsilon, fused=True)


def _adafactor(parameters: list[nn.Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    from transformers.optimization import Adafactor

    # The constant-rate setting that T5 was fine-tuned with; the rate comes from the schedule.
    groups = [{"params": parameters, "peak": config.rate}]
    return Adafactor(
        groups,
        lr=config.rate,
        scale_parameter=False,
        relative_step=False,
        warmup_init=False,
        weight_decay=config.weight_decay,
    )
