"""One pre-training from configuration to checkpoint: start, tokenised text, training, validation, model card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mto.errors import Interrupted
from mto.families import LoadedModel, TrainingMetadata, save_model, word_start_rows
from mto.objectives import Objective, SpecialIds
from mto.objectives.registry import build_objective
from mto.prepare.opening import read_lines
from mto.pretrain.card import write_card
from mto.pretrain.config import CheckpointStart, PretrainConfig
from mto.pretrain.probe import load_facts, run_probe
from mto.pretrain.shards import Shard, build_shards
from mto.pretrain.source import Mix, TextSource
from mto.pretrain.start import Started, build_start, reload_start
from mto.pretrain.text import find_files
from mto.pretrain.validation import build_held_out
from mto.runs import RunFolder, write_json
from mto.train import Callback, TrainConfig, TrainResult, train
from mto.train.held_out import HeldOut, measure
from mto.train.processes import Processes, join_processes

# So much of every file is read for a new vocabulary.
SAMPLE_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class PretrainResult:
    """A finished pre-training: where the checkpoint lies, what it measured, and how the training went."""

    model: Path
    metadata: TrainingMetadata
    training: TrainResult


@dataclass(frozen=True, eq=False)
class Material:
    """Everything a training reads."""

    shards: dict[str, list[Shard]]
    weights: list[float]
    mix: Mix
    window_objective: Objective
    line_objective: Objective
    word_starts: np.ndarray


def pretrain(
    config: PretrainConfig,
    out: str | Path,
    *,
    data: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] | None = None,
    resume: bool = True,
) -> PretrainResult:
    """Train a checkpoint of one's own; interrupted work goes on where it stopped.

    Args:
        out: run folder: ``start/`` (the model before its first step), ``checkpoints/``, ``model/`` (the result, bf16,
            with its card), ``validation.jsonl``-like rows in ``events.jsonl``.
        data: folder of tokenised shards (default ``out/data``); several runs may share one.
        callbacks: hear of the training's progress.
        say: is told, in a line each, what happens before the training.

    Under `mto.train.launch` (or torchrun) several processes train together: the first prepares, validates and writes,
    and the ``accumulate`` batches of a step are shared out, so that a step reads the same whatever their number.

    Raises:
        Interrupted: after Ctrl-C; the message says how to go on.
        ConfigError: ``accumulate`` cannot be shared out among the processes.
    """
    tell = say or (lambda _: None)
    together = join_processes(config.train.device)
    settings = share_out(config, together.world)
    if not together.is_main:
        together.wait()  # until the first process has made everything that all of them read
    folder = run_folder(config, out)
    started = _start(config, folder, tell)
    material = _material(config, started, Path(data) if data else folder.path / "data", tell)
    if together.is_main:
        together.wait()
    held_out = _held_out(config, material, started)
    source = TextSource(
        material.shards["train"], material.weights, material.mix, window_objective=material.window_objective,
        line_objective=material.line_objective, word_starts=material.word_starts, pad_id=started.adapter.pad_id,
        tokens=config.batch_tokens, seed=config.data_seed,
    )  # fmt: skip
    checks = _Checks(started, held_out, folder, together)
    try:
        result = train(
            started.model, source, settings, evaluate=checks, callbacks=[*callbacks, checks.listener],
            checkpoint_dir=folder.path / "checkpoints", resume=resume,
        )  # fmt: skip
    except Interrupted:
        if together.is_main:
            folder.event("interrupted")
        raise
    if together.is_main:
        _finish(config, folder, started, checks, result)
    together.wait()
    return PretrainResult(
        folder.path / "model", _metadata(config, started, _last(checks, result), result), result
    )


def run_folder(config: PretrainConfig, out: str | Path) -> RunFolder:
    """Make or open the run folder of a configuration. Raises `RunError` when it belongs to another one."""
    # Where the text lies, how long the training is and what the card says may change between two calls.
    fixed = config.model_dump(mode="json", exclude={"corpus", "train", "licence", "notes"})
    return RunFolder.create(out, {"command": "pretrain", **fixed})


def share_out(config: PretrainConfig, processes: int) -> TrainConfig:
    """The training settings of one of several processes.

    Raises:
        ConfigError: ``accumulate`` is no multiple of the number of processes.
    """
    return config.train.shared_by(processes)


def _start(config: PretrainConfig, folder: RunFolder, tell: Callable[[str], None]) -> Started:
    place = folder.path / "start"
    if (place / "config.json").exists():
        return reload_start(place)
    tell(f"making the start: {config.start.kind}")
    started = build_start(config.start, _sample(config), seed=config.train.seed, base=folder.path.parent)
    save_model(started.model, started.adapter, place, dtype="float32", metadata=started.before)
    return started


def _sample(config: PretrainConfig) -> Iterator[str]:
    for path, _ in _files(config):
        size = 0
        for line in read_lines(path):
            yield line
            size += len(line)
            if size > SAMPLE_CHARACTERS:
                break


def _files(config: PretrainConfig) -> list[tuple[Path, float]]:
    return [(path, group.weight) for group in config.texts for path in find_files(group.files, config.corpus)]


def _material(config: PretrainConfig, started: Started, data: Path, tell: Callable[[str], None]) -> Material:
    files = _files(config)
    shards = build_shards(
        [path for path, _ in files], started.adapter, data, held_out=config.held_out, progress=tell
    )
    special = SpecialIds.of(started.adapter)
    return Material(
        shards=shards,
        weights=[weight for _, weight in files],
        mix=Mix(config.window, config.line_tokens, config.line_share),
        window_objective=build_objective(config.window_objective, special),
        line_objective=build_objective(config.line_objective, special),
        word_starts=word_start_rows(started.adapter.tokenizer),
    )


def _held_out(config: PretrainConfig, material: Material, started: Started) -> list[HeldOut]:
    """Both objectives are always validated, whatever is trained: a branch shows what it forgets."""
    from mto.objectives import Denoising, PrefixLM

    special = SpecialIds.of(started.adapter)
    return build_held_out(
        material.shards["held-out"],
        material.weights,
        material.mix,
        {"denoising": Denoising(special, whole_words=True), "lm": PrefixLM(special)},
        started.adapter,
        material.word_starts,
        texts=config.validation_texts,
        batch_tokens=config.batch_tokens,
    )


class _Checks:
    """The evaluation hook: held-out losses and the knowledge probe, written down as they come."""

    def __init__(
        self, started: Started, held_out: list[HeldOut], folder: RunFolder, together: Processes
    ) -> None:
        self.started, self.held_out, self.folder, self.together = started, held_out, folder, together
        self.precision = "fp32"
        self.listener = _Listener(self)
        self.facts = load_facts()
        self.last: dict[str, float] = {}

    def __call__(self, model: Any, step: int) -> dict[str, float]:
        # One process measures and all hear the values, because all of them must decide alike.
        values: dict[str, float] = self._measure(model, step) if self.together.is_main else {}
        self.last = self.together.gather(values)[0]
        return self.last

    def _measure(self, model: Any, step: int) -> dict[str, float]:
        dtype = torch.bfloat16 if self.precision.startswith("bf16") else torch.float32
        values = measure(model, self.held_out, dtype)
        loaded = LoadedModel(model, self.started.adapter, "in training", "", self.started.before)
        probe = run_probe(loaded, self.facts, precision="bf16" if dtype == torch.bfloat16 else "fp32")
        values |= {f"probe {name}": value for name, value in probe.values.items()}
        self.folder.event("validation", step=step, **{k: round(v, 4) for k, v in values.items()})
        return values


class _Listener(Callback):
    def __init__(self, checks: _Checks) -> None:
        self.checks = checks

    def on_event(self, kind: str, message: str) -> None:
        if kind == "precision":
            self.checks.precision = message.partition(" ")[0].rstrip(":")
        self.checks.folder.event(kind, message=message)


def _finish(
    config: PretrainConfig, folder: RunFolder, started: Started, checks: _Checks, result: TrainResult
) -> None:
    metadata = _metadata(config, started, _last(checks, result), result)
    path = save_model(started.model, started.adapter, folder.path / "model", metadata=metadata)
    write_card(path, config, metadata, result)
    write_json(folder.path / "result.json", {
        "tokens": result.tokens, "seconds": result.seconds, "tokens_per_second": result.tokens_per_second,
        "peak_share": result.peak_share, "precision": result.precision, "steps": result.steps,
        "evaluations": [{"step": e.step, **e.values} for e in result.evaluations],
    })  # fmt: skip


def _last(checks: _Checks, result: TrainResult) -> dict[str, float]:
    return dict(result.evaluations[-1].values) if result.evaluations else checks.last


def _metadata(
    config: PretrainConfig, started: Started, values: dict[str, float], result: TrainResult
) -> TrainingMetadata:
    before = started.before
    seen, now = before.tokens_seen, result.tokens
    shares = objective_shares(config)
    names = {*shares, *before.objectives}
    total = max(1, seen + now)
    objectives = {
        n: round((seen * before.objectives.get(n, 0) + now * shares.get(n, 0)) / total, 4)
        for n in sorted(names)
    }
    text = (
        before.start
        if not isinstance(config.start, CheckpointStart) or before.start
        else config.start.checkpoint
    )
    changes = {
        "objectives": objectives,
        "latest": {name: round(share, 4) for name, share in sorted(shares.items())},
        "tokens_seen": seen + now,
        "start": text,
        "losses": {k: round(v, 4) for k, v in values.items() if "/" in k},
        "probe": {k.removeprefix("probe "): round(v, 2) for k, v in values.items() if k.startswith("probe ")},
    }
    return before.model_copy(update=changes)


def objective_shares(config: PretrainConfig) -> dict[str, float]:
    """Share of the tokens trained with each objective (components of a mixture by their weights)."""
    shares: dict[str, float] = {}
    for objective, share in (
        (config.window_objective, 1 - config.line_share),
        (config.line_objective, config.line_share),
    ):
        parts = getattr(objective, "parts", (objective,))
        total = sum(getattr(part, "weight", 1.0) for part in parts)
        for part in parts:
            weight = getattr(part, "weight", 1.0) / total if len(parts) > 1 else 1.0
            shares[part.name] = shares.get(part.name, 0.0) + share * weight
    return shares
