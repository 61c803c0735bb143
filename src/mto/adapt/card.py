"""The card of an adapted checkpoint: from what it came, what it was adapted on, and what that did to its losses."""

from __future__ import annotations

from pathlib import Path

from mto.adapt.config import AdaptConfig
from mto.adapt.result import AdaptResult
from mto.families import TrainingMetadata
from mto.runs import write_text
from mto.runs.environment import cpu_name


def write_card(config: AdaptConfig, metadata: TrainingMetadata, result: AdaptResult) -> Path:
    """Write ``README.md`` beside the weights."""
    return write_text(result.model / "README.md", render_card(config, metadata, result))


def render_card(config: AdaptConfig, metadata: TrainingMetadata, result: AdaptResult) -> str:
    """The card as Markdown."""
    counts, entry = result.counts, metadata.adapted[-1]
    shares = ", ".join(f"{name} {share:.0%}" for name, share in result.objectives.items())
    replay = (
        f" General sentences read in between: a share of {config.replay_share:g}." if config.replay else ""
    )
    how = f"LoRA of rank {config.lora.rank}, merged" if config.lora else "all weights"
    lines = [
        f"# {entry['from']}, adapted",
        "",
        "An encoder-decoder checkpoint after unsupervised training on task-related pairs, by `mto adapt`. No label was used.",
        "",
        f"* **Started from** `{entry['from']}` (weights {entry['revision']}). Before that: {metadata.start or 'not known'}.",
        f"* **Adapted on** {counts['trained']:,} rows from the set `{config.set}` (pairs {entry['pairs']}), "
        f"for {config.epochs} epochs.{replay}",
        f"* **Left out**: {counts['too_long']:,} too long, {counts['empty']:,} empty; {counts['held_out']:,} held out.",
        f"* **Objective** `{config.objective}`; by tokens: {shares}.",
        *(f"  * {task or 'general text'}: {reason}" for task, reason in result.reasons.items()),
        f"* **Training**: {how}, {config.optimizer}, rate {config.peak_rate:g}, {result.steps:,} steps, {result.tokens:,} tokens "
        f"on {cpu_name()}, {result.precision}. The weights are those of step {result.kept_step:,}.",
        f"* **Masks**: {metadata.sentinels or 'none'}.",
        f"* **Licence**: {config.licence}.",
        "",
        "## Held-out loss",
        "",
        "`pairs` and `sentences` are held-out task-related text, `general` is text that has nothing to do with the task (retention).",
        "",
        "| what | nats a token before | after | bits a byte before | after |",
        "|---|---|---|---|---|",
    ]
    for name in result.before:
        if "/" in name and not name.endswith("bits a byte"):
            bits = f"{name} bits a byte"
            values = (result.before[name], result.after[name], result.before[bits], result.after[bits])
            lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    if not any(name.startswith("general/") for name in result.before):
        lines += ["", "What it forgot was not measured: no general held-out text was given."]
    return "\n".join([*lines, ""])
