"""One adaptation from configuration to checkpoint (docs/method.md 7).

In: a configuration. Out: a run folder with ``model/``, an ordinary Hugging Face checkpoint with a card. Fails on missing or broken
pairs, on a checkpoint that cannot write what is asked for, and in a folder of another run; what was trained before stays.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mto.adapt.card import write_card
from mto.adapt.checks import Checks
from mto.adapt.config import PLACES, AdaptConfig
from mto.adapt.inputs import Inputs, read_inputs
from mto.adapt.lora import LoraTraining, trained_share
from mto.adapt.material import Budget, EpochSource
from mto.adapt.result import AdaptResult
from mto.config import parse
from mto.errors import ConfigError, Interrupted
from mto.families import TrainingMetadata, save_model
from mto.runs import RunFolder, write_json
from mto.train import Callback, TrainConfig, TrainResult, train
from mto.train.processes import Processes, join_processes

STEP = "adapt"


def adapt(
    config: AdaptConfig | None = None,
    out: str | Path | None = None,
    *,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] | None = None,
    resume: bool = True,
    **settings: Any,
) -> AdaptResult:
    """Adapt a checkpoint to task-related pairs; interrupted work goes on where it stopped, finished work is not done again.

    Args:
        config: everything at once; or give its fields by name: ``adapt(pairs="prepared", objective="lm", out="runs/lm")``.
        out: run folder: ``model/`` (the result), ``result.json``, ``events.jsonl``, and while it trains ``checkpoints/``.
        callbacks: hear of the training's progress.
        say: is told, in a line each, what happens before the training.
        resume: False: train again from the beginning.

    Under `mto.train.launch` (or torchrun) several processes train together: the ``accumulate`` batches of a step are shared out,
    so that a step reads the same whatever their number.

    Raises:
        ConfigError: a setting that does not fit, no folder given, or ``accumulate`` cannot be shared out among the processes.
        DataError, FamilyError: what `read_inputs` raises.
        RunError: the folder holds a run with other settings, pairs or weights.
        Interrupted: after Ctrl-C; the message says how to go on.
    """
    if out is None:
        raise ConfigError("out is not given: the run needs a folder", hint='adapt(…, out="runs/adapted")')
    if config is not None and settings:
        config = parse(AdaptConfig, config.model_dump() | settings)
    config = config or parse(AdaptConfig, settings)
    tell = say or (lambda _: None)
    together = join_processes(config.device)
    inputs = read_inputs(config, tell if together.is_main else lambda _: None)
    folder = _folder(config, inputs, Path(out), together)
    key = json.dumps(inputs.fingerprint, sort_keys=True)
    stored = together.gather(folder.done(STEP, key) if resume else None)[0]
    if stored is not None and (folder.path / "model" / "config.json").exists():
        return AdaptResult.read(folder.path, stored)
    return _Adaptation(config, inputs, folder, together, tell).go(callbacks, resume, key)


def _folder(config: AdaptConfig, inputs: Inputs, out: Path, together: Processes) -> RunFolder:
    """Make or open the run folder; the first process does, and the others wait for it."""
    if together.is_main:
        # What the inputs hold stands in the place of where they lie.
        fixed = config.fixed(PLACES) | dict(inputs.fingerprint)
        folder = RunFolder.create(out, {"command": "adapt", **fixed})
        write_json(folder.path / "inputs.json", {
            "settings": config.model_dump(mode="json"), "counts": dict(inputs.counts), "reasons": dict(inputs.reasons),
        })  # fmt: skip
    together.wait()
    return RunFolder(out)


class _Adaptation:
    """One training and what is written after it."""

    def __init__(
        self,
        config: AdaptConfig,
        inputs: Inputs,
        folder: RunFolder,
        together: Processes,
        tell: Callable[[str], None],
    ) -> None:
        self.config, self.inputs, self.folder, self.together, self.tell = (
            config,
            inputs,
            folder,
            together,
            tell,
        )

    def go(self, callbacks: Sequence[Callback], resume: bool, key: str) -> AdaptResult:
        config, loaded = self.config, self.inputs.loaded
        source = EpochSource(
            self.inputs.readers, pad_id=loaded.adapter.pad_id, tokens=config.batch_tokens, seed=config.seed
        )
        budget = source.budget(config.epochs)
        settings = train_settings(config, budget)
        lora = LoraTraining(loaded.model, config.lora, seed=config.seed) if config.lora else None
        self._announce(budget, settings)
        checks = Checks(self.inputs.held_out, self.inputs.watched, self.folder, self.together)
        try:
            training = train(
                loaded.model, source, settings.shared_by(self.together.world), evaluate=checks,
                at_steps=measured_steps(config, settings.steps), callbacks=[*callbacks, checks.listener()],
                checkpoint_dir=self.folder.path / "checkpoints", resume=resume,
            )  # fmt: skip
        except Interrupted:
            if self.together.is_main:
                self.folder.event("interrupted")
            raise
        model = lora.merge() if lora else loaded.model
        result = self._result(training, budget)
        if self.together.is_main:
            self._finish(model, result, key)
        self.together.wait()
        return result

    def _announce(self, budget: Budget, settings: TrainConfig) -> None:
        counts = self.inputs.counts
        for task, reason in self.inputs.reasons.items():
            self.tell(f"{task or 'general text'}: {reason}")
        trained, weights = trained_share(self.inputs.loaded.model)
        left = f", {counts['too_long']:,} too long" if counts["too_long"] else ""
        told = " and ".join(f"{share:.0%} {name}" for name, share in budget.shares.items())
        self.tell(
            f"{counts['trained']:,} rows to train, {counts['held_out']:,} held out{left}; {told} by tokens; "
            f"{settings.steps:,} steps in {self.config.epochs} epochs, {trained / 1e6:.1f} of {weights / 1e6:.1f} M weights"
        )

    def _result(self, training: TrainResult, budget: Budget) -> AdaptResult:
        first, kept = training.evaluations[0], training.evaluations[-1]
        if self.config.keep_best and training.best is not None:
            kept = training.best
        return AdaptResult(
            model=self.folder.path / "model", objective=self.config.objective, objectives=budget.shares,
            reasons=dict(self.inputs.reasons), counts=dict(self.inputs.counts), steps=training.steps, kept_step=kept.step,
            tokens=training.tokens, seconds=training.seconds, tokens_per_second=training.tokens_per_second,
            precision=training.precision, stopped_because=training.stopped_because, watched=self.inputs.watched,
            before=dict(first.values), after=dict(kept.values),
        )  # fmt: skip

    def _finish(self, model: Any, result: AdaptResult, key: str) -> None:
        metadata = adapted_metadata(self.config, self.inputs, result)
        save_model(
            model, self.inputs.loaded.adapter, result.model, dtype=self.config.dtype, metadata=metadata
        )
        write_card(self.config, metadata, result)
        write_json(self.folder.path / "result.json", result.stored())
        self.folder.finish(STEP, key, result.stored())
        # What is finished is never gone on with: the settings belong to the folder.
        shutil.rmtree(self.folder.path / "checkpoints", ignore_errors=True)


def train_settings(config: AdaptConfig, budget: Budget) -> TrainConfig:
    """The settings of the training loop for one process; shares of the steps become steps."""
    steps = max(1, round(budget.batches / config.accumulate))
    same = ("optimizer", "schedule", "weight_decay", "dropout", "accumulate", "precision", "device", "seed")
    return TrainConfig(
        steps=steps, rate=config.peak_rate, warmup=round(config.warmup * steps),
        decay=steps // 5 if config.schedule == "wsd" else 0, patience=config.patience, keep_best=config.keep_best,
        checkpoint_every=config.checkpoint_every, **{name: getattr(config, name) for name in same},
    )  # fmt: skip


def measured_steps(config: AdaptConfig, steps: int) -> list[int]:
    """Steps after which the held-out sets are measured: before the first, and evenly to the last.

    >>> measured_steps(AdaptConfig(pairs="prepared", epochs=2, evaluations=2), 90)
    [0, 22, 45, 68, 90]
    """
    times = config.epochs * config.evaluations
    return sorted({round(n * steps / times) for n in range(times + 1)})


def adapted_metadata(config: AdaptConfig, inputs: Inputs, result: AdaptResult) -> TrainingMetadata:
    """How the checkpoint was trained, this stage included.

    Shares over all tokens are known only where `mto` counted all of them; a published checkpoint keeps those of its own training.
    What was measured on the checkpoint before is left out: it is no longer true.
    """
    before, loaded = inputs.loaded.metadata, inputs.loaded
    seen, now = before.tokens_seen, round(result.tokens * result.kept_step / max(1, result.steps))
    objectives = dict(before.objectives)
    if seen or not objectives:
        names = sorted({*objectives, *result.objectives}) if now else []
        objectives = {
            n: round((seen * objectives.get(n, 0) + now * result.objectives.get(n, 0)) / (seen + now), 4)
            for n in names
        } or objectives
    entry = {
        "from": loaded.ref, "revision": loaded.revision, "pairs": inputs.fingerprint["pairs"], "set": config.set,
        "objective": config.objective, "objectives": dict(result.objectives), "tasks": sorted(t for t in inputs.reasons if t),
        "epochs": config.epochs, "rate": config.peak_rate, "optimizer": config.optimizer, "steps": result.steps,
        "kept_step": result.kept_step, "tokens": now, "lora": config.lora.rank if config.lora else None,
    }  # fmt: skip
    return before.model_copy(update={
        "objectives": objectives, "latest": dict(result.objectives) if now else before.latest, "tokens_seen": seen + now,
        "losses": {name: round(value, 4) for name, value in result.after.items() if "/" in name}, "probe": {},
        "family": "" if loaded.adapter.name == "sentinel-text" else loaded.adapter.name,
        "adapted": (*before.adapted, entry),
    })  # fmt: skip
