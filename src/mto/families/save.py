"""Saving a checkpoint so that transformers and `mto` load it alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mto.errors import UnknownNameError
from mto.families.adapter import Adapter
from mto.families.load import DTYPES, keep_head, quiet
from mto.families.metadata import TrainingMetadata
from mto.registry import suggest
from mto.runs import atomic_directory


def save_model(
    model: Any,
    adapter: Adapter,
    path: str | Path,
    *,
    dtype: str = "bfloat16",
    metadata: TrainingMetadata | None = None,
) -> Path:
    """Write weights (safetensors), config and tokenizer to a folder, whole or not at all.

    The model itself is left as it is; only the written copy has `dtype`. An untied head is written as a tensor
    of its own. `metadata` goes into the config under ``mto``.

    Raises:
        RunError: the disk is full or the folder cannot be written; what was there before stays.
    """
    if dtype not in DTYPES:
        raise UnknownNameError(f"no dtype is named '{dtype}'", hint=suggest(dtype, DTYPES))
    keep_head(model)
    if metadata is not None:
        model.config.mto = metadata.model_dump()
    state = {name: tensor.detach().to("cpu", DTYPES[dtype]) for name, tensor in _state(model).items()}
    with atomic_directory(path) as folder, quiet():
        model.save_pretrained(folder, state_dict=state)
        written = folder / "config.json"  # transformers writes the dtype of the model, not that of the copy
        config = json.loads(written.read_text(encoding="utf-8")) | {"dtype": dtype}
        written.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        adapter.tokenizer.save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)  # safetensors writes for the owner alone
    return Path(path)


def _state(model: Any) -> dict[str, Any]:
    """One entry a tensor: names that share a tensor (tied embeddings) are written once, under the first."""
    seen: dict[tuple[int, int], str] = {}
    state = {}
    for name, tensor in model.state_dict().items():
        key = (tensor.data_ptr(), tensor.numel())
        if key in seen and tensor.numel() > 0:
            continue
        seen[key] = name
        state[name] = tensor
    return state
