"""Complete checkpoints of a training: written whole or not at all, checked when read. safetensors and JSON only."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mto.errors import TrainingError
from mto.runs.atomic import atomic_directory

MODEL, MANIFEST, STATE = "model.safetensors", "manifest.json", "state.json"
_PREFIX = "step-"


@dataclass(frozen=True)
class Checkpoint:
    """What a training needs to go on: groups of named tensors (one file each) and plain values."""

    step: int
    tensors: Mapping[str, Mapping[str, Tensor]]
    values: Mapping[str, Any]


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and persistent buffers by name; a tensor with two names (a tied head) stands once."""
    kept = model.state_dict(keep_vars=True)
    first: dict[int, str] = {}
    for name, tensor in kept.items():
        first.setdefault(id(tensor), name)
    return {name: kept[name].detach() for name in first.values()}


def load_model_tensors(model: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Copy stored tensors into the model, in place. Raises `TrainingError` when names or shapes differ."""
    own = model_tensors(model)
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    wrong = [n for n in own.keys() & tensors.keys() if own[n].shape != tensors[n].shape]
    if missing or extra or wrong:
        raise TrainingError(
            f"the stored weights belong to another model (missing {missing[:3]}, unknown {extra[:3]}, other shape {wrong[:3]})",
            where=where,
            hint="train the model that the checkpoint was made with, or use another checkpoint folder",
        )
    for name, tensor in own.items():
        tensor.copy_(tensors[name])


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, keep: int) -> Path:
    """Write ``folder/step-…`` whole or not at all, then drop all but the newest `keep`.

    Raises:
        RunError: the disk is full, or the folder cannot be written; older checkpoints stay.
    """
    path = folder / f"{_PREFIX}{checkpoint.step:09d}"
    with atomic_directory(path) as temporary:
        for name, tensors in checkpoint.tensors.items():
            _save({k: v.contiguous() for k, v in tensors.items()}, temporary / f"{name}.safetensors")
        values = {"step": checkpoint.step, **checkpoint.values}
        (temporary / STATE).write_text(json.dumps(values), encoding="utf-8")
        manifest = {file.name: _digest(file) for file in sorted(temporary.iterdir())}
        (temporary / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    for old in list_checkpoints(folder)[keep:]:
        _remove(old)
    return path


def list_checkpoints(folder: Path) -> list[Path]:
    """Checkpoint folders, newest first; half-written ones do not appear (their name starts with a dot)."""
    found = [p for p in folder.glob(f"{_PREFIX}*") if p.is_dir() and p.name[len(_PREFIX) :].isdigit()]
    return sorted(found, key=lambda p: int(p.name[len(_PREFIX) :]), reverse=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read and check one checkpoint. Raises `TrainingError` when a file is missing or its bytes have changed."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        for name, digest in manifest.items():
            if _digest(path / name) != digest:
                raise TrainingError(
                    f"{name} is damaged (its bytes have changed since it was written)", where=str(path)
                )
        values = json.loads((path / STATE).read_text(encoding="utf-8"))
        names = [name for name in manifest if name.endswith(".safetensors")]
        tensors = {name.removesuffix(".safetensors"): load_file(path / name) for name in names}
    except (OSError, ValueError, SafetensorError) as error:
        raise TrainingError(f"the checkpoint cannot be read: {error}", where=str(path)) from error
    return Checkpoint(int(values["step"]), tensors, values)


def latest_checkpoint(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest readable checkpoint; each damaged one is told to `warn` and passed over.

    Raises:
        TrainingError: there are checkpoints, but none can be read (starting afresh in silence would lose them).
    """
    paths = list_checkpoints(folder)
    for path in paths:
        try:
            return read_checkpoint(path)
        except TrainingError as error:
            warn(str(error))
    if paths:
        raise TrainingError(
            f"none of the {len(paths)} checkpoints can be read",
            where=str(folder),
            hint="delete the folder to start afresh",
        )
    return None


def clear_leftovers(folder: Path) -> None:
    """Delete what a killed process left half-written. Only for the one process that writes here."""
    for path in folder.glob(f".{_PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights of a checkpoint folder, a training folder (its newest checkpoint) or a safetensors file."""
    path = Path(path)
    if path.is_dir() and not (path / MODEL).exists():
        newest = latest_checkpoint(path, lambda _: None)
        if newest is not None:
            return dict(newest.tensors["model"])
    file = path / MODEL if path.is_dir() else path
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"holds no weights that can be read: {error}", where=str(path)) from error


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    try:
        save_file(tensors, path)
    except SafetensorError as error:
        # safetensors hides the system's error number in its text; a full disk must be told as such.
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        code = int(number.group(1))
        raise OSError(code, os.strerror(code), str(path)) from error


def _remove(path: Path) -> None:
    # Renamed first, so that a half-deleted checkpoint is never taken for a whole one.
    grave = path.with_name(f".{path.name}.deleted")
    path.replace(grave)
    shutil.rmtree(grave, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
