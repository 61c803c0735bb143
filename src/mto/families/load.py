"""Loading a checkpoint with its tokenizer and adapter, heads intact."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from mto.errors import FamilyError, UnknownNameError
from mto.families.adapter import Adapter
from mto.families.kinds import Facts, find_adapter
from mto.families.metadata import TrainingMetadata, read_metadata
from mto.registry import suggest

EMBEDDED = Path(__file__).parent.parent / "models"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A checkpoint ready for use.

    Attributes:
        model: the transformers model, in evaluation mode.
        adapter: how it writes masks and ends.
        ref: what the user asked for: an embedded name, a path or a hub name.
        revision: hash of its weights (first 16 hexadecimal digits of SHA-256), for cache keys and reports.
        metadata: how it was trained, as far as known.
    """

    model: Any
    adapter: Adapter
    ref: str
    revision: str
    metadata: TrainingMetadata


def embedded_names() -> tuple[str, ...]:
    """Names of the checkpoints that ship with the package."""
    return tuple(sorted(p.name for p in EMBEDDED.glob("*") if (p / "config.json").exists()))


def resolve(ref: str | Path) -> str:
    """An embedded name or a folder becomes a path; a hub name (``owner/name``) stays.

    Raises:
        UnknownNameError: neither an embedded checkpoint nor a folder nor of the form of a hub name.
    """
    text = str(ref)
    if (EMBEDDED / text / "config.json").exists():
        return str(EMBEDDED / text)
    path = Path(text).expanduser()
    if path.is_dir():
        if not (path / "config.json").exists():
            raise FamilyError("holds no config.json, so it is no checkpoint", where=text)
        return str(path)
    if path.is_absolute() or text.startswith((".", "~")) or text.count("/") > 1:
        raise UnknownNameError("no such checkpoint folder", where=text, hint=suggest(text, embedded_names()))
    if "/" not in text and text not in ("t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"):
        raise UnknownNameError(
            f"no checkpoint is named '{text}'",
            hint=suggest(text, embedded_names()) + "; or a folder; or a hub name such as google/flan-t5-base",
        )
    return text


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' warnings and progress bars away from the user's screen for one call."""
    log = transformers.utils.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


def load_tokenizer(ref: str | Path) -> Any:
    """The fast tokenizer of a checkpoint. Raises `FamilyError` when there is none."""
    where = resolve(ref)
    try:
        with quiet():
            return transformers.AutoTokenizer.from_pretrained(where)
    except (OSError, ValueError, KeyError) as error:
        raise FamilyError(f"its tokenizer cannot be loaded: {error}", where=str(ref)) from error


def load_model(ref: str | Path = "mini", *, dtype: str = "float32", device: str = "cpu") -> LoadedModel:
    """Load an encoder-decoder checkpoint.

    Weights come from safetensors only. An untied head stays untied; embeddings are never resized.

    Args:
        ref: the name of an embedded checkpoint such as ``mini`` (``mto ls models``), a folder, or a name
            on the Hugging Face hub such as ``google/flan-t5-base`` (downloaded by transformers).
        dtype: ``float32`` (for training, and the default), ``bfloat16`` or ``float16``.
        device: such as ``cpu`` or ``cuda``.

    Raises:
        UnknownNameError: no such checkpoint.
        FamilyError: weights missing or half-written, or no family kind knows it.
    """
    if dtype not in DTYPES:
        raise UnknownNameError(f"no dtype is named '{dtype}'", hint=suggest(dtype, DTYPES))
    where = resolve(ref)
    tokenizer = load_tokenizer(ref)
    try:
        with quiet():
            model, info = transformers.AutoModelForSeq2SeqLM.from_pretrained(
                where, dtype=DTYPES[dtype], use_safetensors=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise FamilyError(
            f"the weights cannot be loaded: {error}",
            where=str(ref),
            hint="is it a whole encoder-decoder checkpoint in safetensors?",
        ) from error
    except Exception as error:  # the safetensors reader has an error class of its own
        if type(error).__name__ != "SafetensorError":
            raise
        raise FamilyError(
            f"a weight file is broken: {error}", where=str(ref), hint="copy or download it again"
        ) from error
    missing = sorted(info.get("missing_keys", ()))
    if missing:
        raise FamilyError(
            f"weights are missing and would be random: {', '.join(missing[:5])}", where=str(ref)
        )
    keep_head(model)
    rows = int(model.get_input_embeddings().weight.shape[0])
    try:
        adapter = find_adapter(model.config, tokenizer, rows)
    except FamilyError as error:  # of several candidates it must be clear which
        raise FamilyError(error.message, where=str(ref), hint=error.hint) from None
    metadata = read_metadata(model.config) or _published(model.config, tokenizer, rows, adapter)
    model.to(device).eval()
    return LoadedModel(model, adapter, str(ref), weights_hash(where, model), metadata)


def revision_of(ref: str | Path) -> str:
    """The revision that `load_model` would give, without loading the checkpoint where it is a folder.

    Raises:
        UnknownNameError, FamilyError: as `load_model` does.
    """
    where = resolve(ref)
    if Path(where).is_dir() and any(Path(where).glob("*.safetensors")):
        return weights_hash(where, None)
    return load_model(ref).revision


def keep_head(model: Any) -> None:
    """Tell transformers that a head which is a tensor of its own is not tied, so that nothing ties it later."""
    head, shared = model.get_output_embeddings(), model.get_input_embeddings()
    if (
        head is not None
        and head.weight is not shared.weight
        and head.weight.data_ptr() != shared.weight.data_ptr()
    ):
        model.config.tie_word_embeddings = False


def _published(config: Any, tokenizer: Any, rows: int, adapter: Adapter) -> TrainingMetadata:
    if adapter.name == "t5":
        from mto.families.t5 import metadata_of

        return metadata_of(Facts(config, tokenizer, rows, adapter.sentinel_ids, None))
    return TrainingMetadata()


def weights_hash(where: str, model: Any) -> str:
    """SHA-256 over the weight files of a folder, or over the tensors of a model from the hub."""
    digest = hashlib.sha256()
    files = sorted(Path(where).glob("*.safetensors")) if Path(where).is_dir() else []
    for file in files:
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    if not files:
        for name, tensor in sorted(model.state_dict().items()):
            digest.update(
                name.encode() + tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
            )
    return digest.hexdigest()[:16]
