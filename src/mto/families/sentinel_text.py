"""Numbered sentinels in text on any encoder-decoder shape, as `mto pretrain` teaches them."""

from __future__ import annotations

from mto.families.adapter import Adapter
from mto.families.kinds import Facts, layout_ids


class SentinelTextKind:
    """A checkpoint whose training metadata say that `mto` taught it sentinels, whatever its architecture."""

    def claims(self, facts: Facts) -> bool:
        """Metadata of `mto` that name sentinels, and sentinels in the tokenizer."""
        known = facts.metadata
        if known is None or known.family not in ("", "sentinel-text"):
            return False
        return bool(known.sentinels) and bool(facts.sentinels)

    def build(self, facts: Facts) -> Adapter:
        """Learned positions (BART's shape) limit the length; relative ones (T5's) do not."""
        limit = getattr(facts.config, "max_position_embeddings", None)
        return Adapter(
            name="sentinel-text",
            tokenizer=facts.tokenizer,
            sentinel_ids=facts.sentinels,
            vocab_rows=facts.rows,
            max_positions=int(limit) if limit else None,
            **layout_ids(facts),  # type: ignore[arg-type]
        )


KIND = SentinelTextKind()
