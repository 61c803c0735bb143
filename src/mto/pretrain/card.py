"""The model card of a checkpoint: what it is, what it saw, what it can and cannot do."""

from __future__ import annotations

from pathlib import Path

from mto.families import TrainingMetadata
from mto.pretrain.config import PretrainConfig
from mto.runs import write_text
from mto.runs.environment import cpu_name
from mto.train import TrainResult


def write_card(path: Path, config: PretrainConfig, metadata: TrainingMetadata, result: TrainResult) -> Path:
    """Write ``README.md`` beside the weights, from what was configured and measured."""
    return write_text(path / "README.md", render_card(config, metadata, result))


def render_card(config: PretrainConfig, metadata: TrainingMetadata, result: TrainResult) -> str:
    """The card as Markdown."""
    trained = ", ".join(f"{name} {share:.0%}" for name, share in metadata.objectives.items())
    latest = ", ".join(f"{name} {share:.0%}" for name, share in metadata.latest.items())
    lines = [
        f"# {config.name}",
        "",
        "A small encoder-decoder checkpoint, pre-trained by `mto pretrain`. It is meant for trying things out, for tests and",
        "for studies of method, not as a source of facts: it is small and weak.",
        "",
        f"* **Started from** {metadata.start}.",
        f"* **Tokens seen** in this project: {metadata.tokens_seen:,} (source and target, pads not counted); by objective: {trained}.",
        f"* **This stage**: {result.steps:,} steps, {result.tokens:,} tokens of {latest} on {cpu_name()}, {result.precision}.",
        f"* **Masks**: {metadata.sentinels}. Sources and targets end in `</s>`; the decoder starts with `<pad>`.",
        f"* **Licence**: {config.licence}.",
        *(f"* {note}" for note in config.notes),
        "",
        "## Held-out loss",
        "",
        "| objective / text | nats a token | bits a byte |",
        "|---|---|---|",
    ]
    for name, value in metadata.losses.items():
        if not name.endswith("bits a byte"):
            lines.append(
                f"| {name} | {value:.3f} | {metadata.losses.get(f'{name} bits a byte', float('nan')):.3f} |"
            )
    lines += [
        "",
        "## Knowledge probe",
        "",
        "Everyday facts; the answer is ranked among 20 plausible ones (chance: 5 % right, mean reciprocal rank 18).",
        "",
        "| | value |",
        "|---|---|",
        *(f"| {name} | {value:.1f} |" for name, value in metadata.probe.items()),
        "",
        "## Texts",
        "",
        "| files | weight |",
        "|---|---|",
        *(f"| {', '.join(group.files)} | {group.weight:g} |" for group in config.texts),
        "",
    ]
    return "\n".join(lines)
