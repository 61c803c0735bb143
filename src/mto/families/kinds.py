"""The registry of family kinds: each is one small file that claims a checkpoint and builds its adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from mto.errors import FamilyError
from mto.families.adapter import Adapter
from mto.families.metadata import TrainingMetadata, read_metadata
from mto.families.sentinels import sentinel_ids
from mto.registry import Registry


@dataclass(frozen=True)
class Facts:
    """What is known of a checkpoint before its adapter is chosen."""

    config: Any
    tokenizer: Any
    rows: int
    sentinels: tuple[int, ...]
    metadata: TrainingMetadata | None

    @property
    def fast(self) -> bool:
        """Whether its tokenizer is a fast one, which can read a user's text without special tokens."""
        return getattr(self.tokenizer, "backend_tokenizer", None) is not None

    @property
    def shape(self) -> str:
        """The architecture's name in transformers, such as ``t5`` or ``bart``."""
        return str(getattr(self.config, "model_type", "unknown"))


class FamilyKind(Protocol):
    """A way of writing masks and ends."""

    def claims(self, facts: Facts) -> bool:
        """Whether the checkpoint was taught to write in this way."""

    def build(self, facts: Facts) -> Adapter:
        """The adapter of such a checkpoint."""


family_kinds: Registry[FamilyKind] = Registry("family kind")
# Asked in this order: what `mto` wrote into a checkpoint counts more than the name of its architecture.
ORDER = ("sentinel-text", "t5")
family_kinds.register(
    "sentinel-text",
    "mto.families.sentinel_text:KIND",
    summary="any encoder-decoder shape that mto trained to write numbered sentinels",
)
family_kinds.register("t5", "mto.families.t5:KIND", summary="T5 1.0, v1.1, LM-adapted and FLAN-T5")


def find_adapter(config: Any, tokenizer: Any, rows: int | None = None) -> Adapter:
    """Choose and build the adapter of a checkpoint.

    Args:
        config: its transformers config.
        tokenizer: its fast tokenizer.
        rows: rows of its input embedding (default: the config's vocabulary size).

    Raises:
        FamilyError: no kind claims it; the message lists the known kinds and what was found.
    """
    rows = int(rows if rows is not None else config.vocab_size)
    facts = Facts(config, tokenizer, rows, sentinel_ids(tokenizer, rows), read_metadata(config))
    for name in (*ORDER, *(n for n in family_kinds if n not in ORDER)):
        kind = family_kinds.get(name)
        if kind.claims(facts):
            return kind.build(facts)
    known = "; ".join(f"{name} ({family_kinds.summary(name)})" for name in family_kinds)
    raise FamilyError(
        f"no family kind knows how this checkpoint writes masks and ends: shape '{facts.shape}', "
        f"{len(facts.sentinels)} sentinels, {'with' if facts.metadata else 'without'} training metadata of mto"
        + ("" if facts.fast else f", {type(tokenizer).__name__} is not a fast tokenizer"),
        hint=f"known kinds: {known}",
    )


def layout_ids(facts: Facts) -> dict[str, int | None]:
    """EOS, pad, unknown and decoder start ids of a checkpoint, from its config first, its tokenizer second."""
    config, tokenizer = facts.config, facts.tokenizer
    eos = config.eos_token_id if config.eos_token_id is not None else tokenizer.eos_token_id
    eos = eos[0] if isinstance(eos, list | tuple) else eos
    pad = config.pad_token_id if config.pad_token_id is not None else tokenizer.pad_token_id
    start = getattr(config, "decoder_start_token_id", None)
    if eos is None or pad is None:
        raise FamilyError("the checkpoint's config and tokenizer name no EOS or no pad token")
    return {
        "eos_id": int(eos),
        "pad_id": int(pad),
        "unk_id": tokenizer.unk_token_id,
        "decoder_start_id": int(pad if start is None else start),
    }
