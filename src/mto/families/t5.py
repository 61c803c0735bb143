"""T5 and its direct kin. The variants differ in data only: what they were trained with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mto.families.adapter import Adapter
from mto.families.kinds import Facts, layout_ids
from mto.families.metadata import TrainingMetadata


@dataclass(frozen=True)
class Variant:
    """A published line of T5 checkpoints.

    Attributes:
        name: how people call it.
        pattern: found in the checkpoint's name or path (case ignored).
        objectives: what it was pre-trained with (shares are not published; equal shares stand for "both").
        latest: of the last stage alone.
        source: where that is written.
    """

    name: str
    pattern: str
    objectives: dict[str, float]
    source: str
    latest: dict[str, float] | None = None


# The first match wins. Sources: t5 `released_checkpoints.md`, FLAN paper (Chung et al. 2022).
VARIANTS = (
    Variant("FLAN-T5", r"flan[-_]?t5", {"supervised": 1.0}, "LM-adapted T5 v1.1, then instruction tuning"),
    Variant(
        "LM-adapted T5",
        r"lm[-_]?adapt|t0",
        {"denoising": 0.9, "lm": 0.1},
        "T5 v1.1, then 100k steps of prefix LM",
        latest={"lm": 1.0},
    ),
    Variant("T5 v1.1", r"v1[._]1", {"denoising": 1.0}, "span corruption on C4 alone"),
    Variant("T5 1.0", r"t5", {"denoising": 0.5, "supervised": 0.5}, "span corruption and supervised tasks"),
)


def variant(facts: Facts) -> Variant:
    """Which line a checkpoint belongs to: by its name, else by its feed-forward (v1.1 and later are gated)."""
    name = str(getattr(facts.config, "_name_or_path", "")).rstrip("/").rsplit("/", 1)[-1]
    gated = str(getattr(facts.config, "feed_forward_proj", "relu")).startswith("gated")
    for line in VARIANTS:
        if re.search(line.pattern, name, re.IGNORECASE) and (line.name != "T5 1.0" or not gated):
            return line
    return next(v for v in VARIANTS if v.name == ("T5 v1.1" if gated else "T5 1.0"))


def metadata_of(facts: Facts) -> TrainingMetadata:
    """What is published about the checkpoint's training, in the form that `mto` writes for its own."""
    line = variant(facts)
    return TrainingMetadata(
        objectives=line.objectives,
        latest=line.latest or {},
        sentinels="numbered by appearance",
        start=f"{line.name}: {line.source}",
    )


class T5Kind:
    """T5 shape, T5 sentinels, not UL2 (gated-silu: it wants mode strings, another kind), not ByT5 (no fast tokenizer)."""

    def claims(self, facts: Facts) -> bool:
        """T5 architecture and a fast tokenizer with sentinels inside the pre-trained rows."""
        forward = str(getattr(facts.config, "feed_forward_proj", "relu"))
        taught = bool(facts.sentinels) and facts.fast
        return facts.shape == "t5" and taught and forward in ("relu", "gated-gelu")

    def build(self, facts: Facts) -> Adapter:
        """Relative positions: no limit on length."""
        return Adapter(
            name="t5",
            tokenizer=facts.tokenizer,
            sentinel_ids=facts.sentinels,
            vocab_rows=facts.rows,
            **layout_ids(facts),  # type: ignore[arg-type]
        )


KIND = T5Kind()
